import { atomName, atomSize, isText, type Atom } from "../atoms/atom.js";
import type { ChangedMark } from "./changed-marks.js";
import type { Comparer } from "./compare.js";
import { beginsAlike } from "./debug-descriptors.js";
import { findHandler, type Hook } from "./hooks.js";
import type { SpecialMemory } from "../atoms/section-rules.js";
import * as refuse from "../refusals.js";
import type { DataChange, DiffRefusal } from "../types.js";

export interface DataComparison {
  /** Objects that may be written to, and that change: all of them are refused. */
  changed: DataChange[];
  new: DataChange[];
  removed: DataChange[];
  refusals: DiffRefusal[];
  notes: string[];
  /** Data that become special only with the patch: whether they are was settled when the kernel started. */
  marks: ChangedMark[];
  /** Names of data that only initialization code used, and that change. */
  init: string[];
  /** Constants that change, with their twins: what becomes of them depends on who reads them. */
  constants: { readonly pre: Atom; readonly post: Atom }[];
}

/** Compares named data. @param hooks those that the patch brings */
export function compareData(comparer: Comparer, hooks: readonly Hook[]): DataComparison {
  const result: DataComparison = { changed: [], new: [], removed: [], refusals: [], notes: [], marks: [], init: [], constants: [] };
  const { pre, post, twins } = comparer;
  for (const atom of post.atoms) {
    if (isText(atom) || atom.rule.kind !== "data" || atom.symbol === undefined) continue;
    const twin = twins.get(atom);
    if (twin !== undefined) compareObject(comparer, hooks, twin, atom, result);
    else if (atom.rule.area === "always") result.new.push({ name: atom.symbol.name, post: atom.symbol });
  }
  const continued = new Set(twins.values());
  for (const atom of pre.atoms) {
    if (atom.rule.kind !== "data" || atom.rule.area !== "always" || atom.symbol === undefined || continued.has(atom)) continue;
    result.removed.push({ name: atom.symbol.name, pre: atom.symbol });
  }
  return result;
}

function compareObject(comparer: Comparer, hooks: readonly Hook[], twin: Atom, atom: Atom, result: DataComparison): void {
  if (atom.rule.kind !== "data" || atom.symbol === undefined) return;
  const name = atom.symbol.name;
  const { area, mutable, lineNumbers } = atom.rule;
  const reasons = comparer.differences(twin, atom);
  const moved =
    twin.rule.kind !== "data" || twin.rule.area !== area || twin.rule.mutable !== mutable || twin.rule.perCpu !== atom.rule.perCpu;
  if (!moved && area === "always" && !comparer.isPartOfCode(atom)) comparePlaces(twin, atom, result);
  if (reasons.length === 0 && !moved) return;
  if (area !== "always" && twin.rule.kind === "data" && twin.rule.area !== "always") {
    result.init.push(name);
    return;
  }
  if (lineNumbers === true && !moved && atomSize(atom) === atomSize(twin)) {
    if (!beginsAlike(twin, atom)) result.refusals.push(refuse.changedDebugMessages());
    return;
  }
  if (!mutable && !moved) {
    result.constants.push({ pre: twin, post: atom });
    return;
  }
  result.changed.push({ name, post: atom.symbol, ...(twin.symbol === undefined ? {} : { pre: twin.symbol }) });
  if (moved) result.refusals.push(refuse.changedDataKind(name, twin.section.name, atom.section.name));
  else if (atomSize(atom) !== atomSize(twin)) result.refusals.push(refuse.changedDataSize(name, atomSize(twin), atomSize(atom)));
  else {
    const handler = findHandler(hooks, comparer.post, atom);
    if (handler === undefined) result.refusals.push(refuse.changedData(name));
    else result.notes.push(`${name}: initial value changed; the patch's hook ${atomName(handler.function)} handles it`);
  }
}

/** What a list of data that are read-only is called, for those that it is read for too late. */
const READ_ONLY_DATA = "the list of data that are read-only once the kernel has started";

/** Where an object lies, in what kind of memory and at what addresses, was settled when the kernel started. */
function comparePlaces(twin: Atom, atom: Atom, result: DataComparison): void {
  const [before, after] = [memoryOf(twin), memoryOf(atom)];
  const name = atomName(atom);
  // It stays writable: nobody depends on a write that fails.
  if (before === undefined && after === "read-only") result.marks.push({ name, what: READ_ONLY_DATA });
  else if (before !== after)
    result.refusals.push(before === undefined ? refuse.specialMemory(name, after ?? "") : refuse.changedMemory(name, before));
  const [had, has] = [alignmentOf(twin), alignmentOf(atom)];
  if (atomSize(twin) !== atomSize(atom) || had === undefined || has === undefined) return;
  if (has > had && has > ANY_ACCESS) result.refusals.push(refuse.changedAlignment(name, had, has));
}

function memoryOf({ rule }: Atom): SpecialMemory | undefined {
  return rule.kind === "data" ? rule.memory : undefined;
}

/** Up to this alignment, code that expects it works without it. Bytes. */
const ANY_ACCESS = 8;

/** What is asked for an object that has a section of its own; undefined where others share it. */
function alignmentOf({ section, start, end }: Atom): number | undefined {
  return start === 0 && end === section.size ? section.align : undefined;
}
