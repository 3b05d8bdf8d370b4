import type { RunKernel } from "../../../run-kernel.js";

/** Bytes of padding in front of each function, in which call depth tracking puts its thunk (CONFIG_FUNCTION_PADDING_BYTES, Linux 6.12). */
const MAX_PADDING = 16n;
/** `sarq $5,%gs:…`, which is all of the thunk (INCREMENT_CALL_DEPTH, arch/x86/include/asm/nospec-branch.h). */
const THUNK = [0x65, 0x48, 0xc1];

/** True if calls of `func` go to a thunk at `addr` in the padding before it, as call depth tracking has it (arch/x86/kernel/callthunks.c). */
export function isCallDepthThunk(run: RunKernel, addr: bigint, func: bigint): boolean {
  if (addr >= func || func - addr > MAX_PADDING) return false;
  const bytes = run.read(addr, THUNK.length);
  return bytes !== undefined && THUNK.every((byte, index) => bytes[index] === byte);
}
