import { isPointer } from "../../arch/machine/elf-machine.js";
import { STB_LOCAL } from "../../elf/constants.js";
import type { ElfRelocation } from "../../elf/model.js";
import { atomName, atomSize, isText, type Atom } from "../atoms/atom.js";
import { takesAddress } from "../atoms/branches.js";
import { findCompared } from "../atoms/handed-out.js";
import type { ChangedCode } from "./changed-code.js";
import type { Comparer } from "./compare.js";
import { baseName } from "./correlate-data.js";
import { coldParent, isDeviceTableAlias } from "../../elf/made-names.js";
import * as refuse from "../refusals.js";
import type { DataChange, DiffRefusal } from "../types.js";

/** A range of an existing object that is overwritten. */
export interface DataWrite {
  /** The object in the post and in the pre object. */
  readonly post: Atom;
  readonly pre: Atom;
  /** Bytes from the start of the object. */
  readonly offset: number;
  readonly size: number;
  /** The pointer that is written, for one field; undefined where the bytes are those of the post object. */
  readonly pointer?: ElfRelocation;
}

export interface SettledConstants {
  changed: DataChange[];
  /** Carried like new ones. */
  replaced: Set<Atom>;
  writes: DataWrite[];
  refusals: DiffRefusal[];
  notes: string[];
  /** Names of constants that only initialization code reads. */
  init: string[];
}

/** A larger range becomes several writes. Prelinking cuts these again where the core takes less at once. Bytes. */
const MAX_WRITE = 32 * 1024;
const POINTER_SIZE = 8;

/**
 * What becomes of each constant that changes:
 *
 * - one that stands inside a function in the source, and is only read there, goes with that function;
 * - a table of labels goes with the function that they are in;
 * - one that keeps its size is rewritten in place: pointers to it that live objects hold stay good, and it does not matter who reads it;
 * - of another size, the new one is carried. Functions that read the old one are replaced by ones that read the new one, and
 *   pointers to it in existing data are redirected.
 *
 * One whose readers cannot all be told is refused, and one that objects are told by (`p->info == &table[2]`, `p->info - table`). Takes functions that read a moved constant into `code`.
 */
export function settleConstants(code: ChangedCode, constants: readonly { pre: Atom; post: Atom }[]): SettledConstants {
  const result: SettledConstants = { changed: [], replaced: new Set(), writes: [], refusals: [], notes: [], init: [] };
  const references = findReferences(code.comparer);
  const moving: { pre: Atom; post: Atom }[] = [];
  for (const { pre, post } of constants) {
    if (holdsLabels(post, code)) continue; // below
    const readers = findReaders(post, references);
    const isLocal = post.symbols.every(({ bind, name }) => bind === STB_LOCAL || isDeviceTableAlias(name));
    if (isLocal && readers.length > 0 && readers.every((reader) => isUsedUp(reader, code))) {
      result.init.push(atomName(post));
      continue;
    }
    const change: DataChange = {
      name: atomName(post),
      ...(pre.symbol === undefined ? {} : { pre: pre.symbol }),
      ...(post.symbol === undefined ? {} : { post: post.symbol }),
    };
    const range = isRewritable(pre, post, code.comparer) ? code.comparer.differingRange(pre, post) : undefined;
    if (range !== undefined) {
      for (let offset = range.start; offset < range.end; offset += MAX_WRITE)
        result.writes.push({ pre, post, offset, size: Math.min(MAX_WRITE, range.end - offset) });
      result.changed.push({ ...change, how: "rewritten" });
      if (isLocal && readers.length > 0 && readers.every(({ owner }) => isGone(owner, code)))
        result.notes.push(
          `${baseName(post)}: only initialization code refers to it, which has run: what that made a copy of stays as it was, what holds its address sees the change`,
        );
    } else if (!isLocal) {
      result.changed.push(change);
      result.refusals.push(refuse.changedConstant(atomName(post), undefined));
    } else {
      moving.push({ pre, post });
      result.replaced.add(post);
      result.changed.push({ ...change, how: "carried" });
    }
  }
  const rewritten = [...result.writes];
  result.refusals.push(...findTold(moving, code.comparer));
  for (const { post } of moving) for (const reader of findReaders(post, references)) moveReader(reader, post, rewritten, code, result);
  settleLabelTables(code, references, result);
  return result;
}

/**
 * A table of labels (`static const void *const table[] = { &&add, &&sub }`) goes with its function, whether it differs or not: new code that went by the running
 * kernel's would jump into the old function.
 */
function settleLabelTables(code: ChangedCode, references: References, result: SettledConstants): void {
  const { post: split, twins } = code.comparer;
  for (const post of split.atoms) {
    const pre = twins.get(post);
    if (pre?.symbol === undefined || post.symbol === undefined || !holdsLabels(post, code)) continue;
    const stranger = findReaders(post, references).find(({ owner }) => !code.included.has(owner));
    const isConstant = post.rule.kind === "data" && !post.rule.mutable;
    result.changed.push({ name: atomName(post), pre: pre.symbol, post: post.symbol, how: "carried" });
    if (isConstant && stranger === undefined) result.replaced.add(post);
    else result.refusals.push(refuse.labelsHeld(atomName(post), stranger === undefined ? undefined : atomName(stranger.owner)));
  }
}

