import { tellNobody } from "../../events.js";
import { buildKernelModules } from "../../kbuild/module/build-kernel-modules.js";
import { linkNewCode } from "../../kbuild/module/link-new-code.js";
import { readNeededMap } from "../../tree/system-map.js";
import { readKernelBuildId } from "../../tree/kernel-build-id.js";
import type { Update } from "../file/update-file.js";
import { findUsesOfLeftOut } from "./left-out.js";
import { Prototypes } from "../linkage/prototypes.js";
import { readTouchedTexts, type TouchedText } from "../units/touched-texts.js";
import type { UnitDiff } from "../units/unit-diff.js";
import { UnitTypes } from "../units/unit-types.js";
import type { Unit } from "../../kbuild/types.js";
import { buildWhole } from "./build-whole.js";
import { assembleUpdate } from "./assemble-update.js";
import { findPublicStructs, NO_CALLBACKS, proveCallbacks, type CallbackProof } from "./callbacks/prove-callbacks.js";
import { keyOf } from "./callbacks/unit-text.js";
import { verdictOf } from "./callbacks/verdict.js";
import { checkLayouts, Layouts } from "./check-layouts.js";
import { findChangedCallbacks } from "./judge-layouts.js";
import { chooseUnits, type ChooseUnitsOptions, type ChosenUnits } from "./choose-units.js";
import type { UnitPart } from "./cut-out.js";
import { diffUnits, type DiffUnitsOptions } from "./diff-units.js";
import { refuseUnsafe } from "./judge-parts.js";
import { withPatchedSource, type PatchedSource, type SourceRequest } from "./patched-source.js";
import { readSemanticNotes } from "./read-semantic-notes.js";
import { settleParts } from "./settle-parts.js";

export interface CreateRequest extends SourceRequest, ChooseUnitsOptions, DiffUnitsOptions {
  readonly id: string;
  /** One line. Default: what the change says of itself. */
  readonly description?: string;
  /** When the change was made. Default: as its commits, files or directory say. */
  readonly created?: Date;
  /** CVE ids that it fixes, besides those that the change names. */
  readonly cves?: readonly string[];
  /** The version of the kernel whose fixes a machine has with it. */
  readonly effective?: string;
  /** Types whose layout may change: `struct foo`, or `foo`. */
  readonly allowedLayouts?: readonly string[];
  /** Functions in whose old code threads may stay, besides those that the patch names. */
  readonly allowedBusy?: readonly string[];
  /** Build the whole module, too, for the disk: of an update of one module. */
  readonly buildModules?: boolean;
}

/**
 * The whole of ksplice-create: compile the touched units before and after the change, find what differs, and make an update of it.
 * @throws Refusal if tree, change or difference are not fit for an update; `no-change` (exit 66) if no object code changes
 */
export async function createUpdate(request: CreateRequest): Promise<Update> {
  return await withPatchedSource(request, async (source) => {
    const chosen = await chooseUnits(source, request);
    const types = typesOf(source, chosen, request.jobs);
    const diffs = await diffUnits(source, chosen.units, types, request);
    return await updateOf({ source, chosen, types, diffs }, request);
  });
}

/** The types of the chosen units. */
export function typesOf({ build, patched }: PatchedSource, { units, leftOut }: ChosenUnits, jobs: number): UnitTypes {
  return new UnitTypes(build, patched, [...units, ...leftOut], jobs > 2 * units.length);
}

/** All units, compiled before and after the change and compared. */
export interface ComparedUnits {
  readonly source: PatchedSource;
  readonly chosen: ChosenUnits;
  readonly types: UnitTypes;
  readonly diffs: readonly UnitDiff[];
}

/**
 * The update of what differs.
 * @throws Refusal as {@link createUpdate} does
 */
