import { BRANCH_SIZE, CS_PREFIX, INT3, JMP, JMP_SHORT, OPERAND_SIZE_PREFIX } from "./opcodes.js";

/**
 * Instructions that do nothing, as compilers, assemblers and the kernel's own patching write them.
 * Source: Intel SDM volume 2, NOP; arch/x86/include/asm/nops.h and add_nop() in arch/x86/kernel/alternative.c, Linux 6.1 and 6.12.
 */

/** Operands of `nopl` (0f 1f) in use: (%rax) without and with displacement and index, all of them zero. */
const NOPL_OPERANDS = [[0x00], [0x40, 0], [0x44, 0, 0], [0x80, 0, 0, 0, 0], [0x84, 0, 0, 0, 0, 0]];

/** Length in bytes of the single no-op instruction at `offset`; 0 if there is none. `pause` (f3 90) is not one. */
export function nopLength(bytes: Uint8Array, offset: number): number {
  let at = offset;
  while (bytes[at] === OPERAND_SIZE_PREFIX || bytes[at] === CS_PREFIX) at++;
  if (bytes[at] === 0x90) return at + 1 - offset;
  if (bytes[at] !== 0x0f || bytes[at + 1] !== 0x1f) return 0;
  const operand = NOPL_OPERANDS.find((known) => known.every((byte, index) => bytes[at + 2 + index] === byte));
  return operand === undefined ? 0 : at + 2 + operand.length - offset;
}

/** Length of the run of no-ops that starts at `offset` and ends by `limit` at the latest; 0 if there is none. */
export function nopRunLength(bytes: Uint8Array, offset: number, limit = bytes.length): number {
  let at = offset;
  for (;;) {
    const length = nopLength(bytes, at);
    if (length === 0 || at + length > limit) return at - offset;
    at += length;
  }
}

/**
 * True if `bytes` from `start` to `end` do nothing: no-ops, or (since Linux 6.5, for long stretches) a jump to their end over int3s.
 * An empty range is filler, too.
 */
export function isFiller(bytes: Uint8Array, start: number, end: number): boolean {
  const at = start + nopRunLength(bytes, start, end);
  return at === end || isJumpOverInt3(bytes, at, end);
}

function isJumpOverInt3(bytes: Uint8Array, start: number, end: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at: number;
  let target: number;
  if (bytes[start] === JMP_SHORT && start + 2 <= end) {
    at = start + 2;
    target = at + view.getInt8(start + 1);
  } else if (bytes[start] === JMP && start + BRANCH_SIZE <= end) {
    at = start + BRANCH_SIZE;
    target = at + view.getInt32(start + 1, true);
  } else return false;
  return target === end && bytes.subarray(at, end).every((byte) => byte === INT3);
}

/** Length of what stands between functions, no-ops and int3s, from `start` on. */
export function paddingLength(bytes: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    const length = bytes[at] === INT3 ? 1 : nopLength(bytes, at);
    if (length === 0) return at - start;
    at += length;
  }
}

/** Number of int3s that stand at `at`, up to `limit` (text_poke_apply_relocation(), Linux 6.12). */
export function trapLength(bytes: Uint8Array, at: number, limit: number): number {
  let end = at;
  while (end < limit && bytes[end] === INT3) end++;
  return end - at;
}
