import type { UnitWithCommand } from "../src/kbuild/compile/unit-command.js";
import { Refusal } from "../src/diagnostics.js";
import { compileUnit } from "../src/kbuild/compile/compile-unit.js";
import type { PreparedBuild } from "../src/kbuild/types.js";
import type { PatchedTree } from "../src/kbuild/change/patched-tree.js";

/**
 * Compiles patched units into the cache, one after another, and goes on after those that do not compile.
 * @param most after how many more than these it stops: no patch may mend so many
 * @returns a refusal `does-not-compile` for each unit that does not
 */
export async function compileAll(
  build: PreparedBuild,
  units: readonly UnitWithCommand[],
  patched: PatchedTree,
  most: number,
): Promise<Refusal[]> {
  const refusals: Refusal[] = [];
  for (const unit of units) {
    if (refusals.length > most) break;
    try {
      await compileUnit(build, unit, { shadow: patched });
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== "does-not-compile") throw error;
      refusals.push(error);
    }
  }
  return refusals;
}
