import { readFileSync } from "node:fs";

/** What the kernel says when something went wrong that must not. */
const PROBLEM =
  /\bBUG\b|WARNING:|\bOops\b|Call Trace|general protection|soft lockup|hard LOCKUP|rcu.*detected.*stall|Kernel panic|invalid opcode|stack-protector|list_(add|del) corruption|refcount_t:|KASAN|UBSAN|scheduling while atomic|non-static key|suspected memory leaks|blocked for more than/;

/** Lines that match and mean nothing: advice about the emulated processor. */
const HARMLESS = /(Spectre V2|RETBleed|MDS|TAA|MMIO Stale Data|SRSO|GDS|L1TF) *:? ?WARNING/i;

/** The lines of a kernel log that tell of a bug, a warning or a crash, as they stand. */
export function findProblems(log: string): string[] {
  return log
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => PROBLEM.test(line) && !HARMLESS.test(line));
}

/** The console log so far; empty where there is none yet. */
export function readConsole(path: string): string {
  try {
    return readFileSync(path, "utf8").replaceAll("\r", "");
  } catch {
    return "";
  }
}

/** What tells most about how a machine ended, indented: from the first problem on, else the last lines. */
export function lastWords(log: string, lines = 25): string {
  const all = log.trimEnd().split("\n");
  const [problem] = findProblems(log);
  const start = problem === undefined ? all.length - lines : all.findIndex((line) => line.trimEnd() === problem);
  return all
    .slice(Math.max(0, start), Math.max(0, start) + lines)
    .map((line) => `  ${line}`)
    .join("\n");
}
