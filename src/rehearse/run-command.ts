import type { CommandResult, Machine } from "../../vm/machine.js";
import { commandLine } from "./program-paths.js";

/** 128 and the number of SIGSEGV. */
export const SEGMENTATION_FAULT = 139;
const TIMEOUT_MS = 300_000;

/**
 * Runs `ksplice-NAME ARGS` in a machine. Emulated, Node itself crashes now and then (once in some hundred starts under QEMU 7.2, in
 * generated code); its commands may be cut off at any point and begun again, so that is done, once.
 * @param note is told of it
 */
export async function runCommand(
  machine: Machine,
  name: string,
  args: readonly string[],
  note: (message: string) => void = () => undefined,
): Promise<CommandResult> {
  const run = (): Promise<CommandResult> => machine.run([...commandLine(name), ...args], { timeoutMs: TIMEOUT_MS });
  const first = await run();
  if (first.exitCode !== SEGMENTATION_FAULT) return first;
  note(`Node crashed in the emulator during ksplice-${name}; once more`);
  return await run();
}
