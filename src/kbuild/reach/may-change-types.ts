import { join } from "node:path";
import { fileLevelText } from "../../source/file-level-text.js";
import { readLatin1 } from "../../host/files.js";
import type { PreparedBuild } from "../types.js";
import type { PatchedTree } from "../change/patched-tree.js";
import type { UnitWithCommand } from "../compile/unit-command.js";
import { findUnitSources } from "../compile/unit-sources.js";

/**
 * True unless a change stays inside function bodies in all files that a unit is made of: then no type of the unit can have become another, and
 * compiling its types would tell nothing. In doubt, true.
 */
export async function mayChangeTypes(build: PreparedBuild, unit: UnitWithCommand, patched: PatchedTree): Promise<boolean> {
  const sources = await findUnitSources(build, unit.command);
  if (sources === undefined) return true;
  // A new header can stand before another on the way of the compiler's search.
  if (patched.added.length > 0 || patched.removed.length > 0) return true;
  // A header that the unit did not read before can only be read now because of an #include that changed, which is no function's body.
  for (const path of patched.touched.filter((file) => sources.includes(file))) {
    const [pre, post] = await Promise.all([build.tree.source, patched.root].map((root) => readLatin1(join(root, path))));
    if (pre === undefined || post === undefined) return true;
    const [before, after] = [fileLevelText(pre), fileLevelText(post)];
    if (before === undefined || before !== after) return true;
  }
  return false;
}
