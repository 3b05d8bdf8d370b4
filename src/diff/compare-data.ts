import { STB_LOCAL } from "../elf/constants.js";
import { atomName, atomSize, isText, type Atom } from "./atom.js";
import type { Comparer } from "./compare.js";
import { findHandler, type Hook } from "./hooks.js";
import { normalName } from "./names.js";
import * as refuse from "./refusals.js";
import type { DataChange, DiffRefusal } from "./types.js";

export interface DataComparison {
  changed: DataChange[];
  new: DataChange[];
  removed: DataChange[];
  refusals: DiffRefusal[];
  notes: string[];
  /** Changed constants that only included code reads. */
  replaced: Set<Atom>;
}

/**
 * Compares named data and what the kernel registers at start.
 * @param included the code of the post object that the update brings
 * @param hooks those that it brings
 */
export function compareData(comparer: Comparer, included: ReadonlySet<Atom>, hooks: readonly Hook[]): DataComparison {
  const result: DataComparison = { changed: [], new: [], removed: [], refusals: [], notes: [], replaced: new Set() };
  const { pre, post, twins } = comparer;
  const readers = findReaders(comparer);
  for (const atom of post.atoms) {
    if (isText(atom)) continue;
    const twin = twins.get(atom);
    if (atom.rule.kind === "data" && atom.symbol !== undefined) compareObject(atom, twin);
  }
  const continued = new Set(twins.values());
  for (const atom of pre.atoms) {
    if (atom.rule.kind !== "data" || atom.rule.area !== "core" || atom.symbol === undefined || continued.has(atom)) continue;
    result.removed.push({ name: atom.symbol.name, pre: atom.symbol });
  }
  compareRegistrations(comparer, result.refusals);
  return result;

  function compareObject(atom: Atom, twin: Atom | undefined): void {
    if (atom.rule.kind !== "data" || atom.symbol === undefined) return;
    const name = atom.symbol.name;
    const { area, mutable, lineNumbers } = atom.rule;
    if (twin === undefined) {
      if (area === "core") result.new.push({ name, post: atom.symbol });
      return;
    }
    const reasons = comparer.differences(twin, atom);
    const moved =
      twin.rule.kind !== "data" || twin.rule.area !== area || twin.rule.mutable !== mutable || twin.rule.perCpu !== atom.rule.perCpu;
    if (reasons.length === 0 && !moved) return;
    if (area !== "core" && twin.rule.kind === "data" && twin.rule.area !== "core") {
      result.notes.push(`changed initialization data has been used already: ${name}`);
      return;
    }
    if (lineNumbers === true && !moved && atomSize(atom) === atomSize(twin)) return;
    const change: DataChange = { name, post: atom.symbol, ...(twin.symbol === undefined ? {} : { pre: twin.symbol }) };
    result.changed.push(change);
    if (moved) result.refusals.push(refuse.changedDataKind(name, twin.section.name, atom.section.name));
    else if (!mutable) {
      const staying = [...(readers.get(atom) ?? [])].find((reader) => !included.has(reader));
      if (atom.symbol.bind !== STB_LOCAL) result.refusals.push(refuse.changedConstant(name, undefined));
      else if (staying !== undefined) result.refusals.push(refuse.changedConstant(name, atomName(staying)));
      else result.replaced.add(atom);
    } else if (atomSize(atom) !== atomSize(twin)) {
      result.refusals.push(refuse.changedDataSize(name, atomSize(twin), atomSize(atom)));
    } else {
      const handler = findHandler(hooks, post, atom);
      if (handler === undefined) result.refusals.push(refuse.changedData(name));
      else result.notes.push(`${name}: initial value changed; the patch's hook ${atomName(handler.function)} handles it`);
    }
  }
}

/** What refers to each data atom of the post object. */
function findReaders({ post }: Comparer): Map<Atom, Set<Atom>> {
  const readers = new Map<Atom, Set<Atom>>();
  for (const owner of post.atoms)
    for (const relocation of owner.relocations) {
      const target = post.target(relocation, owner);
      if (target.kind !== "atom" || target.atom === owner || isText(target.atom)) continue;
      const of = readers.get(target.atom);
      if (of === undefined) readers.set(target.atom, new Set([owner]));
      else of.add(owner);
    }
  return readers;
}

/** Registered entries have to be the same on both sides, whatever their order. */
function compareRegistrations(comparer: Comparer, refusals: DiffRefusal[]): void {
  const { pre, post } = comparer;
  const left = new Map<string, Atom[]>();
  for (const atom of pre.atoms) {
    if (atom.rule.kind !== "registered") continue;
    const key = registrationKey(atom);
    left.set(key, [...(left.get(key) ?? []), atom]);
  }
  for (const atom of post.atoms) {
    if (atom.rule.kind !== "registered") continue;
    const candidates = left.get(registrationKey(atom)) ?? [];
    const index = candidates.findIndex((candidate) => comparer.differences(candidate, atom).length === 0);
    const how = candidates.length === 0 ? "appears" : "changes";
    if (index < 0) refusals.push(refuse.changedRegistration(atom.rule.code, atom.rule.what, registrationName(atom), how));
    candidates.splice(Math.max(index, 0), 1);
  }
  for (const atoms of left.values())
    for (const atom of atoms)
      if (atom.rule.kind === "registered")
        refusals.push(refuse.changedRegistration(atom.rule.code, atom.rule.what, registrationName(atom), "is removed"));
}

function registrationKey(atom: Atom): string {
  return `${normalName(atom.section.name)} ${normalName(atom.symbol?.name ?? "")}`;
}

/** What the macros put in front of the name of the thing that is registered. */
const REGISTRATION_PREFIX = /^__(ksymtab|crc|kcrctab|export_symbol|param|tracepoint|setup|syscall_meta_|bpf_trace_tp_map)_(?=.)/;

function registrationName(atom: Atom): string {
  return atom.symbol === undefined ? `section ${atom.section.name}` : atom.symbol.name.replace(REGISTRATION_PREFIX, "");
}
