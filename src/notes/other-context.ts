import type { FileChange } from "./changed-functions.js";
import { findCalls, placeOf, type Call } from "./find-calls.js";
import type { SourceFunction } from "./read-functions.js";
import type { SemanticNote } from "./types.js";

/** A callback, and how whoever calls it does. */
interface Setting {
  readonly callback: string;
  readonly way: string;
}

/**
 * Notes callbacks that change and are set up to be called in another context, or by another clock: a timer in a soft interrupt instead of a hard one, a handler in a thread of its own. Timers and
 * interrupts that were set up before the update call the new code where the old one was called: it may sleep where nobody may, or take a lock without what keeps others out.
 */
export function noteOtherContexts(files: readonly FileChange[]): SemanticNote[] {
  return files.flatMap(({ path, pre, post, functions }) => {
    const [before, after] = [waysIn(pre.functions), waysIn(post.functions)];
    return functions.flatMap(({ name, pre: old, post: now }): SemanticNote[] => {
      const [was, is] = [before.get(name), after.get(name)];
      if (old === undefined || now === undefined || was === undefined || is === undefined || was === is) return [];
      const message = `${name} changes, and is set up to be called ${is}, before ${was}: what was set up before the update calls the new code as it called the old one, and after an undo the reverse`;
      return [{ kind: "changed-meaning", function: name, file: path, line: now.line, message }];
    });
  });
}

/** By callback, where all who set it up do so in one way. */
function waysIn(functions: readonly SourceFunction[]): ReadonlyMap<string, string> {
  const ways = new Map<string, Set<string>>();
  for (const entry of functions)
    for (const call of findCalls(entry))
      for (const { callback, way } of settingsOf(call, entry)) ways.set(callback, (ways.get(callback) ?? new Set()).add(way));
  return new Map(
    [...ways].flatMap(([callback, [way, more]]) => (way === undefined || more !== undefined ? [] : [[callback, way] as const])),
  );
}

function settingsOf({ callee, args }: Call, { body }: SourceFunction): Setting[] {
  const [first = "", second = "", third = "", fourth = ""] = callee.startsWith("devm_") ? args.slice(1) : args;
  const is = (callback: string, way: string): Setting[] => {
    const name = callback.replace(/^&\s*/, "");
    return /^[a-z_]\w*$/.test(name) ? [{ callback: name, way }] : [];
  };
  switch (callee.replace(/^devm_/, "")) {
    case "hrtimer_setup":
      return is(second, byClock(third, fourth));
    case "hrtimer_init": {
      // The callback is a member of its own (Linux 6.12).
      const timer = placeOf(first)?.name ?? "";
      const [, callback = ""] = new RegExp(`(?:->|\\.)\\s*${timer}\\s*\\.\\s*function\\s*=\\s*&?\\s*(\\w+)`).exec(body) ?? [];
      return timer === "" ? [] : is(callback, byClock(second, third));
    }
    case "timer_setup":
      return is(second, third.includes("TIMER_IRQSAFE") ? "with interrupts off" : "with interrupts on");
    case "request_irq":
      return is(second, "in the interrupt");
    case "request_threaded_irq":
      return [...is(second, "in the interrupt"), ...is(third, "in a thread of the interrupt's")];
    default:
      return [];
  }
}

/** Whether a time is one from now on or not is said again when a timer is started. */
function byClock(clock: string, mode: string): string {
  const context = mode.endsWith("_SOFT") ? "in a soft interrupt" : mode.endsWith("_HARD") ? "in a hard interrupt" : "in an interrupt";
  return `${context} by ${clock}`;
}
