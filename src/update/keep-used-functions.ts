import { STB_LOCAL } from "../elf/constants.js";
import { findMentions } from "../kbuild/find-mentions.js";
import type { PatchedTree } from "../kbuild/types.js";
import type { UnitDiff } from "./create-update.js";

/**
 * A removed function traps if it is called after all. A global one that another file of the patched tree still names may be called from
 * there: it stays as it is, and the user is told.
 */
export async function keepUsedFunctions(
  diffs: readonly UnitDiff[],
  patched: PatchedTree,
  note: (message: string) => void,
): Promise<UnitDiff[]> {
  const removed = diffs.flatMap(({ diff }) => diff.functions.removed.filter(({ pre }) => pre !== undefined && pre.bind !== STB_LOCAL));
  const mentions = await findMentions(
    patched,
    removed.map(({ name }) => name),
  );
  for (const [name, file] of mentions) note(`${name} is removed by the patch, and ${file} still names it: its old code stays`);
  return diffs.map((entry) => ({ ...entry, kept: new Set(mentions.keys()) }));
}