/** True for data that hold places inside of functions which the update replaces. */
function holdsLabels(atom: Atom, { included, comparer: { post } }: ChangedCode): boolean {
  if (atom.rule.kind !== "data" || atom.symbol === undefined) return false;
  return atom.relocations.some((relocation) => {
    const target = post.target(relocation, atom);
    if (target.kind !== "atom" || !included.has(target.atom) || !isPointer(relocation.type)) return false;
    const { symbol, start } = target.atom;
    return target.offset !== (symbol?.value ?? 0) - start || coldParent(symbol?.name ?? "") !== undefined;
  });
}

/** Objects that are alive hold the address of the old one, and code that compares it with the new one's would not know them. */
function findTold(moving: readonly { post: Atom }[], { post: split }: Comparer): DiffRefusal[] {
  if (moving.length === 0) return [];
  const compared = findCompared(split);
  return moving.flatMap(({ post }) => {
    const reader = compared.get(post);
    return reader === undefined ? [] : [refuse.toldByAddress(atomName(post), atomName(reader))];
  });
}

/** A distance from the field to something is another one in the update's module, where the new bytes are made. */
function isRewritable(pre: Atom, post: Atom, comparer: Comparer): boolean {
  const hasDistances = post.relocations.some(({ type }) => type.pcRelative);
  return !comparer.isPartOfCode(post) && atomSize(pre) === atomSize(post) && !hasDistances;
}

/** A reference to a data object. */
interface Reference {
  readonly owner: Atom;
  readonly relocation: ElfRelocation;
}

type References = ReadonlyMap<Atom, readonly Reference[]>;

/** What refers to each data atom of the post object. */
function findReferences({ post }: Comparer): References {
  const references = new Map<Atom, Reference[]>();
  for (const owner of post.atoms)
    for (const relocation of owner.relocations) {
      const target = post.target(relocation, owner);
      if (target.kind !== "atom" || target.atom === owner || isText(target.atom)) continue;
      const list = references.get(target.atom);
      if (list === undefined) references.set(target.atom, [{ owner, relocation }]);
      else list.push({ owner, relocation });
    }
  return references;
}

/** Who reads an object: named ones. What has no name (a jump table, a template of a local variable) stands for those that read it. */
function findReaders(atom: Atom, references: References, seen = new Set<Atom>()): Reference[] {
  if (seen.has(atom)) return [];
  seen.add(atom);
  return (references.get(atom) ?? []).flatMap((reference) => {
    const { owner } = reference;
    const isNameless = owner.symbol === undefined && owner.rule.kind === "data";
    return isNameless ? findReaders(owner, references, seen) : [reference];
  });
}

/**
 * True for a reader that is gone from memory and has taken nothing but the value. Where it took the address (`proc_create(..., &ops)`), whoever it gave
 * that to reads the constant still.
 */
function isUsedUp({ owner, relocation }: Reference, code: ChangedCode): boolean {
  return isGone(owner, code) && (owner.rule.kind === "text" ? !takesAddress(code.comparer.post, owner, relocation) : false);
}

function isGone(owner: Atom, code: ChangedCode): boolean {
  return owner.rule.kind === "data" ? owner.rule.area !== "always" : code.isGone(owner);
}

/** Makes a reader of a constant that moves read the new one. @param rewritten what is written into constants that stay where they are */
function moveReader(reader: Reference, constant: Atom, rewritten: readonly DataWrite[], code: ChangedCode, result: SettledConstants): void {
  const { owner, relocation } = reader;
  const name = atomName(constant);
  if (isGone(owner, code)) {
    if (!isUsedUp(reader, code)) result.refusals.push(refuse.constantHeld(name, atomName(owner)));
    return;
  }
  if (owner.rule.kind === "text") {
    if (!code.includeReader(owner, `constant ${name}`)) result.refusals.push(refuse.changedConstant(name, atomName(owner)));
    return;
  }
  const pre = code.comparer.twins.get(owner);
  const isNew = pre === undefined && owner.rule.kind === "data";
  if (isNew || result.replaced.has(owner)) return;
  if (owner.rule.kind !== "data" || owner.rule.perCpu === true || pre === undefined || !isPointer(relocation.type)) {
    result.refusals.push(refuse.changedConstant(name, atomName(owner)));
    return;
  }
  const own = rewritten.filter(({ post }) => post === owner);
  const end = relocation.offset + POINTER_SIZE;
  if (own.some(({ offset, size }) => relocation.offset >= offset && end <= offset + size)) return;
  // Any other object that changes itself is refused by its own name.
  if (own.length === 0 && code.comparer.differences(pre, owner).length > 0) return;
  result.writes.push({ pre, post: owner, offset: relocation.offset, size: POINTER_SIZE, pointer: relocation });
  if (own.length > 0) return;
  result.changed.push({
    name: atomName(owner),
    ...(pre.symbol === undefined ? {} : { pre: pre.symbol }),
    ...(owner.symbol === undefined ? {} : { post: owner.symbol }),
    how: "redirected",
  });
}
