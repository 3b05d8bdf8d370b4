import type { Tell } from "../../events.js";
/** With fewer units than this the user has no time to wonder. */
const MANY_UNITS = 30;

/** What compiling a unit before and after a change takes, types included, with nothing in the cache: an estimate, not measured. */
const SECONDS_A_UNIT = 3;

/**
 * What to tell a user before many units are compiled.
 * @param jobs how many are compiled at once
 * @returns undefined where that is soon done
 */
export function estimateOf(units: number, jobs: number): string | undefined {
  if (units < MANY_UNITS) return undefined;
  const minutes = Math.max(1, Math.round((units * SECONDS_A_UNIT) / jobs / 60));
  return `${units} objects may use what changes; about ${minutes} minute${minutes === 1 ? "" : "s"}, less what is in the cache (--most-units sets a limit)`;
}

/**
 * Says at Ctrl-C that the work done is not lost: every object that is compiled is in the cache, whole, before the next is begun.
 * @param interruption aborted when the program is about to end
 * @returns ends it
 */
export function sayWhenInterrupted(interruption: AbortSignal | undefined, done: () => number, units: number, tell: Tell): () => void {
  const interrupted = (): void => {
    tell("warning", `interrupted: ${done()} of ${units} objects are compiled and stay in the cache; the same command goes on from there`);
  };
  interruption?.addEventListener("abort", interrupted, { once: true });
  return () => interruption?.removeEventListener("abort", interrupted);
}
