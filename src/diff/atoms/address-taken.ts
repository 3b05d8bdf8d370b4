import { isText, type Atom } from "./atom.js";
import { isBranch } from "./branches.js";
import type { SplitObject } from "./split-object.js";

/**
 * Functions whose address an object takes as a value, in code or in data: a live object of the running kernel may hold it (a timer, a work item,
 * a table of operations that was copied), and call it at any time.
 */
export function findAddressTaken(split: SplitObject): ReadonlySet<Atom> {
  const taken = new Set<Atom>();
  for (const owner of split.atoms)
    for (const relocation of owner.relocations) {
      const target = split.target(relocation, owner);
      if (target.kind === "atom" && target.atom !== owner && isText(target.atom) && !isBranch(split, owner, relocation))
        taken.add(target.atom);
    }
  return taken;
}
