import { STB_LOCAL } from "../../elf/constants.js";
import { findAddressTaken } from "../atoms/address-taken.js";
import { atomName, isText, type Atom } from "../atoms/atom.js";
import type { ChangedCode } from "./changed-code.js";
import type { Comparer } from "./compare.js";
import { findHandler, type Hook } from "./hooks.js";
import * as refuse from "../refusals.js";
import type { SplitObject } from "../atoms/split-object.js";
import type { DiffRefusal } from "../types.js";

/**
 * What new code and initialization code have to do with each other. That code has run, with the old source, and its memory has been given back: nothing may
 * lead there, and what it would have filled is empty.
 * @param carried what the update brings
 */
export function checkInitReferences(
  { comparer, code }: { readonly comparer: Comparer; readonly code: ChangedCode },
  carried: ReadonlySet<Atom>,
  hooks: readonly Hook[],
): DiffRefusal[] {
  const { post, twins } = comparer;
  const refusals: DiffRefusal[] = [];
  const isGone = (atom: Atom): boolean => (atom.rule.kind === "data" ? atom.rule.area === "init" : code.isGone(atom));
  for (const owner of carried) {
    if (isGone(owner)) continue;
    for (const target of targetsOf(post, owner)) {
      // Code that did so before knows when it may (__ref).
      if (isGone(target) && !refersAsBefore(comparer, owner, target))
        refusals.push(refuse.initReference(atomName(owner), atomName(target)));
    }
  }
  const usedUp = findUsedUp(post, isGone);
  const lasting = new Set([...carried].filter((owner) => !usedUp.has(owner)).flatMap((owner) => [...targetsOf(post, owner)]));
  // What only code reads that has run matters to nobody; a global one, other units may read.
  const isRead = (atom: Atom): boolean => lasting.has(atom) || atom.symbols.some(({ bind }) => bind !== STB_LOCAL);
  const states = [...carried].filter((atom) => atom.rule.kind === "data" && atom.rule.mutable && !twins.has(atom) && isRead(atom));
  for (const owner of usedUp) {
    for (const target of targetsOf(post, owner)) {
      if (states.includes(target) && findHandler(hooks, post, target) === undefined)
        refusals.push(refuse.filledByInit(atomName(target), atomName(owner)));
    }
  }
  return refusals;
}

/** What is gone from memory, and static functions that nothing else leads to: they have run for the last time. */
export function findUsedUp(post: SplitObject, isGone: (atom: Atom) => boolean): ReadonlySet<Atom> {
  const usedUp = new Set(post.atoms.filter(isGone));
  const referrers = new Map<Atom, Set<Atom>>();
  for (const owner of post.atoms)
    for (const target of targetsOf(post, owner)) referrers.set(target, (referrers.get(target) ?? new Set()).add(owner));
  // Whoever initialization code gave the address to may call it at any time.
  const handedOut = findAddressTaken(post);
  const isLeft = (atom: Atom): boolean => {
    const users = [...(referrers.get(atom) ?? [])];
    const isLocal = atom.symbols.every(({ bind }) => bind === STB_LOCAL);
    return (
      isText(atom) && isLocal && !handedOut.has(atom) && users.length > 0 && !usedUp.has(atom) && users.every((user) => usedUp.has(user))
    );
  };
  for (let found: readonly Atom[] = [...usedUp]; found.length > 0;) {
    found = post.atoms.filter(isLeft);
    for (const atom of found) usedUp.add(atom);
  }
  return usedUp;
}

function targetsOf(split: SplitObject, owner: Atom): Set<Atom> {
  const targets = owner.relocations.map((relocation) => split.target(relocation, owner));
  return new Set(targets.flatMap((target) => (target.kind === "atom" && target.atom !== owner ? [target.atom] : [])));
}

function refersAsBefore({ pre, twins }: Comparer, owner: Atom, target: Atom): boolean {
  const [before, wanted] = [twins.get(owner), twins.get(target)];
  return isText(owner) && before !== undefined && wanted !== undefined && targetsOf(pre, before).has(wanted);
}
