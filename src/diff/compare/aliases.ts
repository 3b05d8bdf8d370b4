import { STB_LOCAL } from "../../elf/constants.js";
import { findAddressTaken } from "../atoms/address-taken.js";
import { isText, type Atom } from "../atoms/atom.js";
import type { Twins } from "./group.js";
import { isDeviceTableAlias, isPaddingName } from "../../elf/made-names.js";
import { isNumbered } from "../atoms/names.js";
import * as refuse from "../refusals.js";
import type { SplitObject } from "../atoms/split-object.js";
import type { DiffRefusal } from "../types.js";

/**
 * A name that stands for one thing before the patch and for another one after it: an alias that becomes a function of its own, two functions that become one.
 * The running kernel's callers of that name and of the other one share an address, or would have to. Static names whose address nobody takes are no matter,
 * as the compiler makes aliases of functions that read the same: all their callers are in the unit, and are compared.
 */
export function findChangedAliases(pre: SplitObject, post: SplitObject, twins: Twins): DiffRefusal[] {
  const before = new Map<string, Atom>();
  for (const [name, atom] of ownNames(pre)) before.set(name, atom);
  const taken = new Set([...findAddressTaken(pre), ...findAddressTaken(post)]);
  const isKnownOutside = (atom: Atom, name: string): boolean =>
    !isText(atom) || taken.has(atom) || atom.symbols.some((symbol) => symbol.name === name && symbol.bind !== STB_LOCAL);
  const refusals: DiffRefusal[] = [];
  for (const [name, atom] of ownNames(post)) {
    const other = before.get(name);
    if (other === undefined || twins.get(atom) === other || isText(atom) !== isText(other)) continue;
    if (isKnownOutside(atom, name) || isKnownOutside(other, name)) refusals.push(refuse.changedAlias(name, namesOf(other), namesOf(atom)));
  }
  return refusals;
}

function namesOf({ symbols }: Atom): string[] {
  return symbols.map(({ name }) => name).filter((name) => !isPaddingName(name));
}

/** The names of what stays in memory that mean one thing in the unit. */
function* ownNames(split: SplitObject): Generator<[name: string, atom: Atom]> {
  for (const atom of split.atoms) {
    if ((atom.rule.kind !== "text" && atom.rule.kind !== "data") || atom.rule.area !== "always") continue;
    for (const { name } of atom.symbols) if (!isNumbered(name) && !name.includes(".") && !isDeviceTableAlias(name)) yield [name, atom];
  }
}
