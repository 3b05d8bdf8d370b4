import type { ElfRelocation } from "../../elf/model.js";
import type { Atom } from "./atom.js";
import type { SplitObject } from "./split-object.js";

/** True for the displacement of a direct call or jump. */
export function isBranch({ arch }: SplitObject, owner: Atom, relocation: ElfRelocation): boolean {
  const isCode = owner.rule.kind === "text" || owner.rule.kind === "pieces";
  return isCode && arch.code.isBranchField(owner.data, relocation.offset, relocation.type);
}

/** The first direct call or jump behind a field of code: what the field's address is given to, as a rule. */
export function nextCall(split: SplitObject, owner: Atom, field: ElfRelocation): ElfRelocation | undefined {
  return owner.relocations.find((relocation) => relocation.offset > field.offset && isBranch(split, owner, relocation));
}

/** True where code takes the address of what a field refers to (`lea`, an immediate operand), and does not only read or write there. */
export function takesAddress({ arch }: SplitObject, owner: Atom, relocation: ElfRelocation): boolean {
  return arch.code.holdsImmediate(owner.data, relocation.offset);
}

/** True where code compares something with the address of what a field refers to, or takes it off. */
export function comparesAddress({ arch }: SplitObject, owner: Atom, relocation: ElfRelocation): boolean {
  return !relocation.type.pcRelative && arch.code.comparesWith(owner.data, relocation.offset);
}
