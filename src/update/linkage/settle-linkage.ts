import { findAddressTaken } from "../../diff/atoms/address-taken.js";
import { readExports } from "../../diff/atoms/exports.js";
import { MODULE_CALLS } from "../../diff/compare/module-calls.js";
import { STB_LOCAL } from "../../elf/constants.js";
import type { UnitDiff } from "../units/unit-diff.js";
import type { TouchedText } from "../units/touched-texts.js";
import { findCallbackArguments } from "./callback-arguments.js";
import { findCalledByBpf } from "./called-by-bpf.js";
import { findChangedTypes } from "./changed-types.js";
import { findBusyCode, type BusyCode, type BusyFunction } from "./busy-code.js";
import { findDroppedState, findFoldedState } from "./dropped-state.js";
import { findDumpPointers } from "./dump-places.js";
import { findMovedElements } from "./moved-elements.js";
import { findNewlyFilled } from "./newly-filled.js";
import { findNotedCallbacks } from "./noted-callbacks.js";
import { findObjectSizes } from "./object-sizes.js";
import { findPerCpuPointers } from "./per-cpu-pointers.js";
import { settleRemoved, takenAsValues, type KeptCode, type LeftFunction } from "./kept-code.js";
import { findMovedCallbacks, findMoves, findMovesToOtherTargets, type Moves } from "./moves.js";
import type { Prototypes, UnitFunction } from "./prototypes.js";
import { changedInterface, type LinkageRefusal } from "./refusals.js";
import { findFilledByInit, findSplitState } from "./split-state.js";
import { tabulateNames } from "./symbol-table.js";
import { findTakenBackElsewhere } from "./taken-back.js";
import { functionKey } from "./together.js";

/** How the units of an update belong together: one table of names for all of them, before the patch and after it. docs/soundness.md has the rules. */
export interface Linkage {
  readonly moves: Moves;
  /** Removed functions, whose code stays. */
  readonly left: readonly LeftFunction[];
  /** Changed functions with other parameters or another result: nobody who is not in the update may call them. */
  readonly otherInterface: readonly { readonly entry: UnitDiff; readonly name: string }[];
  /** In whose old code threads may stay. */
  readonly busy: BusyCode;
  readonly refusals: readonly LinkageRefusal[];
}

export interface LinkageContext {
  /** What the patch touches. */
  readonly texts: readonly TouchedText[];
  readonly prototypes: Pick<Prototypes, "difference">;
  /** Functions that may be busy, besides those that the patch names. */
  readonly allowedBusy: readonly string[];
  /** Functions that only callbacks hold which change together with all who call them, by {@link functionKey}. Default: none. */
  readonly together?: ReadonlySet<string>;
  /** Which of some names a file mentions that the patch does not touch: the first such file, by name. */
  readonly findMentions: (names: readonly string[]) => Promise<ReadonlyMap<string, string>>;
}

/** @param diffs all units that were compiled, whether they changed or not. @throws Refusal where a unit does not compile */
export async function settleLinkage(diffs: readonly UnitDiff[], context: LinkageContext): Promise<Linkage> {
  const names = tabulateNames(diffs);
  const moves = findMoves(names);
  const moved = new Set(moves.functions.map(({ name, from }) => `${from.entry.unit.target} ${name}`));
  const removed = diffs.flatMap(({ diff }) => diff.functions.removed.filter(({ pre }) => pre !== undefined && pre.bind !== STB_LOCAL));
  const mentions = await context.findMentions(removed.map(({ name }) => name));
  const calledByBpf = findCalledByBpf(diffs, context.texts);
  const taken = new Set([...takenAsValues(diffs), ...calledByBpf]);
  const busy = findBusyCode(diffs, context.allowedBusy);
  const kept = settleRemoved(diffs, names, { moved, taken, mentioned: mentions, busy: busy.functions });
  const together = new Set([...(context.together ?? [])].filter((key) => !calledByBpf.has(key.slice(key.lastIndexOf(" ") + 1))));
  const questions = [
    ...askOfHeld(diffs, taken, together),
    ...askOfMoved(moves),
    ...kept.called.map(askOfCalled),
    ...busy.functions.map(askOfBusy),
  ];
  const refusals = [
    ...moves.refusals,
    ...findMovesToOtherTargets(diffs, moves.added, kept.left),
    ...findMovedCallbacks(diffs, kept.left),
    ...kept.refusals,
    ...busy.refusals,
    ...findSplitState(diffs, names, moves),
    ...findFilledByInit(diffs, names, moves),
    ...findNewlyFilled(diffs, context.texts),
    ...findDroppedState(diffs, context.texts, moves),
    ...findFoldedState(diffs, context.texts, moves),
    ...findChangedTypes(diffs, context.texts, moves),
    ...findMovedElements(diffs, context.texts),
    ...findObjectSizes(diffs, context.texts),
    ...findNotedCallbacks(diffs, context.texts),
    ...findPerCpuPointers(diffs, context.texts),
    ...findDumpPointers(diffs, context.texts),
    ...findCallbackArguments(diffs, context.texts),
    ...findTakenBackElsewhere(diffs, context.texts),
  ];
  // Who calls those in the old way is replaced, and who else has their names was looked for.
  const judged = new Set(together);
  for (const { entry, from, to, why } of questions) {
    const difference = await context.prototypes.difference(
      functionOf(from.entry ?? entry, "pre", from.name),
      functionOf(entry, "post", to),
    );
    judged.add(functionKey(entry.unit, to));
    if (difference !== undefined) refusals.push(changedInterface(entry, to, why, difference));
  }
  const otherInterface: { entry: UnitDiff; name: string }[] = [];
  for (const entry of diffs)
    for (const { name, pre, post } of entry.diff.functions.changed) {
      if (post === undefined || pre === undefined || pre.bind === STB_LOCAL || judged.has(functionKey(entry.unit, name))) continue;
      const difference = await context.prototypes.difference(functionOf(entry, "pre", pre.name), functionOf(entry, "post", name));
      if (difference !== undefined) otherInterface.push({ entry, name });
    }
  return { moves, left: kept.left, otherInterface, busy, refusals };
}

