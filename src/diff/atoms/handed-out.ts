import { isPointer } from "../../arch/machine/elf-machine.js";
import { SHF_EXECINSTR } from "../../elf/constants.js";
import { homeSection } from "../../elf/model.js";
import { atomSize, isFunctionName, isText, type Atom } from "./atom.js";
import { comparesAddress, takesAddress } from "./branches.js";
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

/** Constants by which code tells objects: tables of operations that are handed out, and what objects' pointers are compared with. */
export function findToldBy(split: SplitObject): ReadonlySet<Atom> {
  const operations = [...findHandedOut(split)].filter((atom) => isConstant(atom) && holdsFunctions(atom));
  return new Set([...operations, ...findCompared(split).keys()]);
}

/** Constants whose address, or that of an element, code compares with a pointer or takes off one, each with such code. Where a loop over a table ends, behind it, is none. */
export function findCompared(split: SplitObject): ReadonlyMap<Atom, Atom> {
  return comparedWith(split, isConstant);
}

/** Functions whose address code compares with a pointer (`timer->function == tick`), each with such code. */
export function findComparedFunctions(split: SplitObject): ReadonlyMap<Atom, Atom> {
  return comparedWith(split, (atom) => isText(atom) && atom.symbol !== undefined);
}

function comparedWith(split: SplitObject, isWanted: (atom: Atom) => boolean): ReadonlyMap<Atom, Atom> {
  const compared = new Map<Atom, Atom>();
  for (const owner of split.atoms) {
    if (!isText(owner)) continue;
    for (const relocation of owner.relocations) {
      const target = split.target(relocation, owner);
      if (target.kind !== "atom" || !isWanted(target.atom) || compared.has(target.atom)) continue;
      const isInside = target.offset >= 0 && target.offset < atomSize(target.atom);
      if (isInside && comparesAddress(split, owner, relocation)) compared.set(target.atom, owner);
    }
  }
  return compared;
}

function isConstant({ rule, symbol }: Atom): boolean {
  return rule.kind === "data" && !rule.mutable && rule.area === "always" && symbol !== undefined;
}
