import type { DecodedInstruction } from "../arch.js";
import type { RelocationType } from "../machine/elf-machine.js";
import { R_X86_64_PC8 } from "../machine/x86-64.js";
import { BRANCH_SIZE, CALL, ESCAPE, isNearCondition, JMP } from "./opcodes.js";

/** A direct branch of at least the size of a call has a displacement of 4 bytes, a shorter one of 1; it ends the instruction. */
export function displacementSize({ size }: DecodedInstruction): number {
  return size >= BRANCH_SIZE ? 4 : 1;
}

/** No other instruction than a direct call, jmp or jcc has these opcode bytes before a PC-relative field. */
export function isBranchField(bytes: Uint8Array, offset: number, type: RelocationType): boolean {
  if (!type.pcRelative) return false;
  if (type === R_X86_64_PC8) return true;
  const opcode = bytes[offset - 1] ?? 0;
  return opcode === CALL || opcode === JMP || (bytes[offset - 2] === ESCAPE && isNearCondition(opcode));
}
