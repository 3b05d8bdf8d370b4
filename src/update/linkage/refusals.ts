import type { DiffRefusal } from "../../diff/types.js";
import type { Unit } from "../../kbuild/types.js";
import type { UnitDiff } from "../units/unit-diff.js";

/** What is refused because of how the units of an update belong together: one factory a message. */
export interface LinkageRefusal {
  readonly entry: UnitDiff;
  readonly refusal: DiffRefusal;
}

const make =
  (code: string) =>
  (entry: UnitDiff, symbol: string, message: string): LinkageRefusal => ({
    entry,
    refusal: { code, symbol, message },
  });
const moved = make("moved-definition");

export const severalDefinitions = (entry: UnitDiff, name: string): LinkageRefusal =>
  moved(entry, name, `several of the touched files define ${name}, and which of them runs cannot be told`);

export const changedKind = (entry: UnitDiff, name: string): LinkageRefusal =>
  moved(entry, name, `${name} is a function on one side of the patch and data on the other`);

export const otherDefinitionWins = (entry: UnitDiff, name: string, from: string): LinkageRefusal =>
  moved(
    entry,
    name,
    `with the patch ${name} means the definition here, which was there before, and no longer that of ${from}: code that is not compiled again goes on with that`,
  );

export const staysAsStatic = (entry: UnitDiff, name: string, from: string): LinkageRefusal =>
  moved(
    entry,
    name,
    `${name} is defined here with the patch, and that of ${from} stays as a static one: who goes on with which cannot be told in the running kernel`,
  );

export const movesToOtherTarget = (entry: UnitDiff, name: string, from: string, user: string): LinkageRefusal =>
  moved(entry, name, `${name} moves here from ${from}, and ${user} uses it: code of ${from} that stays as it is goes on with the old one`);

export const callbackMoves = (entry: UnitDiff, name: string, from: string): LinkageRefusal =>
  moved(
    entry,
    name,
    `${name} moves here from ${from}, where it may be called through pointers that objects hold, and is static there or here: they would go on with the old code`,
  );

export const movedAlias = (entry: UnitDiff, name: string, other: string): LinkageRefusal =>
  moved(entry, name, `${name} moves here, and its old code is also called ${other}, which does not`);

export const newAlias = (entry: UnitDiff, name: string, other: string): LinkageRefusal =>
  moved(
    entry,
    name,
    `${name} becomes a further name of ${other}, and the running kernel cannot be given one: call ${other} by its own, or make ${name} a function`,
  );

export const newGlobalName = (entry: UnitDiff, name: string, before: string): LinkageRefusal =>
  moved(
    entry,
    name,
    `${name} is what the running kernel calls ${before}, and becomes global under its new name, which the running kernel cannot be given: keep the name ${before}`,
  );

export const movedDataDiffers = (entry: UnitDiff, name: string, from: string): LinkageRefusal =>
  moved(entry, name, `${name} moves here from ${from} and is not the same object: its size, its initial value or where it lies differs`);

export const changedType = (entry: UnitDiff, name: string, before: string, after: string): LinkageRefusal =>
  make("changed-data-type")(
    entry,
    name,
    `${name} is declared as ${after} instead of ${before}: what the running kernel's holds is not what the new code takes it for`,
  );

export const elementsMove = (entry: UnitDiff, name: string): LinkageRefusal =>
  make("moved-elements")(
    entry,
    name,
    `elements of ${name} change places: pointers to them that objects which are alive hold would mean other elements`,
  );

/** @param member of the constant: what says the size */
export const objectSizeChanges = (entry: UnitDiff, name: string, member: string): LinkageRefusal =>
  make("changed-object-size")(
    entry,
    name,
    `${name} says another size or place with the patch (${member}): objects that are alive were made by what it said before`,
  );

export const perCpuPointer = (entry: UnitDiff, name: string, isPerCpu: boolean): LinkageRefusal =>
  make("changed-data-type")(
    entry,
    name,
    `the pointer ${name} ${isPerCpu ? "leads to memory of each processor (__percpu) with the patch, and did not before" : "leads to memory of each processor (__percpu) before the patch, and does not with it"}: what objects that are alive hold in it would be taken for something else`,
  );

/** @param place in `cb->args` */
export const dumpPointer = (entry: UnitDiff, name: string, place: string): LinkageRefusal =>
  make("changed-data-type")(
    entry,
    name,
    `${name} takes args[${place}] of its dump for a pointer, and for a number before: a dump that is under way, which user space goes on with when it likes, has a number there; keep the pointer at another place of args, one that is 0 until then`,
  );

/** @param gone the member that `name` was given before the patch, and `come` that with it, each with its struct */
export const callbackArgument = (entry: UnitDiff, name: string, gone: string, come: string): LinkageRefusal =>
  make("callback-argument")(
    entry,
    name,
    `${name} takes its argument for ${come}, and before the patch for ${gone}, and is set up with another one too: what was set up before comes with the former, and the object would be looked for in the wrong place; leave ${name} as it is, and give those that are made from now on a callback of another name`,
  );

