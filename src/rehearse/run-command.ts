import type { CommandResult, Machine } from "../../vm/machine.js";
import { commandLine } from "../host/program-paths.js";

const TIMEOUT_MS = 300_000;

/** Commands that stop the machine. */
const STOPPING: ReadonlySet<string> = new Set(["apply", "undo"]);
/** Milliseconds. An emulated processor may be a hundred times slower than a real one, and wait for its turn besides. */
const STOP_LIMIT = 1000;

/** Runs `ksplice-NAME ARGS`, or `ksplice ARGS` where the name is empty, in a machine. */
export async function runCommand(machine: Pick<Machine, "run">, name: string, args: readonly string[]): Promise<CommandResult> {
  return await machine.run([...commandLine(name), ...(STOPPING.has(name) ? [`--stop-limit=${STOP_LIMIT}`] : []), ...args], {
    timeoutMs: TIMEOUT_MS,
  });
}
