import { atomSize, isText, type Atom } from "../../diff/atom.js";
import { analysisOf } from "../../diff/diff-objects.js";
import type { SplitObject } from "../../diff/split-object.js";
import type { UnitDiff } from "../create-update.js";
import { renamedGlobal, type LinkageRefusal } from "./refusals.js";
import type { GlobalName } from "./symbol-table.js";

/**
 * A variable that goes from all units and another one of its kind and size that comes, and a function that uses the one before and the other after the patch:
 * whether that is one object under a new name nobody can tell. (Within a unit the differ asks the same.)
 */
export function findRenamedGlobals(diffs: readonly UnitDiff[], names: readonly GlobalName[]): LinkageRefusal[] {
  const isVariable = ({ atom }: { readonly atom: Atom }): boolean => atom.rule.kind === "data" && atom.rule.mutable;
  const gone = names.filter(({ before, after }) => after.length === 0 && before.some(isVariable) && !before.some(hasTwin));
  const come = names.filter(({ before, after }) => before.length === 0 && after.some(isVariable) && !after.some(isTwin));
  if (gone.length === 0 || come.length === 0) return [];
  const refusals: LinkageRefusal[] = [];
  for (const entry of diffs) {
    const { pre, post, twins } = analysisOf(entry.diff);
    for (const [user, twin] of twins) {
      if (!isText(user)) continue;
      const [used, uses] = [namesUsedBy(pre, twin), namesUsedBy(post, user)];
      for (const old of gone)
        for (const now of come)
          if (used.has(old.name) && uses.has(now.name) && isOneKind(old.before[0]?.atom, now.after[0]?.atom))
            refusals.push(renamedGlobal(entry, old.name, now.name, user.symbol?.name ?? "a function"));
    }
  }
  return refusals;
}

function hasTwin({ entry, atom }: { readonly entry: UnitDiff; readonly atom: Atom }): boolean {
  return [...analysisOf(entry.diff).twins.values()].includes(atom);
}

function isTwin({ entry, atom }: { readonly entry: UnitDiff; readonly atom: Atom }): boolean {
  return analysisOf(entry.diff).twins.has(atom);
}

function isOneKind(a: Atom | undefined, b: Atom | undefined): boolean {
  if (a?.rule.kind !== "data" || b?.rule.kind !== "data") return false;
  return a.rule.perCpu === b.rule.perCpu && atomSize(a) === atomSize(b);
}

/** Names of objects of other units, and of this one. */
function namesUsedBy(split: SplitObject, atom: Atom): ReadonlySet<string> {
  return new Set(
    atom.relocations.flatMap((relocation) => {
      const target = split.target(relocation, atom);
      if (target.kind === "outside") return [target.symbol.name];
      return target.kind === "atom" && target.atom.symbol !== undefined ? [target.atom.symbol.name] : [];
    }),
  );
}
