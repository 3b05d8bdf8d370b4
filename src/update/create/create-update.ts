import { readLatin1 } from "../../host/files.js";
import { join } from "node:path";
import type { Tell } from "../../events.js";
import { globPattern } from "../../host/glob.js";
import { buildKernelModules } from "../../kbuild/module/build-kernel-modules.js";
import { defaultCacheDir } from "../../host/cache-dir.js";
import { compileUnit } from "../../kbuild/compile/compile-unit.js";
import { findMentions } from "../../kbuild/reach/find-mentions.js";
import { findUnits } from "../../kbuild/reach/find-units.js";
import type { IncludeGraph } from "../../kbuild/reach/include-graph.js";
import { linkNewCode } from "../../kbuild/module/link-new-code.js";
import { openKernelTree } from "../../tree/open-tree.js";
import { shadowWithPatch } from "../../kbuild/change/patch-tree.js";
import { withoutBuild } from "../../kbuild/clean-source.js";
import { withUpdates } from "./source-with-updates.js";
import type { KernelTree } from "../../tree/kernel-tree.js";
import { prepareBuild } from "../../kbuild/prepare-build.js";
import type { Change } from "../../kbuild/change/read-change.js";
import type { PreparedBuild, Unit } from "../../kbuild/types.js";
import type { PatchedTree } from "../../kbuild/change/patched-tree.js";
import { checkLayouts } from "./check-layouts.js";
import { assembleUpdate, refuseUnsafe, requireEffect, type UpdateSource } from "./assemble-update.js";
import { diffUnit, type UnitDiff } from "../units/unit-diff.js";
import { cutOut } from "./cut-out.js";
import { readKernelBuildId } from "../../tree/kernel-build-id.js";
import { Prototypes } from "../linkage/prototypes.js";
import { findUnreached } from "./find-unreached.js";
import { noteMoves, settleLinkage } from "../linkage/settle-linkage.js";
import { estimateOf, sayWhenInterrupted } from "./many-units.js";
import { mapLimited } from "../../host/map-limited.js";
import { noSuchBusyFunction, noSuchTarget, updateOfOtherKernel } from "./refusals.js";
import { readSemanticNotes } from "./read-semantic-notes.js";
import { readTouchedTexts } from "../units/touched-texts.js";
import { UnitTypes } from "../units/unit-types.js";
import { PATCH_FILE, type Update } from "../file/update-file.js";

export interface CreateRequest {
  /** The kernel source tree. Nothing is written into it. */
  readonly source: string;
  /** Default: `source`/ksplice. */
  readonly configDir?: string;
  readonly change: Change;
  /** Updates that the kernel has already, oldest first: this one is made from the source that holds them. */
  readonly after?: readonly Update[];
  readonly id: string;
  /** One line. Default: what the change says of itself. */
  readonly description?: string;
  /** When the change was made. Default: as its commits, files or directory say. */
  readonly created?: Date;
  /** How many objects are compiled at once. */
  readonly jobs: number;
  /** Keep only the units of these targets: names, with `*` for any letters. */
  readonly onlyTargets?: string;
  /** Types whose layout may change: `struct foo`, or `foo`. */
  readonly allowedLayouts?: readonly string[];
  /** Functions in whose old code threads may stay, besides those that the patch names. */
  readonly allowedBusy?: readonly string[];
  /** The kernel part's source. */
  readonly kmodDir: string;
  /** Default: the user's cache directory. */
  readonly cacheDir?: string;
  readonly tell: Tell;
  /** Refuse a header whose change may come into more objects than this. Default: none is too many. */
  readonly mostUnits?: number;
  /** Who includes whom in the source tree, for one who makes many updates from the same. */
  readonly includeGraph?: () => Promise<IncludeGraph>;
  /** Is shown what each unit's comparison found, before anything is refused because of it. */
  readonly inspect?: (diffs: readonly UnitDiff[]) => void;
}

/**
 * The whole of ksplice-create: compile the touched units before and after the change, find what differs, and make an update of it.
 * @throws Refusal if tree, change or difference are not fit for an update; `no-change` (exit 66) if no object code changes
 */
