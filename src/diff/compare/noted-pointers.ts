import { isPointer } from "../../arch/machine/elf-machine.js";
import type { ElfRelocation } from "../../elf/model.js";
import { atomName, type Atom } from "../atoms/atom.js";
import type { Comparer } from "./compare.js";
import type { DataWrite } from "./changed-constants.js";
import * as refuse from "../refusals.js";
import type { DiffRefusal } from "../types.js";

/** The module's own structure, which `THIS_MODULE` points to. */
const OWNER = "__this_module";

/**
 * Pointers of constants that are rewritten, of which objects that are alive have taken note. Where one becomes NULL, somebody has seen that it is there and does not look
 * again: `d_flags` says which operations a dentry has, `FMODE_LSEEK` that a file can seek; a thread may sleep between looking and calling. Where the owner comes or goes
 * (`.owner = THIS_MODULE`), what is open has taken no reference of the module and will give one back, or the reverse.
 */
export function findNotedPointers(comparer: Comparer, writes: readonly DataWrite[]): DiffRefusal[] {
  const rewritten = new Map(writes.filter(({ pointer }) => pointer === undefined).map(({ pre, post }) => [post, pre]));
  return [...rewritten].flatMap(([post, pre]): DiffRefusal[] => {
    const [had, has] = [pointersOf(pre), pointersOf(post)];
    const isOwner = (atom: Atom, field: ElfRelocation | undefined): boolean =>
      field !== undefined && named(atom === pre ? comparer.pre : comparer.post, atom, field) === OWNER;
    const owned = [...new Set([...had.keys(), ...has.keys()])].some((at) => isOwner(pre, had.get(at)) !== isOwner(post, has.get(at)));
    if (owned) return [refuse.changedOwner(atomName(post))];
    return [...had].flatMap(([at, field]): DiffRefusal[] => {
      const target = named(comparer.pre, pre, field);
      return target === undefined || has.has(at) || !isZero(post, at) ? [] : [refuse.emptiedPointer(atomName(post), target)];
    });
  });
}

function pointersOf({ relocations }: Atom): ReadonlyMap<number, ElfRelocation> {
  return new Map(relocations.filter(({ type }) => isPointer(type)).map((field) => [field.offset, field]));
}

/** What a field points to, if it has a name: a text has none, and is shown or not. */
function named(split: Comparer["pre"], atom: Atom, field: ElfRelocation): string | undefined {
  const target = split.target(field, atom);
  if (target.kind === "outside") return target.symbol.name;
  return target.kind === "atom" ? target.atom.symbol?.name : undefined;
}

function isZero({ data }: Atom, at: number): boolean {
  return data.subarray(at, at + 8).every((byte) => byte === 0);
}
