import { isText, atomName, type Atom } from "../../diff/atoms/atom.js";
import { sourceFunction } from "../../diff/atoms/names.js";
import { groupPieces } from "../../diff/compare/changed-code.js";
import type { FunctionChange } from "../../diff/types.js";
import type { ElfObject } from "../../elf/model.js";
import type { UnitDiff } from "../units/unit-diff.js";
import { busyCodeUsesChanged, noBusyFunction, type LinkageRefusal } from "./refusals.js";

/** A changed function in whose old code threads may stay when the update is applied: it stays where it is, and they go on in it until they leave it. */
export interface BusyFunction {
  readonly entry: UnitDiff;
  readonly atom: Atom;
  readonly name: string;
  /** Further pieces of the old function, by their names in the pre object. */
  readonly parts: readonly string[];
  readonly change: FunctionChange;
}

export interface BusyCode {
  readonly functions: readonly BusyFunction[];
  /** Names that were asked for, and that no unit has as a changed function. */
  readonly unknown: readonly string[];
  readonly refusals: readonly LinkageRefusal[];
}

/** Where `ksplice_allow_busy()` leaves names (kmod/include/ksplice-patch.h). */
export const BUSY_SECTION = ".ksplice_busy";

/** The functions that `ksplice_allow_busy()` names in an object. */
export function readBusyNames(object: ElfObject): string[] {
  const texts = object.sections.filter(({ name }) => name === BUSY_SECTION).map(({ data }) => new TextDecoder().decode(data));
  return [...new Set(texts.flatMap((text) => text.split("\0").filter((name) => name !== "")))];
}

/**
 * Which functions may be busy, and which of those must not: where old code that goes on refers to data that is overwritten. What it calls is for
 * kept-code.ts, as of code that stays for other reasons.
 * @param allowed names, besides those that the patch itself gives
 */
export function findBusyCode(diffs: readonly UnitDiff[], allowed: readonly string[]): BusyCode {
  const refusals: LinkageRefusal[] = [];
  const functions = diffs.flatMap((entry): BusyFunction[] => {
    const inPatch = readBusyNames(entry.diff.post);
    const found = findChanged(entry, new Set([...inPatch, ...allowed]));
    const before = readBusyNames(entry.diff.pre);
    for (const name of inPatch.filter((name) => !before.includes(name)))
      if (!found.some((busy) => isNamed(busy.change, name))) refusals.push(noBusyFunction(entry, name));
    return found;
  });
  for (const busy of functions)
    for (const data of findOverwritten(busy)) refusals.push(busyCodeUsesChanged(busy.entry, busy.name, atomName(data)));
  return { functions, unknown: allowed.filter((name) => !functions.some(({ change }) => isNamed(change, name))), refusals };
}

function findChanged(entry: UnitDiff, names: ReadonlySet<string>): BusyFunction[] {
  if (names.size === 0) return [];
  const { pre } = entry.diff.analysis;
  const pieces = groupPieces(pre.atoms);
  return entry.diff.functions.changed.flatMap((change): BusyFunction[] => {
    if (![...names].some((name) => isNamed(change, name))) return [];
    const atom = pre.atoms.find((candidate) => isText(candidate) && candidate.symbol === change.pre);
    if (atom === undefined) return [];
    return [{ entry, atom, name: change.name, parts: (pieces.get(atom) ?? []).map(atomName), change }];
  });
}

function isNamed({ name }: FunctionChange, wanted: string): boolean {
  return name === wanted || sourceFunction(name) === wanted;
}

/** Existing objects that the update overwrites, and that the old code refers to. */
function findOverwritten({ entry, atom }: BusyFunction): Atom[] {
  const { pre, writes } = entry.diff.analysis;
  const written = new Set(writes.map((write) => write.pre));
  if (written.size === 0) return [];
  const used = [atom, ...(groupPieces(pre.atoms).get(atom) ?? [])].flatMap((piece) =>
    piece.relocations.flatMap((relocation) => {
      const target = pre.target(relocation, piece);
      return target.kind === "atom" && written.has(target.atom) ? [target.atom] : [];
    }),
  );
  return [...new Set(used)];
}
