import type { FunctionChange } from "./changed-functions.js";
import { effectiveFunctions, type EffectiveFunction } from "./effective-calls.js";
import { findCalls, placeOf, type Call } from "./find-calls.js";
import { isSystemSleep } from "./function-names.js";
import { pairUses, type PairUse } from "./pair-table.js";
import type { SemanticNote } from "./types.js";

type Role = PairUse["role"];

/** A function that does one half of a pair on one side only, and the other half on neither. */
interface OneSided {
  readonly change: FunctionChange;
  readonly role: Role;
  /** The pair, and what it is about. */
  readonly about: string;
  readonly call: Call;
}

/**
 * Notes one half of a pair that the patch takes out of a function and puts into another: a put that goes from what releases an object to its RCU callback. What
 * passed the one in its old version and comes to the other in its new one has it twice, or not at all. A pair that moves as a whole is no matter, nor is a half
 * that goes to a function which is new: only new code leads there.
 */
export function noteMovedHalves(changes: readonly FunctionChange[]): SemanticNote[] {
  const functions = effectiveFunctions(changes);
  const lost = functions.flatMap((entry) => halvesOf(entry, "pre"));
  const gained = functions.flatMap((entry) => halvesOf(entry, "post")).filter(({ change }) => change.pre !== undefined);
  const notes = new Map<string, SemanticNote>();
  for (const to of gained) {
    const from = lost.find((other) => other.role === to.role && other.about === to.about && mayBeFarApart(other.change, to.change));
    const between = `${from?.change.name ?? ""} ${to.change.name}`;
    if (from !== undefined && !notes.has(between)) notes.set(between, noteOf(from, to));
  }
  return [...notes.values()];
}

/** The halves that a function has on one side and not on the other, where it does not have the pair's other half on either. */
function halvesOf(entry: EffectiveFunction, side: "pre" | "post"): OneSided[] {
  const there = rolesOf(entry[side]);
  const other = rolesOf(entry[side === "pre" ? "post" : "pre"]);
  return [...there].flatMap(([about, roles]): OneSided[] => {
    const [[role, call] = [undefined, undefined], ...more] = roles;
    const isOnly = role !== undefined && more.length === 0 && (other.get(about)?.size ?? 0) === 0;
    return isOnly ? [{ change: entry.change, role, about, call }] : [];
  });
}

/** What the calls do to each pair, with the first call that does it. */
function rolesOf(calls: readonly Call[]): Map<string, Map<Role, Call>> {
  const found = new Map<string, Map<Role, Call>>();
  for (const call of calls)
    for (const { role, key } of pairUses(call)) {
      // Many pairs go by their name alone: here it matters that it is the same object. What is about none begins and ends with its thread.
      const object = placeOf(call.args[0] ?? call.target ?? "")?.name;
      if (object === undefined) continue;
      const about = `${key} of ${object}`;
      const roles = found.get(about) ?? new Map<Role, Call>();
      if (!roles.has(role)) roles.set(role, call);
      found.set(about, roles);
    }
  return found;
}

function mayBeFarApart(a: FunctionChange, b: FunctionChange): boolean {
  return a !== b && !calls(a, b) && !calls(b, a) && !(isSystemSleep(a.name) && isSystemSleep(b.name));
}

function calls({ pre, post }: FunctionChange, { name }: FunctionChange): boolean {
  return [pre, post].some((text) => text !== undefined && findCalls(text).some(({ callee }) => callee === name));
}

function noteOf(from: OneSided, to: OneSided): SemanticNote {
  const verb = to.role === "acquire" ? "taken" : "given back";
  const spelled = `${to.call.callee}(${to.call.args.join(", ").slice(0, 40)})`;
  return {
    kind: "moved-half",
    function: to.change.name,
    file: to.change.file,
    line: to.call.line,
    message: `${from.change.name} no longer calls ${spelled}, and ${to.change.name} does: what passes the one before the update and the other after it is ${verb} twice, or never, whichever of them comes first; undoing the update does the reverse`,
  };
}
