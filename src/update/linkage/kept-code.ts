import { STB_LOCAL } from "../../elf/constants.js";
import { findAddressTaken } from "../../diff/atoms/address-taken.js";
import type { Analysis } from "../../diff/compare/analyse.js";
import { atomName, isText, type Atom } from "../../diff/atoms/atom.js";
import { isBranch } from "../../diff/atoms/branches.js";
import { groupPieces } from "../../diff/compare/compare-code.js";
import { readExports } from "../../diff/atoms/exports.js";
import type { UnitDiff } from "../units/unit-diff.js";
import { keptCodeCallsChanged, type LinkageRefusal } from "./refusals.js";
import { chosenOf, type GlobalName } from "./symbol-table.js";

/** A function that the patch removes, and whose code stays in memory. */
export interface LeftFunction {
  readonly entry: UnitDiff;
  readonly atom: Atom;
  readonly name: string;
  /** Its further pieces in the pre object. */
  readonly parts: readonly string[];
  /** True if somebody may go on calling it: its address was taken, or it was exported. */
  readonly mayBeCalled: boolean;
  /**
   * A file that the patch does not touch, and that has the name. If it means this function it means another definition after the patch (one of another target,
   * a weak one), and the running kernel's callers are those of the old one: that is looked up there.
   */
  readonly namedIn: string | undefined;
}

export interface KeptCode {
  readonly left: readonly LeftFunction[];
  /** Changed functions of external linkage that code which stays may call, with who does: their parameters must be the same. */
  readonly called: readonly { readonly entry: UnitDiff; readonly name: string; readonly by: string }[];
  readonly refusals: readonly LinkageRefusal[];
}

/** What is known of names besides their definitions. */
export interface Evidence {
  /** Functions that are led to another unit's code: target and name. */
  readonly moved: ReadonlySet<string>;
  /** Names that some unit takes as a value, {@link takenAsValues}, or that BPF programs may call. */
  readonly taken: ReadonlySet<string>;
  /** Names of removed functions that files which the patch does not touch have, with such a file. */
  readonly mentioned: ReadonlyMap<string, string>;
}

/**
 * What becomes of removed functions. None is made to trap: the old code stays as it is. Where it may still be called, what it calls must still be there,
 * for callers like it.
 */
export function settleRemoved(
  diffs: readonly UnitDiff[],
  names: readonly GlobalName[],
  { moved, taken: takenElsewhere, mentioned }: Evidence,
): KeptCode {
  const left: LeftFunction[] = diffs.flatMap((entry) => {
    const { analysis } = entry.diff;
    const taken = findAddressTaken(analysis.pre);
    const exported = new Set([...readExports(entry.diff.pre).values()].map(({ symbol }) => symbol.name));
    const groups = groupPieces(analysis.pre.atoms);
    return removedAtoms(entry, analysis).flatMap((atom): LeftFunction[] => {
      const name = atomName(atom);
      const globals = atom.symbols.filter(({ bind }) => bind !== STB_LOCAL).map((symbol) => symbol.name);
      if (globals.some((global) => moved.has(`${entry.unit.target} ${global}`))) return [];
      const isHeld = taken.has(atom) || globals.some((global) => exported.has(global) || takenElsewhere.has(global));
      const namedIn = globals.map((global) => mentioned.get(global)).find((file) => file !== undefined);
      return [{ entry, atom, name, parts: (groups.get(atom) ?? []).map(atomName), mayBeCalled: isHeld, namedIn }];
    });
  });
  return { left, ...followCalls(left, names) };
}

function removedAtoms({ diff }: UnitDiff, { pre }: Analysis): Atom[] {
  const symbols = new Set(diff.functions.removed.map(({ pre: symbol }) => symbol));
  return pre.atoms.filter((atom) => isText(atom) && symbols.has(atom.symbol));
}

/** Names of other units' functions that some unit takes as a value before the patch. */
export function takenAsValues(diffs: readonly UnitDiff[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { diff } of diffs) {
    const { pre } = diff.analysis;
    for (const owner of pre.atoms)
      for (const relocation of owner.relocations) {
        const target = pre.target(relocation, owner);
        if (target.kind === "outside" && !isBranch(pre, owner, relocation)) names.add(target.symbol.name);
      }
  }
  return names;
}

/** Follows the calls of code that stays and may run. */
function followCalls(left: readonly LeftFunction[], names: readonly GlobalName[]): Pick<KeptCode, "called" | "refusals"> {
  const refusals: LinkageRefusal[] = [];
  const called: { entry: UnitDiff; name: string; by: string }[] = [];
  const leftOf = new Map(left.map((entry) => [entry.atom, entry]));
  const globals = new Map(names.map((entry) => [`${entry.target} ${entry.name}`, entry]));
  const running = new Set(left.filter(({ mayBeCalled }) => mayBeCalled));
  // A set iterates over what is added to it meanwhile.
  for (const stays of running) {
    const { analysis } = stays.entry.diff;
    const changed = new Map([...analysis.twins].map(([post, pre]) => [pre, post]));
    for (const piece of piecesOf(stays, analysis))
      for (const relocation of piece.relocations) {
        const target = analysis.pre.target(relocation, piece);
        if (target.kind === "outside") {
          const definition = chosenOf(globals.get(`${stays.entry.unit.target} ${target.symbol.name}`)?.before ?? []);
          const next = definition === undefined ? undefined : leftOf.get(definition.atom);
          if (next !== undefined) running.add(next);
          else if (definition !== undefined) called.push({ entry: definition.entry, name: definition.symbol.name, by: stays.name });
          continue;
        }
        if (target.kind !== "atom" || !isText(target.atom) || target.atom === piece) continue;
        const next = leftOf.get(target.atom);
        if (next !== undefined) {
          running.add(next);
          continue;
        }
        const post = changed.get(target.atom);
        if (post === undefined || !analysis.included.has(post) || !isBranch(analysis.pre, piece, relocation)) continue;
        // The compiler knew all callers of a static function when it compiled the new one, and this one was not among them.
        if (target.atom.symbol?.bind === STB_LOCAL) refusals.push(keptCodeCallsChanged(stays.entry, stays.name, atomName(target.atom)));
        else called.push({ entry: stays.entry, name: atomName(target.atom), by: stays.name });
      }
  }
  return { called, refusals };
}

function piecesOf({ atom }: LeftFunction, { pre }: Analysis): Atom[] {
  return [atom, ...(groupPieces(pre.atoms).get(atom) ?? [])];
}
