import type { CommandResult, Machine } from "../../vm/machine.js";
import { commandLine } from "./program-paths.js";

const TIMEOUT_MS = 300_000;

/** Runs `ksplice-NAME ARGS`, or `ksplice ARGS` where the name is empty, in a machine. */
export async function runCommand(machine: Pick<Machine, "run">, name: string, args: readonly string[]): Promise<CommandResult> {
  return await machine.run([...commandLine(name), ...args], { timeoutMs: TIMEOUT_MS });
}