export async function updateOf(compared: ComparedUnits, request: CreateRequest): Promise<Update> {
  const { source, chosen, types, diffs } = compared;
  const { build, patched, cacheDir } = source;
  const { tell, jobs, kmodDir, allowedBusy = [], allowedLayouts: allowed = [] } = request;
  const texts = await readTouchedTexts(patched);
  const layouts = new Layouts({
    all: [...chosen.units, ...chosen.leftOut],
    types,
    patched,
    kernel: { configDir: build.tree.configDir, release: build.release, cacheDir },
  });
  const callbacks = await lookAtCallbacks(compared, layouts, request);
  const { parts, breaks } = await settleParts(source, diffs, { types, texts, notes: chosen.notes, allowedBusy, callbacks, tell });
  await refuseBroken({ ...callbacks, breaks }, compared, layouts, request);
  await checkLeftOut(compared, { texts, parts }, request);
  const units = parts.map(({ unit }) => unit);

  tell("stage", "comparing the types with the running kernel's");
  const allowedTypes = await checkLayouts(layouts, { units, jobs, allowed, callbacks: verdictOf(callbacks.callbacks, []), tell });
  const together = [...new Set(callbacks.callbacks.map(keyOf))];
  for (const name of together)
    tell("note", `${name} takes or returns something else: all who call it and all who provide it change together`);

  const wholeModules = request.buildModules === true ? [await buildWhole({ source, diffs, parts }, request)] : [];

  tell("stage", "building the kernel part");
  const modules = await buildKernelModules(build, { kmodDir, tell });

  const systemMap = await readNeededMap(build.tree, tell);
  const buildId = await readKernelBuildId(build.tree);
  return await assembleUpdate(
    {
      id: request.id,
      description: request.description ?? patched.description,
      created: request.created ?? patched.made,
      kernel: { release: build.release, compiler: build.compilerVersion, ...(buildId === undefined ? {} : { buildId }) },
      after: (request.after ?? []).map(({ manifest }) => manifest.id),
      cves: [...new Set([...patched.cves, ...(request.cves ?? [])])].sort(),
      ...(request.effective === undefined ? {} : { effective: request.effective }),
      patch: Buffer.from(patched.patch, "latin1"),
      notes: await readSemanticNotes(patched.root, texts, parts),
      layouts: allowedTypes,
      together,
      systemMap,
      modules,
      wholeModules,
      link: (moduleName, objects, exports, offered) =>
        linkNewCode({ template: modules.template, objects, exports, offered, moduleName, build }),
    },
    parts,
    tell,
    diffs.filter(({ unit }) => !units.includes(unit) && patched.touched.includes(unit.source)),
  );
}

/**
 * Whether callbacks that the patch changes, all who call them and all who provide them change together.
 * @throws Refusal `changed-layout` where that is not so
 */
async function lookAtCallbacks(compared: ComparedUnits, layouts: Layouts, request: CreateRequest): Promise<CallbackProof> {
  const { source, chosen, diffs } = compared;
  const { tell, jobs, allowedLayouts: allowed = [] } = request;
  const { findings } = await layouts.findings(changedUnits(compared), jobs);
  const callbacks = findChangedCallbacks(findings, allowed);
  if (callbacks.length === 0) return NO_CALLBACKS;
  const places = new Map(findings.flatMap(({ label, place }) => (place === undefined ? [] : [[label, place] as const])));
  await refuseBroken({ callbacks, breaks: findPublicStructs(callbacks, places) }, compared, layouts, request);
  tell("stage", `looking for all who use ${[...new Set(callbacks.map(keyOf))].join(", ")}`);
  const proof = await proveCallbacks(source, callbacks, diffs, { ...chosen, jobs });
  await refuseBroken(proof, compared, layouts, request);
  return proof;
}

/** @throws Refusal `changed-layout` where something speaks against a proof */
async function refuseBroken(
  { callbacks, breaks }: Pick<CallbackProof, "callbacks" | "breaks">,
  compared: ComparedUnits,
  layouts: Layouts,
  { jobs, allowedLayouts: allowed = [] }: CreateRequest,
): Promise<void> {
  if (breaks.length === 0) return;
  const units = changedUnits(compared);
  await checkLayouts(layouts, { units, jobs, allowed, callbacks: verdictOf(callbacks, breaks), tell: tellNobody });
  throw new Error("callbacks that change apart were let through");
}

function changedUnits({ diffs }: ComparedUnits): Unit[] {
  return diffs.filter(({ diff }) => diff.verdict === "changed").map(({ unit }) => unit);
}

/** @throws Refusal where the new code cannot do with what the running kernel has of units that are left out */
async function checkLeftOut(
  { source, chosen, types }: ComparedUnits,
  { texts, parts }: { readonly texts: readonly TouchedText[]; readonly parts: readonly UnitPart[] },
  request: DiffUnitsOptions,
): Promise<void> {
  if (chosen.leftOut.length === 0) return;
  const leftOut = await diffUnits(source, chosen.leftOut, types, request);
  const { refusals, notes } = await findUsesOfLeftOut(parts, leftOut, new Prototypes(texts, types));
  refuseUnsafe([], refusals);
  for (const note of notes) request.tell("note", note);
}
