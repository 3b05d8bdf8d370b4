import { globPattern } from "../../host/glob.js";
import { mapLimited } from "../../host/map-limited.js";
import { withoutBuild } from "../../kbuild/clean-source.js";
import { compileTypes } from "../../kbuild/compile/compile-types.js";
import { compileUnit } from "../../kbuild/compile/compile-unit.js";
import { commandOf, unitsOf, type UnitWithCommand } from "../../kbuild/compile/unit-command.js";
import { UnitIndex } from "../../kbuild/compile/unit-index.js";
import { buildKernelModules } from "../../kbuild/module/build-kernel-modules.js";
import { prepareBuild } from "../../kbuild/prepare-build.js";
import { openKernelTree } from "../../tree/open-tree.js";
import type { DiffUnitsOptions } from "./diff-units.js";
import { estimateOf, sayWhenInterrupted } from "./many-units.js";
import type { SourceRequest } from "./patched-source.js";
import { noSuchSource } from "./refusals.js";

export interface PrebuildRequest extends Omit<SourceRequest, "change" | "after">, Pick<DiffUnitsOptions, "interruption"> {
  /** Source files (`net/ipv4/*`) whose objects are compiled, too; `*` stands for any letters. Default: none. */
  readonly files?: readonly string[];
}

export interface Prebuilt {
  /** Of the kernel that updates can be made for. */
  readonly release: string;
  /** How many objects are in the cache for it now, of those that were asked for. */
  readonly objects: number;
}

/**
 * Does ahead what every update of a kernel takes, so that the first one is made as fast as the next: the build is prepared, kbuild is asked how
 * each object is made, and the kernel part is built. All of it stays in the cache, and what is there already is not done again.
 * @throws Refusal if tree, configuration and compiler are not fit for updates; `no-such-source` for a pattern that means no file
 */
export async function prebuild(request: PrebuildRequest): Promise<Prebuilt> {
  const { source, configDir, cacheDir, tell, jobs, kmodDir, files = [] } = request;
  tell("stage", "looking at the source tree");
  const tree = await withoutBuild(await openKernelTree(source, configDir === undefined ? {} : { configDir }), cacheDir, tell);
  const build = await prepareBuild(tree, { cacheDir, tell, jobs });
  const index = await UnitIndex.of(build, tell);
  const units = await unitsOfFiles(index, files);
  tell("stage", "building the kernel part");
  await buildKernelModules(build, { kmodDir, tell });

  let done = 0;
  const estimate = estimateOf(units.length, jobs);
  if (estimate !== undefined) tell("note", estimate);
  const finished = sayWhenInterrupted(request.interruption, () => done, units.length, tell);
  await mapLimited(units, jobs, async (unit) => {
    tell("stage", `compiling ${unit.path} (${done + 1} of ${units.length})`);
    await compileUnit(build, unit);
    await compileTypes(build, unit);
    done++;
  }).finally(finished);
  return { release: build.release, objects: done };
}

/** Each object once: one that several modules have is the same in each. */
async function unitsOfFiles(index: UnitIndex, globs: readonly string[]): Promise<UnitWithCommand[]> {
  const objects = index.objects.filter(({ kind, targets }) => kind === "c" && targets.length > 0);
  const wanted = new Set<(typeof objects)[number]>();
  for (const glob of globs) {
    const pattern = globPattern(glob);
    const meant = objects.filter((object) => pattern.test(object.source));
    if (meant.length === 0) throw noSuchSource(glob);
    for (const object of meant) wanted.add(object);
  }
  const commands = await Promise.all([...wanted].map((object) => commandOf(index, object)));
  return commands.flatMap((command) => unitsOf(command).slice(0, 1));
}