export async function createUpdate(request: CreateRequest): Promise<Update> {
  const { tell, jobs } = request;
  const cacheDir = request.cacheDir ?? defaultCacheDir();
  tell("stage", "looking at the source tree");
  const opened = await openKernelTree(request.source, request.configDir === undefined ? {} : { configDir: request.configDir });
  const tree = await holdUpdates(opened, request.after ?? [], cacheDir, tell);
  const patched = await shadowWithPatch(tree, request.change, join(request.kmodDir, "include"));
  try {
    for (const note of patched.notes) tell("note", note);
    const build = await prepareBuild(tree, { cacheDir, tell, jobs });
    for (const { manifest } of request.after ?? []) {
      if (manifest.kernel.release !== build.release) throw updateOfOtherKernel(manifest.id, manifest.kernel.release, build.release);
    }
    const { units, notes } = await chooseUnits(build, patched, request);
    const types = new UnitTypes(build, patched, jobs > 2 * units.length);
    const diffs = await diffUnits(build, patched, units, types, request).finally(() => types.settle());
    request.inspect?.(diffs);
    refuseUnsafe(diffs);
    const texts = await readTouchedTexts(patched);
    const linkage = await settleLinkage(diffs, {
      texts,
      prototypes: new Prototypes(texts, types),
      allowedBusy: request.allowedBusy ?? [],
      findMentions: async (names) => await findMentions(patched, names),
    });
    for (const name of linkage.busy.unknown) throw noSuchBusyFunction(name);
    refuseUnsafe([], linkage.refusals);
    const cut = cutOut(diffs, linkage);
    refuseUnsafe([], findUnreached(cut));
    const parts = requireEffect(cut, diffs, notes);
    for (const note of [...notes, ...diffs.flatMap(({ diff }) => diff.notes), ...noteMoves(linkage)]) tell("note", note);
    tell("stage", "comparing the types with the running kernel's");
    await checkLayouts({
      units: parts.map(({ unit }) => unit),
      types,
      patched,
      kernel: { configDir: tree.configDir, release: build.release, cacheDir },
      jobs,
      allowed: request.allowedLayouts ?? [],
      tell,
    });
    tell("stage", "building the kernel part");
    const modules = await buildKernelModules(build, { kmodDir: request.kmodDir, tell });
    const buildId = await readKernelBuildId(tree);
    const kernel = { release: build.release, compiler: build.compilerVersion, ...(buildId === undefined ? {} : { buildId }) };
    const source: UpdateSource = {
      id: request.id,
      description: request.description ?? patched.description,
      created: request.created ?? patched.made,
      kernel,
      patch: Buffer.from(patched.patch, "latin1"),
      notes: await readSemanticNotes(
        patched.root,
        texts,
        parts.map(({ unit }) => unit),
      ),
      modules,
      link: (moduleName, objects, exports) => linkNewCode({ template: modules.template, objects, exports, moduleName, build }),
    };
    const isPart = (entry: UnitDiff): boolean => parts.some(({ unit }) => unit === entry.unit);
    const checked = diffs.filter((entry) => !isPart(entry) && patched.touched.includes(entry.unit.source));
    return await assembleUpdate(source, parts, tell, checked);
  } finally {
    await patched.dispose();
  }
}

async function holdUpdates(tree: KernelTree, updates: readonly Update[], cacheDir: string, tell: Tell): Promise<KernelTree> {
  if (updates.length === 0) return await withoutBuild(tree, cacheDir, tell);
  const patches = updates.map(({ manifest, files }) => ({
    name: `update ${manifest.id}`,
    text: Buffer.from(files.get(PATCH_FILE) ?? new Uint8Array()).toString("latin1"),
  }));
  return await withUpdates(tree, patches, cacheDir, tell);
}

async function chooseUnits(
  build: PreparedBuild,
  patched: PatchedTree,
  request: CreateRequest,
): Promise<{ units: Unit[]; notes: string[] }> {
  const notes: string[] = [];
  // They are told once it is clear that there will be an update.
  const note = (message: string): void => {
    notes.push(message);
  };
  const units = await findUnits(build, patched.touched, {
    tell: (kind, message) => {
      if (kind === "note") note(message);
      else request.tell(kind, message);
    },
    patched,
    ...(request.mostUnits === undefined ? {} : { mostUnits: request.mostUnits }),
    ...(request.includeGraph === undefined ? {} : { includeGraph: request.includeGraph }),
  });
  const { onlyTargets } = request;
  if (onlyTargets === undefined) return { units, notes };
  const pattern = globPattern(onlyTargets);
  if (units.length > 0 && !units.some((unit) => pattern.test(unit.target))) throw noSuchTarget(onlyTargets, units);
  for (const unit of units) if (!pattern.test(unit.target)) note(`${unit.path} is left out: it belongs to ${unit.target}`);
  return { units: units.filter((unit) => pattern.test(unit.target)), notes };
}

async function diffUnits(
  build: PreparedBuild,
  patched: PatchedTree,
  units: readonly Unit[],
  types: UnitTypes,
  request: CreateRequest,
): Promise<UnitDiff[]> {
  let done = 0;
  const estimate = estimateOf(units.length, request.jobs);
  if (estimate !== undefined) request.tell("note", estimate);
  const finished = sayWhenInterrupted(() => done, units.length, request.tell);
  // Where more may be compiled at once than there are objects, the types are compiled beside them.
  if (units.length < request.jobs) for (const unit of units) void types.of(unit);
  return await mapLimited(units, request.jobs, async (unit) => {
    request.tell("stage", `compiling ${unit.path} before and after (${done + 1} of ${units.length})`);
    const pre = await compileUnit(build, unit);
    const post = await compileUnit(build, unit, { shadow: patched });
    done++;
    const sources = await Promise.all(
      [build.tree.source, patched.root].map(async (root) => (await readLatin1(join(root, unit.source))) ?? ""),
    );
    return diffUnit({ unit, pre: pre.object, post: post.object, sources });
  }).finally(finished);
}
