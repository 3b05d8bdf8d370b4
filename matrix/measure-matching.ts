import { withoutBuild } from "../src/kbuild/clean-source.js";
import { prepareBuild } from "../src/kbuild/prepare-build.js";
import { UnitIndex } from "../src/kbuild/compile/unit-index.js";
import { takeSnapshot } from "../corpus/snapshot-of-set.js";
import { openSnapshot } from "../src/kernel/snapshot/open-snapshot.js";
import { openKernelTree } from "../src/tree/open-tree.js";
import type { Tell } from "../src/events.js";
import type { KernelFigures } from "./figures.js";
import { drawUnits, matchSample } from "./match-sample.js";

export interface MatchingOptions {
  readonly cacheDir: string;
  readonly jobs: number;
  readonly tell: Tell;
  readonly units: number;
  readonly seed: number;
}

/**
 * Draws units of a prepared kernel at random, compiles them as they are, boots it in a virtual machine, and compares every function with memory.
 * @param options `units`: how many are drawn, by `seed`
 */
export async function measureMatching(tree: string, options: MatchingOptions): Promise<NonNullable<KernelFigures["matching"]>> {
  const { cacheDir, jobs, tell, units: count, seed } = options;
  const build = await prepareBuild(await withoutBuild(await openKernelTree(tree), cacheDir), { cacheDir, tell, jobs });
  const units = await drawUnits(build, await UnitIndex.of(build), count, seed);
  const modules = units.map(({ target }) => target).filter((target) => target !== "vmlinux");
  const snapshot = await takeSnapshot(tree, modules, cacheDir, tell);
  tell("stage", `matching ${units.length} units`);
  return await matchSample(build, units, openSnapshot(snapshot.path), jobs);
}
