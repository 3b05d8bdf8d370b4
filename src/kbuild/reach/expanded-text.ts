import { Refusal } from "../../diagnostics.js";
import { makeProduct } from "../compile/make-product.js";
import { expandedText, preprocessedText, readExpandedText, SEVERAL, type ExpandedText } from "../compile/preprocessed.js";
import type { PreparedBuild } from "../types.js";
import type { PatchedTree } from "../change/patched-tree.js";
import type { HeaderReach } from "./header-reach.js";
import type { UnitCommand } from "../compile/unit-command.js";

/**
 * True of a unit that the text of the tree says a change of headers may come into, and that what the preprocessor makes of it tells to be compiled to
 * the same code.
 */
export async function isSpared(
  build: PreparedBuild,
  command: UnitCommand,
  patched: PatchedTree,
  { byOwnText, macrosChange, onlyMacrosChange, words, confined }: HeaderReach,
): Promise<boolean> {
  const means = byOwnText.get(command.unit.source);
  if (means !== undefined && !(await usesInOwnText(build, command, means, macrosChange ? patched : undefined))) return true;
  if (confined !== undefined) return !(await mentionsOutside(build, command, confined, words));
  return onlyMacrosChange && !(await changesText(build, command, patched));
}

/**
 * False where a unit that names something that changes, or may put its name together, is known not to use it: once all macros are replaced, none of its
 * own lines has such a name, and all are the same with the change as without. What headers use does not count here.
 * @param means true of a name that means something else in this unit
 * @param patched undefined where no macro changes: all lines are the same then
 */
async function usesInOwnText(
  build: PreparedBuild,
  command: UnitCommand,
  means: (name: string) => boolean,
  patched: PatchedTree | undefined,
): Promise<boolean> {
  const before = await expand(build, command, undefined);
  if (before === undefined) return true;
  if (before.ownNames.some(meantBy(means))) return true;
  return patched !== undefined && (await expand(build, command, patched))?.own !== before.own;
}

/**
 * False where no line of a unit but those of the headers that change has one of the names, once all macros are replaced: where no macro changes, all
 * other lines are the same, and nothing in them uses what the headers declare otherwise.
 * @param headers by path
 */
async function mentionsOutside(
  build: PreparedBuild,
  command: UnitCommand,
  names: ReadonlySet<string>,
  headers: { has(path: string): boolean },
): Promise<boolean> {
  const text = await expand(build, command, undefined);
  if (text === undefined) return true;
  const isMeant = meantBy((name) => names.has(name));
  return text.names.some((name, at) => {
    const home = text.homes[at] ?? SEVERAL;
    return isMeant(name) && (home === SEVERAL || !headers.has(text.files[home] ?? ""));
  });
}

/** A function of the library is meant by the compiler's own name for it too. */
function meantBy(means: (name: string) => boolean): (word: string) => boolean {
  return (word) => means(word) || (word.startsWith(BUILTIN) && means(word.slice(BUILTIN.length)));
}

/** Whether a unit, headers and all, is another text behind the preprocessor with the change than without; true where that cannot be told. */
async function changesText(build: PreparedBuild, command: UnitCommand, patched: PatchedTree): Promise<boolean> {
  try {
    const text = async (shadow: PatchedTree | undefined): Promise<string> =>
      Buffer.from(await makeProduct(build, command, { shadow }, preprocessedText(command))).toString("latin1");
    return (await text(undefined)) !== (await text(patched));
  } catch (error) {
    if (error instanceof Refusal) return true;
    throw error;
  }
}

/** The compiler's own name for a function of the library. */
const BUILTIN = "__builtin_";

/** Undefined where the compiler does not get through it. */
async function expand(build: PreparedBuild, command: UnitCommand, patched: PatchedTree | undefined): Promise<ExpandedText | undefined> {
  try {
    return readExpandedText(
      await makeProduct(build, command, { shadow: patched }, expandedText(command, patched?.root ?? build.tree.source)),
    );
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
