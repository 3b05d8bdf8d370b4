import { readFileSync } from "node:fs";

/** What the kernel says when something went wrong that must not. */
const PROBLEM =
  /\bBUG\b|WARNING:|\bOops\b|Call Trace|general protection|soft lockup|hard LOCKUP|rcu.*detected.*stall|Kernel panic|invalid opcode|stack-protector|list_(add|del) corruption|refcount_t:|KASAN|UBSAN|scheduling while atomic/;

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

/** The last lines of a log, indented. */
export function logTail(log: string, lines = 25): string {
  return log
    .trimEnd()
    .split("\n")
    .slice(-lines)
    .map((line) => `  ${line}`)
    .join("\n");
}