function functionOf({ unit, diff }: UnitDiff, side: "pre" | "post", name: string): UnitFunction {
  const atom = diff.analysis[side].atoms.find(
    ({ symbols, rule }) => rule.kind === "text" && symbols.some((symbol) => symbol.name === name),
  );
  return { unit, name, aliases: (atom?.symbols ?? []).map((symbol) => symbol.name).filter((other) => other !== name) };
}

/** Whether a function is still called in the same way. */
interface Question {
  /** The unit that has it after the patch. */
  readonly entry: UnitDiff;
  readonly from: { readonly name: string; readonly entry?: UnitDiff };
  readonly to: string;
  /** Who would call it in the old way. */
  readonly why: string;
}

/** Functions that others than the update's code may call through a pointer or by an export. */
function askOfHeld(diffs: readonly UnitDiff[], takenElsewhere: ReadonlySet<string>, together: ReadonlySet<string>): Question[] {
  return diffs.flatMap((entry) => {
    const { changed } = entry.diff.functions;
    if (changed.length === 0) return [];
    const { pre } = entry.diff.analysis;
    const exported = new Set([...readExports(entry.diff.pre).values()].map(({ symbol }) => symbol.name));
    const taken = new Set([...findAddressTaken(pre)].flatMap(({ symbols }) => symbols));
    return changed.flatMap(({ name, pre: symbol }): Question[] => {
      // A module's structure holds these two; they take nothing.
      if (symbol === undefined || MODULE_CALLS.includes(symbol.name)) return [];
      const isTaken = taken.has(symbol) || (symbol.bind !== STB_LOCAL && takenElsewhere.has(symbol.name));
      if (!exported.has(symbol.name) && (!isTaken || together.has(functionKey(entry.unit, symbol.name)))) return [];
      const why = exported.has(symbol.name)
        ? `it is exported: modules that are not in the update, or are loaded later, call it in the old way`
        : `its address is held: objects that are alive, or BPF programs, call it in the old way`;
      return [{ entry, from: { name: symbol.name }, to: name, why }];
    });
  });
}

function askOfMoved(moves: Moves): Question[] {
  return moves.functions.map(({ name, from, to }) => ({
    entry: to.entry,
    from: { name: from.symbol.name, entry: from.entry },
    to: name,
    why: `callers of the old one, in ${from.entry.unit.path}, are led to it`,
  }));
}

function askOfCalled({ entry, name, why }: KeptCode["called"][number]): Question {
  return { entry, from: { name }, to: name, why: `${why}, and calls it in the old way` };
}

/** It may call itself. */
function askOfBusy({ entry, name, change }: BusyFunction): Question {
  return {
    entry,
    from: { name: change.pre?.name ?? name },
    to: name,
    why: `threads may stay in its old code (ksplice_allow_busy, --allow-busy)`,
  };
}

/** What the user should know of functions and data that are elsewhere with the patch. */
export function noteMoves({ moves }: Linkage): string[] {
  return [
    ...moves.functions.map(
      ({ name, from, to }) => `${name} moves from ${from.entry.unit.path} to ${to.entry.unit.path}: its old code is led to the new one`,
    ),
    ...moves.data.map(
      ({ name, from, to }) => `${name} moves from ${from.entry.unit.path} to ${to.entry.unit.path}: the running object is used on`,
    ),
  ];
}
