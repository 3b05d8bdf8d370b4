import { isPointer } from "../../arch/machine/elf-machine.js";
import { SHF_EXECINSTR } from "../../elf/constants.js";
import { homeSection } from "../../elf/model.js";
import { isFunctionName, isText, type Atom } from "./atom.js";
import { takesAddress } from "./branches.js";
import type { SplitObject } from "./split-object.js";

/** Data whose address code takes or data holds, and not only reads: objects that outlive the call may hold it. A function's name is not among them: it is told by its text. */
export function findHandedOut(split: SplitObject): ReadonlySet<Atom> {
  return new Set(
    split.atoms.flatMap((owner) =>
      owner.relocations.flatMap((relocation) => {
        const target = split.target(relocation, owner);
        if (target.kind !== "atom" || target.atom === owner || target.atom.rule.kind !== "data" || isFunctionName(target.atom)) return [];
        const isTaken = isText(owner) ? takesAddress(split, owner, relocation) : owner.symbol !== undefined && isPointer(relocation.type);
        return isTaken ? [target.atom] : [];
      }),
    ),
  );
}

/** True for a table of operations: who has one gives its address to objects, and is told by it later (`file->f_op == &fops`). */
export function holdsFunctions({ relocations }: Atom): boolean {
  return relocations.some(({ type, symbol }) => {
    const section = homeSection(symbol);
    return isPointer(type) && (section === undefined || (section.flags & SHF_EXECINSTR) !== 0);
  });
}

/** Constants that are tables of operations, and handed out. */
export function findOperations(split: SplitObject): ReadonlySet<Atom> {
  return new Set([...findHandedOut(split)].filter((atom) => isConstant(atom) && holdsFunctions(atom)));
}

function isConstant({ rule, symbol }: Atom): boolean {
  return rule.kind === "data" && !rule.mutable && rule.area === "always" && symbol !== undefined;
}