/** @param place where the function is handed out, and with what cannot be seen */
export const untoldCallbackArgument = (entry: UnitDiff, name: string, gone: string, come: string, place: string): LinkageRefusal =>
  make("callback-argument")(
    entry,
    name,
    `${name} takes its argument for ${come}, and before the patch for ${gone}, and what it is handed out with cannot be told ("${place}"): what was set up before the patch may come with the former, and the object would be looked for in the wrong place; leave ${name} as it is, and give those that are made from now on a callback of another name`,
  );

/** A call that a function makes, and the member that it gives to it in place of another one. */
export interface MemberSwap {
  readonly user: string;
  readonly callee: string;
  readonly from: string;
  readonly to: string;
}

/** @param put who puts there what `taken` takes back */
export const takenBackElsewhere = (entry: UnitDiff, taken: MemberSwap, put: MemberSwap): LinkageRefusal =>
  make("taken-back-elsewhere")(
    entry,
    taken.user,
    `${taken.user} gives ${taken.callee}() the member ${taken.to}, and before the patch ${taken.from}, and so does ${put.user} with ${put.callee}(): what was put before the patch is at ${taken.from}, and the new code would take it for something else, or not find it`,
  );

/** @param callback the member of the table. @param who is alive and has noted that there is none */
export const notedCallback = (entry: UnitDiff, name: string, callback: string, who: string): LinkageRefusal =>
  make("noted-callback")(
    entry,
    name,
    `${name} gets a callback, ${callback}, and ${who} note when they are made whether there is one: those that are alive would never call it, and those that are made with the update would call NULL after an undo`,
  );

/** @param stays a function whose old code goes on being run; `why` it does */
export const keptCodeCallsChanged = (entry: UnitDiff, stays: string, why: string, callee: string): LinkageRefusal =>
  make("kept-code-calls-changed")(entry, stays, `${why}, and it calls ${callee}, whose new code was compiled for other callers`);

export const keptCodeUsesChanged = (entry: UnitDiff, stays: string, why: string, data: string): LinkageRefusal =>
  make("kept-code-uses-changed")(entry, stays, `${why}, and it reads ${data}, which is overwritten with what new code expects`);

export const noBusyFunction = (entry: UnitDiff, name: string): LinkageRefusal =>
  make("no-busy-function")(entry, name, `ksplice_allow_busy() names it, and no function of that name changes in this file`);

export const busyCodeUsesChanged = (entry: UnitDiff, name: string, data: string): LinkageRefusal =>
  make("busy-code-uses-changed")(
    entry,
    name,
    `threads may stay in its old code (ksplice_allow_busy, --allow-busy), and that uses ${data}, which is overwritten`,
  );

export const unreached = (entry: UnitDiff, name: string): LinkageRefusal =>
  make("unreached-code")(
    entry,
    name,
    `${name} is new, and nothing in the update leads to it: no function that is replaced, no data that is written, no hook, no export`,
  );

export const changedInterface = (entry: UnitDiff, name: string, why: string, difference: string): LinkageRefusal =>
  make("changed-interface")(entry, name, `${difference}, and ${why}`);

/** @param unit that defines it with the patch, and is not in the update */
export const leftOutDefinition = (entry: UnitDiff, name: string, unit: Unit): LinkageRefusal =>
  make("left-out-definition")(
    entry,
    name,
    `the new code uses ${name}, which the patch defines in ${unit.path} of ${unit.target}, and that is left out`,
  );

/** @param from a unit that has one of its own before the patch, which `user` uses */
export const mergedState = (entry: UnitDiff, name: string, from: UnitDiff, user: string): LinkageRefusal =>
  make("split-state")(
    entry,
    name,
    `${from.unit.path} has a ${name} of its own, which ${user} uses, and is to use this one with the patch: the value of the running kernel's other one would be lost`,
  );

export const foldedState = (entry: UnitDiff, name: string): LinkageRefusal =>
  make("split-state")(
    entry,
    name,
    `${name} is written to by nothing with the patch, so that the compiler takes its initial value for it: what the running kernel's holds would be forgotten, and objects that are alive may rely on it`,
  );

export const droppedState = (entry: UnitDiff, name: string): LinkageRefusal =>
  make("split-state")(
    entry,
    name,
    `${name} is in the source before the patch as well, and not in the running kernel: the compiler left it out, as nothing read it, so that what it would hold by now is not known. Give it another name if it may begin anew`,
  );

/** @param filler initialization code @param reader code that uses it newly */
export const newlyFilled = (entry: UnitDiff, name: string, filler: string, reader: string): LinkageRefusal =>
  make("filled-by-init")(
    entry,
    name,
    `${reader} uses ${name}, which ${filler} fills with the patch and did not fill before: that has run already, and the running kernel's has not been filled: a pre_apply or apply hook of the patch has to`,
  );

/** @param user a function that uses `before` of the unit `from` before the patch, and `after` with it */
export const splitBetween = (entry: UnitDiff, after: string, from: UnitDiff, before: string, user: string): LinkageRefusal => {
  const [old, now] = from === entry ? [before, after] : [`${before} of ${from.unit.path}`, `${after} of ${entry.unit.path}`];
  return make("split-state")(
    entry,
    after,
    `${user} uses ${now}, which is new, where it used ${old}, which is gone: whether they are the same object cannot be told, and the running kernel's value would be lost`,
  );
};
