import { noLongerExported, readExports } from "../../diff/atoms/exports.js";
import { TOO_LATE } from "../../diff/refusals.js";
import type { LinkageRefusal } from "../linkage/refusals.js";
import type { UnitDiff } from "../units/unit-diff.js";
import { hasEffect, type Leftover, type UnitPart } from "./cut-out.js";
import { noChange, notSafe } from "./refusals.js";

/** @throws Refusal the first one's code, if any unit has a change that is not safe */
export function refuseUnsafe(diffs: readonly UnitDiff[], further: readonly LinkageRefusal[] = []): void {
  const own = diffs.flatMap((entry) => entry.diff.refusals.map((refusal) => ({ entry, refusal })));
  // That some unit's initialization code has run is no reason to leave out what the others bring: it is noted.
  const isNoted = diffs.some(({ diff }) => diff.verdict === "changed") && own.every(({ refusal }) => TOO_LATE.has(refusal.code));
  const refusals = [...(isNoted ? [] : own), ...further].map(({ entry: { unit, lineOf }, refusal }) => ({
    unit: unit.path,
    refusal,
    line: lineOf(refusal.symbol),
  }));
  if (refusals.length > 0) throw notSafe(refusals);
}

/**
 * Leaves out targets of which nothing changes but that code is removed which nothing refers to any more. Where another file has a removed name, the running
 * kernel must be asked whether its code does, so such targets stay.
 * @param diffs all units that were compiled
 * @param notes what the user should know of the rest of the patch
 * @throws Refusal `no-change` (exit 66) if nothing of the running kernel would change
 */
export function requireEffect(parts: readonly UnitPart[], diffs: readonly UnitDiff[], notes: readonly string[]): UnitPart[] {
  const targets = new Set(parts.filter(hasEffect).map(({ unit }) => unit.target));
  if (targets.size > 0) return parts.filter((part) => targets.has(part.unit.target) || part.left.some(isNamedElsewhere));
  const details = diffs.map(({ unit, diff }) => {
    const { removed } = diff.functions;
    const named = parts.find((part) => part.unit === unit)?.left.find(isNamedElsewhere);
    if (removed.length === 0) return `${unit.path}: the same code before and after`;
    if (named !== undefined)
      return `${unit.path}: only code is removed; ${named.name} is still named in ${named.namedIn ?? ""}: code that calls it goes on with the old one`;
    return `${unit.path}: only code that nothing refers to any more is removed (${removed.map(({ name }) => name).join(", ")})`;
  });
  throw noChange([...details, ...notes, ...notesOf(diffs)]);
}

function isNamedElsewhere({ mayBeCalled, namedIn }: Leftover): boolean {
  return !mayBeCalled && namedIn !== undefined;
}

/** What is to be said of each unit. What one of them exports no more, and another one does, is exported as before. */
export function notesOf(diffs: readonly UnitDiff[]): string[] {
  const moved = new Set(diffs.flatMap(({ diff }) => [...readExports(diff.post).keys()]).map(noLongerExported));
  return diffs.flatMap(({ diff }) => diff.notes).filter((note) => !moved.has(note));
}
