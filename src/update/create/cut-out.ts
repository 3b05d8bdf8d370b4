import { readExports } from "../../diff/atoms/exports.js";
import { extractNewCode, piecesOf } from "../../diff/extract/extract-new-code.js";
import type { NewCode, NewCodeImport } from "../../diff/types.js";
import type { UnitDiff } from "../units/unit-diff.js";
import { importOfMoved, type MovedFunction } from "../linkage/moves.js";
import type { Linkage } from "../linkage/settle-linkage.js";

/** A function of the running kernel that is led to the new code of another unit. */
export interface Redirect {
  readonly name: string;
  /** Name of the old function in this unit's pre object. */
  readonly preSymbol: string;
  readonly preParts: readonly string[];
  /** The unit that has the new code, and the symbol there. */
  readonly to: UnitDiff;
  readonly newSymbol: string;
}

/** A function that the patch removes, and whose code stays. */
export interface Leftover {
  readonly name: string;
  readonly preParts: readonly string[];
  /** True if somebody may go on calling it; false if nothing in the running kernel may refer to it any more. */
  readonly mayBeCalled: boolean;
  /** A file that the patch does not touch, and that has the name. */
  readonly namedIn: string | undefined;
}

/** A unit that changes, with the new code that it brings. */
export interface UnitPart extends UnitDiff {
  readonly newCode: NewCode;
  /** Functions of this unit that another unit's new code replaces. */
  readonly redirects: readonly Redirect[];
  readonly left: readonly Leftover[];
  /** Changed functions that take or return something else: who calls them must be in the update. */
  readonly otherInterface: readonly string[];
  /** Changed functions in whose old code threads may stay. */
  readonly busy: readonly string[];
  /** Global names that the running kernel must not have yet. */
  readonly added: readonly string[];
}

/** Cuts the new code of all units that change out of their post objects, so that what belongs together finds each other. */
export function cutOut(diffs: readonly UnitDiff[], linkage: Linkage): UnitPart[] {
  const { moves, left, otherInterface, busy } = linkage;
  const exportedBefore = new Set(diffs.flatMap(({ diff }) => [...readExports(diff.pre).keys()]));
  return diffs
    .filter((entry) => entry.diff.verdict === "changed" || moves.functions.some(({ from }) => from.entry === entry))
    .map((entry): UnitPart => {
      const { target } = entry.unit;
      const here = [...moves.functions, ...moves.data].filter(({ to }) => to.entry === entry);
      const movedFunctions = new Map<string, NewCodeImport>();
      for (const move of moves.functions) if (move.to.entry.unit.target === target) movedFunctions.set(move.name, importOfMoved(move));
      const newCode = extractNewCode(entry.diff, {
        unit: entry.unit.path,
        elsewhere: new Map(here.map((move) => [move.to.atom, importOfMoved(move)])),
        movedFunctions,
        exportedBefore,
      });
      const redirects = moves.functions.filter(({ from }) => from.entry === entry).map(redirectOf);
      const replaced = new Set(redirects.map(({ preSymbol }) => preSymbol));
      return {
        ...entry,
        newCode: { ...newCode, functions: newCode.functions.filter(({ preSymbol }) => !replaced.has(preSymbol)) },
        redirects,
        left: left
          .filter((leftover) => leftover.entry === entry)
          .map(({ name, parts, mayBeCalled, namedIn }) => ({ name, preParts: parts, mayBeCalled, namedIn })),
        otherInterface: otherInterface.filter((other) => other.entry === entry).map(({ name }) => name),
        busy: busy.functions.filter((other) => other.entry === entry).map(({ name }) => name),
        added: moves.added.filter((name) => name.entry === entry).map(({ name }) => name),
      };
    });
}

function redirectOf({ name, from, to }: MovedFunction): Redirect {
  const preParts = piecesOf(from.entry.diff.analysis.pre).get(from.atom.symbol) ?? [];
  return { name, preSymbol: from.symbol.name, preParts, to: to.entry, newSymbol: to.symbol.name };
}

/** True if a part does something to the running kernel, once it is applied. */
export function hasEffect({ newCode, redirects }: UnitPart): boolean {
  return [newCode.functions, newCode.writes, newCode.exports, newCode.hooks, redirects].some((list) => list.length > 0);
}
