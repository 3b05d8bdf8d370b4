import { STB_LOCAL } from "../../elf/constants.js";
import type { ElfRelocation } from "../../elf/model.js";
import { equalBytes, isText, type Atom } from "../atoms/atom.js";
import { findAddressTaken } from "../atoms/address-taken.js";
import { isBranch, nextCall } from "../atoms/branches.js";
import { coldParent } from "../../elf/made-names.js";
import { isNumbered } from "../atoms/names.js";
import type { SplitObject } from "../atoms/split-object.js";

/**
 * Static functions that a patch calls by another name: what held a pointer to the one holds a pointer to the other, at the same places, and nothing says otherwise.
 * Live objects have copies of such pointers (a timer, an inode), so the old function must lead to the new one. Only functions whose address is taken count: who
 * calls a static function directly is in the same unit, and is compiled again.
 * @param twins atoms that are the same on both sides
 * @returns the pre atom by the post atom
 */
export function findRenamedFunctions(pre: SplitObject, post: SplitObject, twins: ReadonlyMap<Atom, Atom>): Map<Atom, Atom> {
  const continued = new Set(twins.values());
  const mayBeRenamed = (atom: Atom): boolean =>
    isText(atom) &&
    atom.rule.kind === "text" &&
    atom.rule.area === "always" &&
    atom.symbol?.bind === STB_LOCAL &&
    !isNumbered(atom.symbol.name) &&
    coldParent(atom.symbol.name) === undefined;
  const successors = new Map<Atom, Set<Atom | undefined>>();
  const predecessors = new Map<Atom, Set<Atom>>();
  for (const [postOwner, preOwner] of twins)
    for (const [before, after] of samePlaces(preOwner, postOwner)) {
      if (isBranch(pre, preOwner, before)) continue;
      const [from, to] = [functionAt(pre, before, preOwner), functionAt(post, after, postOwner)];
      if (from === undefined || continued.has(from) || !mayBeRenamed(from)) continue;
      const [given, givenNow] = [
        { split: pre, owner: preOwner, field: before },
        { split: post, owner: postOwner, field: after },
      ];
      if (isText(preOwner) && !isGivenAlike(given, givenNow, twins, continued)) continue;
      const isNew = to !== undefined && !twins.has(to) && mayBeRenamed(to);
      successors.set(from, (successors.get(from) ?? new Set()).add(isNew ? to : undefined));
      if (isNew) predecessors.set(to, (predecessors.get(to) ?? new Set()).add(from));
    }
  const renamed = new Map<Atom, Atom>();
  for (const [from, after] of successors) {
    const [to] = after;
    if (to !== undefined && after.size === 1 && predecessors.get(to)?.size === 1) renamed.set(to, from);
  }
  return renamed;
}

/** A field of code that holds an address. */
interface Given {
  readonly split: SplitObject;
  readonly owner: Atom;
  readonly field: ElfRelocation;
}

/**
 * True where two functions give an address away alike: to the same register or member, before the same call. Of a function that changes the order alone says little:
 * what was an interrupt's handler may be the name of its thread's now, or the two timers of a device are set up the other way round.
 */
function isGivenAlike(before: Given, after: Given, twins: ReadonlyMap<Atom, Atom>, continued: ReadonlySet<Atom>): boolean {
  if (!equalBytes(instructionInFront(before), instructionInFront(after))) return false;
  const [had, has] = [before, after].map(({ split, owner, field }) => nextCall(split, owner, field));
  if (had === undefined || has === undefined) return had === has;
  const [was, is] = [before.split.target(had, before.owner), after.split.target(has, after.owner)];
  if (was.kind === "atom" && is.kind === "atom") {
    const twin = twins.get(is.atom);
    // One that goes and one that comes: it may be renamed, too.
    return twin === was.atom || (twin === undefined && !continued.has(was.atom));
  }
  return was.kind === "outside" && is.kind === "outside" && was.symbol.name === is.symbol.name;
}

/** The bytes of the instruction that has the field, in front of it: what becomes of the address. */
function instructionInFront({ split, owner, field }: Given): Uint8Array {
  const instruction = split.arch.code.decode(owner.data).find(({ offset, size }) => field.offset < offset + size);
  return owner.data.subarray(instruction?.offset ?? 0, field.offset);
}

/** A function whose name another one has with the patch. */
export interface ExchangedName {
  readonly after: Atom;
  /** What stood before the patch where the name's function stands after it. */
  readonly before: Atom;
}

/**
 * Functions that changed and whose address is held, where all that held another function's address holds theirs with the patch, and that other one changed too or is
 * gone: the name has gone from one to the other, and what is alive and holds the pointer of that name would come to code that is meant for other objects.
 * @param included code that is replaced
 */
export function findExchangedNames(
  pre: SplitObject,
  post: SplitObject,
  twins: ReadonlyMap<Atom, Atom>,
  included: ReadonlySet<Atom>,
): ExchangedName[] {
  const successor = new Map([...twins].map(([after, before]) => [before, after]));
  const isOther = (atom: Atom): boolean => {
    const after = successor.get(atom);
    return after === undefined || included.has(after);
  };
  const held = findAddressTaken(pre);
  const kept = new Set<Atom>();
  const exchanged = new Map<Atom, Atom>();
  for (const [postOwner, preOwner] of twins)
    for (const [before, after] of samePlaces(preOwner, postOwner)) {
      if (isBranch(pre, preOwner, before)) continue;
      const [from, to] = [functionAt(pre, before, preOwner), functionAt(post, after, postOwner)];
      const named = to === undefined ? undefined : twins.get(to);
      if (from === undefined || to === undefined || named === undefined) continue;
      if (named === from) kept.add(to);
      else if (included.has(to) && held.has(named) && isOther(from)) exchanged.set(to, from);
    }
  return [...exchanged].filter(([after]) => !kept.has(after)).map(([after, before]) => ({ after, before }));
}

/** Relocations of two correlated atoms that stand at the same place: in data at the same offset, in code as the same of as many. */
function samePlaces(pre: Atom, post: Atom): [ElfRelocation, ElfRelocation][] {
  if (isText(pre)) {
    if (pre.relocations.length !== post.relocations.length) return [];
    return pre.relocations.flatMap((relocation, index): [ElfRelocation, ElfRelocation][] => {
      const other = post.relocations[index];
      return other === undefined ? [] : [[relocation, other]];
    });
  }
  const byOffset = new Map(post.relocations.map((relocation) => [relocation.offset, relocation]));
  return pre.relocations.flatMap((relocation): [ElfRelocation, ElfRelocation][] => {
    const other = byOffset.get(relocation.offset);
    return other === undefined ? [] : [[relocation, other]];
  });
}

/** The function that a relocation refers to the start of. */
function functionAt(split: SplitObject, relocation: ElfRelocation, owner: Atom): Atom | undefined {
  const target = split.target(relocation, owner);
  return target.kind === "atom" && isText(target.atom) ? target.atom : undefined;
}
