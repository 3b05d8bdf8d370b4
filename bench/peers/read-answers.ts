/** What programs in the machine print. */

export interface Calls {
  /** Of the last call. */
  readonly errno: number;
  /** Nanoseconds a call: the least of all rounds, for what interrupts only adds. */
  readonly each: number;
}

/** `call-cost`: an error, and what so many calls took, several times. */
export function readCalls(text: string, count: number): Calls {
  const [errno, ...rounds] = text.trim().split(/\s+/).map(Number);
  if (errno === undefined || rounds.length === 0 || rounds.some(Number.isNaN)) throw new Error(`call-cost printed: ${text}`);
  return { errno, each: Math.min(...rounds) / count };
}

/**
 * How long a livepatch was in transition, in nanoseconds, from the kernel's log: from `starting patching transition` to `patching complete`
 * (kernel/livepatch/transition.c, Linux 7.3). Microseconds are told apart.
 */
export function readTransition(log: string): number {
  const at = (words: string): number => {
    const [, seconds, micros] = new RegExp(`^\\[ *(\\d+)\\.(\\d{6})\\] livepatch: '[^']*': ${words}`, "m").exec(log) ?? [];
    if (seconds === undefined || micros === undefined) throw new Error(`the kernel's log does not say "${words}":\n${log.slice(-1000)}`);
    return Number(seconds) * 1e9 + Number(micros) * 1e3;
  };
  return at("patching complete") - at("starting patching transition");
}

/** Bytes of the modules whose names begin so, of `/proc/modules`. */
export function readLoaded(modules: string, prefix: string): number {
  return Array.from(modules.matchAll(/^(\S+) (\d+) /gm))
    .filter(([, name]) => name?.startsWith(prefix))
    .reduce((sum, [, , size]) => sum + Number(size), 0);
}
