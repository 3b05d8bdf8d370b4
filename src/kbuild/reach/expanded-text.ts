import { Refusal } from "../../diagnostics.js";
import { makeProduct } from "../compile/make-product.js";
import { expandedText, preprocessedText } from "../compile/preprocessed.js";
import type { PreparedBuild } from "../types.js";
import type { PatchedTree } from "../change/patched-tree.js";
import type { UnitCommand } from "../compile/unit-command.js";

/** What a unit's files that are no headers come to behind the preprocessor. */
interface ExpandedText {
  readonly hash: string;
  readonly words: readonly string[];
}

/**
 * False where a unit that names something that changes, or may put its name together, is known not to use it: once all macros are replaced, none of its
 * own lines has such a name, and all are the same with the change as without. What headers use does not count here.
 * @param means true of a name that means something else in this unit
 * @param patched undefined where no macro changes: all lines are the same then
 */
export async function usesInOwnText(
  build: PreparedBuild,
  command: UnitCommand,
  means: (name: string) => boolean,
  patched: PatchedTree | undefined,
): Promise<boolean> {
  const before = await expand(build, command, undefined);
  if (before === undefined) return true;
  if (before.words.some((word) => means(word) || (word.startsWith(BUILTIN) && means(word.slice(BUILTIN.length))))) return true;
  return patched !== undefined && (await expand(build, command, patched))?.hash !== before.hash;
}

/** Whether a unit, headers and all, is another text behind the preprocessor with the change than without; true where that cannot be told. */
export async function changesText(build: PreparedBuild, command: UnitCommand, patched: PatchedTree): Promise<boolean> {
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
    const bytes = await makeProduct(build, command, { shadow: patched }, expandedText(command));
    const [hash = "", ...words] = Buffer.from(bytes).toString("latin1").split("\n");
    return { hash, words };
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
