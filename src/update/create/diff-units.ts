import { join } from "node:path";
import type { Tell } from "../../events.js";
import { withoutContent } from "../../elf/without-content.js";
import { readLatin1 } from "../../host/files.js";
import { mapLimited } from "../../host/map-limited.js";
import { compileUnit } from "../../kbuild/compile/compile-unit.js";
import type { UnitWithCommand } from "../../kbuild/compile/unit-command.js";
import { diffUnit, type UnitDiff } from "../units/unit-diff.js";
import type { UnitTypes } from "../units/unit-types.js";
import { estimateOf, sayWhenInterrupted } from "./many-units.js";
import type { PatchedSource } from "./patched-source.js";

export interface DiffUnitsOptions {
  /** How many are compiled at once. */
  readonly jobs: number;
  readonly tell: Tell;
  /** Takes how the code of each unit before and after the change is paired, line by line. */
  readonly trace?: ((line: string) => void) | undefined;
  /** Aborted when the program is about to end. */
  readonly interruption?: AbortSignal;
}

/**
 * Compiles units before and after the change, and finds what differs.
 * @param types compiled beside them where more may be compiled at once than there are units
 * @throws Refusal where one does not compile
 */
export async function diffUnits(
  { build, patched }: PatchedSource,
  units: readonly UnitWithCommand[],
  types: UnitTypes,
  { jobs, tell, trace, interruption }: DiffUnitsOptions,
): Promise<UnitDiff[]> {
  let done = 0;
  const estimate = estimateOf(units.length, jobs);
  if (estimate !== undefined) tell("note", estimate);
  const finished = sayWhenInterrupted(interruption, () => done, units.length, tell);
  if (units.length < jobs) for (const unit of units) void types.of(unit);
  const diffs = mapLimited(units, jobs, async (unit) => {
    tell("stage", `compiling ${unit.path} before and after (${done + 1} of ${units.length})`);
    const post = await compileUnit(build, unit, { shadow: patched });
    const pre = unit.command.isNew ? { unit, object: withoutContent(post.object, unit.path) } : await compileUnit(build, unit);
    done++;
    const sources = await Promise.all(
      [build.tree.source, patched.root].map(async (root) => (await readLatin1(join(root, unit.source))) ?? ""),
    );
    return diffUnit({ unit, pre: pre.object, post: post.object, sources }, trace);
  });
  return await diffs.finally(finished).finally(() => types.settle());
}
