import type { CommandResult, Machine } from "../../vm/machine.js";
import { commandLine, programName } from "./program-paths.js";

/** 128 and the numbers of SIGILL, SIGTRAP, SIGABRT, SIGBUS and SIGSEGV: by these V8 ends when its own state makes no sense. */
const CRASHES: readonly number[] = [132, 133, 134, 135, 139];
/** A trap in WebAssembly code (the x86 decoder is such): its frames are named so. */
const WASM_TRAP = /RuntimeError: [^\n]*\n\s+at wasm:\/\//;
const TIMEOUT_MS = 300_000;

/**
 * Whether Node itself went wrong. Emulated, its generated code does now and then (once in some hundred starts under QEMU 7.2): it
 * crashes, or a check of the decoder fails for input that it takes the next time.
 */
export function crashedInEmulator({ exitCode, stderr }: Pick<CommandResult, "exitCode" | "stderr">): boolean {
  return CRASHES.includes(exitCode) || WASM_TRAP.test(stderr);
}

/**
 * Runs `ksplice-NAME ARGS`, or `ksplice ARGS` where the name is empty, in a machine. Our commands may be cut off at any point and begun again, so that is done, once, where
 * Node crashed. What is a bug of ours shows the second time too.
 * @param note is told of it
 */
export async function runCommand(
  machine: Pick<Machine, "run">,
  name: string,
  args: readonly string[],
  note: (message: string) => void = () => undefined,
): Promise<CommandResult> {
  const run = (): Promise<CommandResult> => machine.run([...commandLine(name), ...args], { timeoutMs: TIMEOUT_MS });
  const first = await run();
  if (!crashedInEmulator(first)) return first;
  note(`Node crashed in the emulator during ${programName(name)}; once more`);
  return await run();
}
