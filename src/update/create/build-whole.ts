import { withoutBuild } from "../../kbuild/clean-source.js";
import { prepareBuild } from "../../kbuild/prepare-build.js";
import type { PreparedBuild } from "../../kbuild/types.js";
import { buildWholeModule, type WholeModule } from "../../kbuild/whole/build-whole-module.js";
import { openKernelTree } from "../../tree/open-tree.js";
import type { Update } from "../file/update-file.js";
import type { UnitDiff } from "../units/unit-diff.js";
import type { UnitPart } from "./cut-out.js";
import type { PatchedSource, SourceRequest } from "./patched-source.js";
import { wholeBesideLayout, wholeModuleAfter, wholeModuleWithHooks, wholeOfSeveral, wholeWithNewObject } from "./refusals.js";

export interface WholeRequest extends SourceRequest {
  readonly id: string;
  readonly allowedLayouts?: readonly string[];
}

/** What an update is made of: all units that the change comes into, compared, and those that bring new code. */
export interface WholeChange {
  readonly source: PatchedSource;
  readonly diffs: readonly UnitDiff[];
  readonly parts: readonly UnitPart[];
}

/**
 * Builds the module that an update changes as a whole. A file on the disk takes effect when the module is loaded, and not with the rest of the update; so it is
 * built only where it is the update: all that changes is in one module, and no hook does something at the moment of the switch.
 * @throws Refusal `whole-module-…` where it is not; what {@link buildWholeModule} throws
 */
export async function buildWhole({ source, diffs, parts }: WholeChange, request: WholeRequest): Promise<WholeModule> {
  const { after = [], allowedLayouts = [], tell, jobs } = request;
  const { build, patched } = source;
  const changed = diffs.filter(({ diff }) => diff.verdict !== "no-change").map(({ unit }) => unit.target);
  const targets = [...new Set([...parts.map(({ unit }) => unit.target), ...changed])].sort();
  const [name = "vmlinux"] = targets;
  if (targets.length !== 1 || name === "vmlinux") throw wholeOfSeveral(targets);
  if (patched.includeDir !== undefined) throw wholeModuleWithHooks(name);
  const added = diffs.map(({ unit }) => unit).filter((unit) => patched.added.includes(unit.source));
  if (added.length > 0) throw wholeWithNewObject(name, added[0]?.path ?? "");
  if (allowedLayouts.length > 0) throw wholeBesideLayout(name, allowedLayouts);
  for (const update of after) requireOfModule(update, name);
  return await buildWholeModule({
    ...{ name, build, patched, jobs, tell },
    original: after.length === 0 ? build : await prepareOriginal(request),
    touched: new Set(diffs.filter(({ unit }) => unit.target === name).map(({ unit }) => unit.path)),
    held: new Set(after.flatMap(objectsOf)),
    ids: [...after.map(({ manifest }) => manifest.id), request.id],
  });
}

/** @throws Refusal `whole-module-after` for an update that changes anything else */
function requireOfModule({ manifest }: Update, name: string): void {
  const others = manifest.targets.filter((target) => target.name !== name);
  if (others.length > 0)
    throw wholeModuleAfter(
      manifest.id,
      name,
      others.map((target) => target.name),
    );
}

function objectsOf({ manifest }: Update): string[] {
  return [...manifest.targets.flatMap(({ units }) => units), ...manifest.checked].map(({ path }) => path);
}

/** Of the source without the updates that it is made to hold: what the shipped module was built from. */
async function prepareOriginal({ source, configDir, cacheDir, tell, jobs }: WholeRequest): Promise<PreparedBuild> {
  const tree = await openKernelTree(source, configDir === undefined ? {} : { configDir });
  return await prepareBuild(await withoutBuild(tree, cacheDir, tell), { cacheDir, tell, jobs });
}
