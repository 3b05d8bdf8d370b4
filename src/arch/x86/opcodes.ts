/** Bytes that kernel code is recognised by. Source: Intel SDM volume 2. */

/** With a displacement of 4 bytes. */
export const CALL = 0xe8;
export const JMP = 0xe9;
/** With a displacement of 1 byte. */
export const JMP_SHORT = 0xeb;
/** First byte of many instructions of two bytes of opcode, jcc with a displacement of 4 bytes (80 to 8f) among them. */
export const ESCAPE = 0x0f;
export const INT3 = 0xcc;
export const CS_PREFIX = 0x2e;
export const OPERAND_SIZE_PREFIX = 0x66;
export const LOCK_PREFIX = 0xf0;
/** Stands in place of {@link LOCK_PREFIX} while one processor alone runs (alternatives_smp_unlock(), arch/x86/kernel/alternative.c, Linux 7.2). */
export const NO_LOCK_PREFIX = 0x3e;
export const ENDBR64: readonly number[] = [0xf3, 0x0f, 0x1e, 0xfa];

/** Bytes of a call or jmp with a displacement of 4 bytes, and of the jcc. */
export const BRANCH_SIZE = 5;
export const CONDITIONAL_SIZE = 6;

/** True for the byte behind {@link ESCAPE} that makes a conditional jump with a displacement of 4 bytes. */
export function isNearCondition(byte: number): boolean {
  return (byte & 0xf0) === 0x80;
}
