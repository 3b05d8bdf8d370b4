import * as elf from "../../elf/constants.js";
import type { ElfRelocation } from "../../elf/model.js";
import { holdsImmediate } from "../../arch/x86/decode.js";
import type { Atom } from "./atom.js";

/** True for a field that counts from its own place. */
export function isPcRelative(relocation: ElfRelocation): boolean {
  return elf.RELOCATION_KINDS.get(relocation.type)?.pcRelative === true;
}

/** True for the displacement of a direct call, jmp or jcc: no other instruction has these opcode bytes before a PC-relative field. */
export function isBranch(owner: Atom, relocation: ElfRelocation): boolean {
  if (owner.rule.kind !== "text" && owner.rule.kind !== "pieces") return false;
  if (!isPcRelative(relocation)) return false;
  const opcode = owner.data[relocation.offset - 1] ?? 0;
  const escape = owner.data[relocation.offset - 2] ?? 0;
  if (relocation.type === elf.R_X86_64_PC8) return true;
  return opcode === 0xe8 || opcode === 0xe9 || (escape === 0x0f && opcode >= 0x80 && opcode <= 0x8f);
}

/** True where code takes the address of what a field refers to (`lea`, an immediate operand), and does not only read or write there. */
export function takesAddress(owner: Atom, relocation: ElfRelocation): boolean {
  return holdsImmediate(owner.data, relocation.offset);
}
