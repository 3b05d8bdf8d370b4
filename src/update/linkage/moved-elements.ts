import { takesAddress } from "../../diff/atoms/branches.js";
import { atomName, atomSize, isText, type Atom } from "../../diff/atoms/atom.js";
import { Comparer } from "../../diff/compare/compare.js";
import type { SplitObject } from "../../diff/atoms/split-object.js";
import { STB_LOCAL } from "../../elf/constants.js";
import type { ElfRelocation } from "../../elf/model.js";
import type { TouchedText } from "../units/touched-texts.js";
import type { UnitDiff } from "../units/unit-diff.js";
import { Declarations } from "./declared-types.js";
import { elementsMove, type LinkageRefusal } from "./refusals.js";

/** Elements are whole structures, of at least two words. Bytes. */
const SMALLEST_ELEMENT = 16;
const WORD = 8;

/**
 * Tables of structures that are rewritten in place, and whose elements change places: a live object's pointer to an element (`nor->info`) would mean another one
 * from then on. Where nobody has taken the address of the table there are no such pointers.
 */
export function findMovedElements(diffs: readonly UnitDiff[], texts: readonly TouchedText[]): LinkageRefusal[] {
  const rewritten = diffs.flatMap((entry) => {
    const writes = entry.diff.analysis.writes.filter(({ pointer }) => pointer === undefined);
    return [...new Map(writes.map((write) => [write.post, write])).values()].map(({ pre, post }) => ({ entry, pre, post }));
  });
  if (rewritten.length === 0) return [];
  const declarations = new Declarations(texts.map(({ post }) => post));
  return rewritten.flatMap(({ entry, pre, post }) => {
    const { analysis } = entry.diff;
    const isTable = [...declarations.typesOf(atomName(post))].some((type) => /^(?:struct|union) .*\[\]$/.test(type));
    if (!isTable || !isHandedOut(analysis.pre, pre)) return [];
    const comparer = new Comparer(analysis.pre, analysis.post, analysis.twins);
    return hasMovedElements(comparer, pre, post) ? [elementsMove(entry, atomName(post))] : [];
  });
}

function isHandedOut(split: SplitObject, table: Atom): boolean {
  if (table.symbols.some(({ bind }) => bind !== STB_LOCAL)) return true;
  return split.atoms.some(
    (owner) =>
      owner !== table &&
      owner.relocations.some((relocation) => {
        const target = split.target(relocation, owner);
        return target.kind === "atom" && target.atom === table && (!isText(owner) || takesAddress(split, owner, relocation));
      }),
  );
}

/** True if, for some size that elements may have, one of the old ones stands at another place in the new table, and not at its own. */
function hasMovedElements(comparer: Comparer, pre: Atom, post: Atom): boolean {
  const size = atomSize(pre);
  const [had, has] = [new Table(pre), new Table(post)];
  for (let step = SMALLEST_ELEMENT; step * 2 <= size; step += WORD) {
    if (size % step !== 0) continue;
    const places = Array.from({ length: size / step }, (_, index) => index * step);
    const isAt = (from: number, to: number): boolean => isSameElement(comparer, had, from, has, to, step);
    // One that changes may have been like another, which stays (`NLA_U32` twice in a policy): that has not come there.
    const comesTo = (from: number, to: number): boolean => isAt(from, to) && !isLike(had, from, to, step);
    if (places.some((from) => !had.isEmpty(from, step) && !isAt(from, from) && places.some((to) => comesTo(from, to)))) return true;
  }
  return false;
}

/** A table's bytes, with its relocations by place. */
class Table {
  readonly #relocations = new Map<number, ElfRelocation>();

  constructor(readonly atom: Atom) {
    for (const relocation of atom.relocations) this.#relocations.set(relocation.offset, relocation);
  }

  relocationAt(offset: number): ElfRelocation | undefined {
    return this.#relocations.get(offset);
  }

  isEmpty(start: number, size: number): boolean {
    for (let at = start; at < start + size; at++) if (this.atom.data[at] !== 0 || this.#relocations.has(at)) return false;
    return true;
  }
}

/** True for two elements of one table that have the same bytes, and the same relocations to the letter. */
function isLike(table: Table, one: number, other: number, size: number): boolean {
  for (let at = 0; at < size; at++) {
    if (table.atom.data[one + at] !== table.atom.data[other + at]) return false;
    const [a, b] = [table.relocationAt(one + at), table.relocationAt(other + at)];
    if (a?.symbol !== b?.symbol || a?.addend !== b?.addend || a?.type !== b?.type) return false;
  }
  return true;
}

function isSameElement(comparer: Comparer, had: Table, from: number, has: Table, to: number, size: number): boolean {
  const pairs: [ElfRelocation, ElfRelocation][] = [];
  for (let at = 0; at < size; at++) {
    if (had.atom.data[from + at] !== has.atom.data[to + at]) return false;
    const [before, after] = [had.relocationAt(from + at), has.relocationAt(to + at)];
    if (before?.type !== after?.type) return false;
    if (before !== undefined && after !== undefined) pairs.push([before, after]);
  }
  return pairs.every(([before, after]) =>
    comparer.equalTargets(comparer.pre.target(before, had.atom), comparer.post.target(after, has.atom)),
  );
}
