import { STB_LOCAL } from "../../elf/constants.js";
import { findAddressTaken } from "../../diff/atoms/address-taken.js";
import type { Analysis } from "../../diff/compare/analyse.js";
import { atomName, isText, type Atom } from "../../diff/atoms/atom.js";
import { isBranch } from "../../diff/atoms/branches.js";
import { groupPieces } from "../../diff/compare/changed-code.js";
import { readExports } from "../../diff/atoms/exports.js";
import type { UnitDiff } from "../units/unit-diff.js";
import type { BusyFunction } from "./busy-code.js";
import { keptCodeCallsChanged, keptCodeUsesChanged, type LinkageRefusal } from "./refusals.js";
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

/** Old code that goes on being run, for whatever reason. */
interface KeptFunction extends Pick<LeftFunction, "entry" | "atom" | "name"> {
  readonly why: string;
}

export interface KeptCode {
  readonly left: readonly LeftFunction[];
  /** Changed functions of external linkage that code which stays may call, with why that runs: their parameters must be the same. */
  readonly called: readonly { readonly entry: UnitDiff; readonly name: string; readonly why: string }[];
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
  /** Changed functions in whose old code threads may stay. */
  readonly busy: readonly BusyFunction[];
}

/**
 * What becomes of removed functions. None is made to trap: the old code stays as it is. Where it may still be called, what it calls must still be there,
 * for callers like it.
 */
export function settleRemoved(
  diffs: readonly UnitDiff[],
  names: readonly GlobalName[],
  { moved, taken: takenElsewhere, mentioned, busy }: Evidence,
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
  const { reached, ...found } = followCalls(left, busy, names);
  // What code that goes on calls may be called on as well.
  return { left: left.map((entry) => (reached.has(entry.atom) ? { ...entry, mayBeCalled: true } : entry)), ...found };
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
function followCalls(
  left: readonly LeftFunction[],
  busy: readonly BusyFunction[],
  names: readonly GlobalName[],
): Pick<KeptCode, "called" | "refusals"> & { readonly reached: ReadonlySet<Atom> } {
  const refusals: LinkageRefusal[] = [];
  const called: { entry: UnitDiff; name: string; why: string }[] = [];
  const removed = left.map((entry) => ({
    ...entry,
    why: `${entry.name} is removed by the patch, but its old code may go on being called`,
  }));
  const leftOf = new Map(removed.map((entry) => [entry.atom, entry]));
  const globals = new Map(names.map((entry) => [`${entry.target} ${entry.name}`, entry]));
  const running = new Set<KeptFunction>([
    ...removed.filter(({ mayBeCalled }) => mayBeCalled),
    ...busy.map((entry) => ({ ...entry, why: `threads may stay in the old code of ${entry.name} (ksplice_allow_busy, --allow-busy)` })),
  ]);
  // A set iterates over what is added to it meanwhile.
  for (const stays of running) {
    const { analysis } = stays.entry.diff;
    const changed = new Map([...analysis.twins].map(([post, pre]) => [pre, post]));
    const overwritten = new Set(analysis.writes.filter(({ pointer }) => pointer === undefined).map(({ pre }) => pre));
    for (const piece of piecesOf(stays, analysis))
      for (const relocation of piece.relocations) {
        const target = analysis.pre.target(relocation, piece);
        if (target.kind === "outside") {
          const definition = chosenOf(globals.get(`${stays.entry.unit.target} ${target.symbol.name}`)?.before ?? []);
          const next = definition === undefined ? undefined : leftOf.get(definition.atom);
          if (next !== undefined) running.add(next);
          else if (definition !== undefined) called.push({ entry: definition.entry, name: definition.symbol.name, why: stays.why });
          continue;
        }
        // Of code in which threads may stay, busy-code.ts tells.
        if (target.kind === "atom" && overwritten.has(target.atom) && leftOf.has(stays.atom))
          refusals.push(keptCodeUsesChanged(stays.entry, stays.name, stays.why, atomName(target.atom)));
        if (target.kind !== "atom" || !isText(target.atom) || target.atom === piece) continue;
        const next = leftOf.get(target.atom);
        if (next !== undefined) {
          running.add(next);
          continue;
        }
        const post = changed.get(target.atom);
        if (post === undefined || !analysis.included.has(post) || !isBranch(analysis.pre, piece, relocation)) continue;
        // The compiler knew all callers of a static function when it compiled the new one, and this one was not among them.
        if (target.atom.symbol?.bind === STB_LOCAL)
          refusals.push(keptCodeCallsChanged(stays.entry, stays.name, stays.why, atomName(target.atom)));
        else called.push({ entry: stays.entry, name: atomName(target.atom), why: stays.why });
      }
  }
  return { called, refusals, reached: new Set([...running].map(({ atom }) => atom)) };
}

function piecesOf({ atom }: KeptFunction, { pre }: Analysis): Atom[] {
  return [atom, ...(groupPieces(pre.atoms).get(atom) ?? [])];
}
