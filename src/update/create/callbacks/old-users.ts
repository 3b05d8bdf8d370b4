import { unitKey } from "../../../kbuild/types.js";
import type { Linkage } from "../../linkage/settle-linkage.js";
import type { UnitDiff } from "../../units/unit-diff.js";
import type { UnitPart } from "../cut-out.js";
import type { CallbackProof } from "./prove-callbacks.js";
import type { Break } from "./unit-text.js";

/**
 * Old code that may go on using a callback in the old way, where units know its struct: removed functions that may be called, code in which threads may stay, and what of a
 * unit changes without being in the update, so that a module which is loaded later brings it.
 */
export function findOldUsers(
  { callbacks, units }: CallbackProof,
  diffs: readonly UnitDiff[],
  { left, busy }: Pick<Linkage, "left" | "busy">,
  parts: readonly UnitPart[],
): Break[] {
  const [callback] = callbacks;
  if (callback === undefined) return [];
  const targets = new Set(parts.map(({ unit }) => unit.target));
  const hooks = diffs
    .filter(({ diff }) => diff.analysis.hooks.length > 0)
    .map(({ unit }): Break => ({ callback, place: unit.source, why: "it has hooks, which may use it while the old code is in place" }));
  const others = diffs
    .filter(({ unit }) => units.has(unitKey(unit)))
    .flatMap((entry): Break[] => {
      const { unit, diff } = entry;
      const breaks: Break[] = [];
      const add = (why: string): void => {
        breaks.push({ callback, place: unit.source, why });
      };
      for (const { name, mayBeCalled, entry: holder } of left)
        if (holder === entry && mayBeCalled) add(`${name} is removed, may be called on, and may use it in the old way`);
      for (const { name, entry: holder } of busy.functions)
        if (holder === entry) add(`threads may stay in the old code of ${name}, which may use it in the old way`);
      const isLeftOut = diff.verdict !== "no-change" && !targets.has(unit.target);
      if (diff.refusals.length > 0 || isLeftOut) add(`it changes, and not all of that is in the update (${unit.target})`);
      return breaks;
    });
  return [...hooks, ...others];
}
