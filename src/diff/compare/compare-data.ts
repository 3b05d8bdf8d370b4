import { atomName, atomSize, isText, type Atom } from "../atoms/atom.js";
import type { Comparer } from "./compare.js";
import { findHandler, type Hook } from "./hooks.js";
import * as refuse from "../refusals.js";
import type { DataChange, DiffRefusal } from "../types.js";

export interface DataComparison {
  /** Objects that may be written to, and that change: all of them are refused. */
  changed: DataChange[];
  new: DataChange[];
  removed: DataChange[];
  refusals: DiffRefusal[];
  notes: string[];
  /** Names of data that only initialization code used, and that change. */
  init: string[];
  /** Constants that change, with their twins: what becomes of them depends on who reads them. */
  constants: { readonly pre: Atom; readonly post: Atom }[];
}

/** Compares named data. @param hooks those that the patch brings */
export function compareData(comparer: Comparer, hooks: readonly Hook[]): DataComparison {
  const result: DataComparison = { changed: [], new: [], removed: [], refusals: [], notes: [], init: [], constants: [] };
  const { pre, post, twins } = comparer;
  for (const atom of post.atoms) {
    if (isText(atom) || atom.rule.kind !== "data" || atom.symbol === undefined) continue;
    const twin = twins.get(atom);
    if (twin !== undefined) compareObject(comparer, hooks, twin, atom, result);
    else if (atom.rule.area === "core") result.new.push({ name: atom.symbol.name, post: atom.symbol });
  }
  const continued = new Set(twins.values());
  for (const atom of pre.atoms) {
    if (atom.rule.kind !== "data" || atom.rule.area !== "core" || atom.symbol === undefined || continued.has(atom)) continue;
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
  if (reasons.length === 0 && !moved) return;
  if (area !== "core" && twin.rule.kind === "data" && twin.rule.area !== "core") {
    result.init.push(name);
    return;
  }
  if (lineNumbers === true && !moved && atomSize(atom) === atomSize(twin)) return;
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
