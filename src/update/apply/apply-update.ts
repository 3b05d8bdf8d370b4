import type { Engine } from "../../engine/engine.js";
import type { Tell } from "../../events.js";
import type { LoadedPart, LoadedUpdate } from "../../engine/core/ksplice-sysfs.js";
import type { SystemMap } from "../../kernel/live/kernel-facts.js";
import type { LiveKernel } from "../../kernel/live/live-kernel.js";
import type { ModulePolicy } from "../../kernel/live/module-policy.js";
import { refuseClosed, refuseUnsigned } from "../../kernel/live/refusals.js";
import type { ModuleSigner } from "../../signing/module-signer.js";
import { CORE_MODULE } from "../../engine/core/core-engine.js";
import { stopIfInterrupted } from "../../host/interruption.js";
import { requirePatched } from "../match/require-patched.js";
import { matchUpdate, refusalOf, requireItsKernel } from "../match/match-update.js";
import { mayBePartial, type ManifestTarget, type ManifestUnit } from "../file/manifest.js";
import { KSPLICE_ABI } from "../../engine/core/part-section.js";
import type { PrelinkedPart } from "../prelink/prelink.js";
import { prelinkItsCore, prelinkUpdate } from "../prelink/prelink-update.js";
import { coreOfAnotherVersion } from "../match/refusals.js";
import { notVerified } from "../verify/refusals.js";
import { leftBehind, needsApplied, notApplied, replacesItself, residentDiffers, unknownUpdate, whatStays } from "./refusals.js";
import { replacedByNewer } from "../../engine/core/refusals.js";
import { findMissingUpdates } from "./needed-updates.js";
import { findLeftBehind, type FormerUpdate } from "../prelink/left-behind.js";
import { persistenceOf, switchStage, type Persistence } from "../../engine/core/switch-stage.js";
import { checkLivepatches } from "../prelink/check-livepatches.js";
import { thisSystem, unloadUpdate, type RunningSystem } from "./running-system.js";
import { findSystemMap, type Update } from "../file/update-file.js";
import { verifyUpdate, type Verification } from "../verify/verify-update.js";

export interface ApplyOptions extends Persistence {
  /** Skip target modules that are not loaded. */
  readonly partial: boolean;
  /** Id of an applied update that is undone at the same moment: this one is made for the kernel below it. */
  readonly replace?: string;
  /** Names of what another update, replaced or undone, has brought and this one brings anew, and that may differ from now on: docs/update.md. */
  readonly leaveBehind?: readonly string[];
  /** How long threads are looked at while the machine is stopped, at most. Milliseconds; default 10. */
  readonly stopLimit?: number;
  /** Compare the patched objects with the running kernel afterwards, and undo the update if they are not what runs. */
  readonly verify?: boolean;
  /** Signs what is loaded. A kernel that loads no module without a signature needs it. */
  readonly signer?: ModuleSigner | undefined;
  /** For a kernel that does not tell itself where its variables are; before the one that the update brings. */
  readonly systemMap?: SystemMap | undefined;
  readonly tell: Tell;
  /** Looked at between the steps: once it is aborted, what was begun is taken back. */
  readonly interruption?: AbortSignal;
}

export interface ApplyResult {
  readonly id: string;
  readonly functions: readonly { readonly target: string; readonly name: string }[];
  /** Existing objects that hold other bytes now. */
  readonly data: readonly { readonly target: string; readonly name: string }[];
  readonly skippedTargets: readonly string[];
  /** Targets that were loaded from the disk with the update in them: nothing was switched. */
  readonly fromDisk?: readonly string[];
  /** The update that it came in place of. */
  readonly replaced?: string;
  /** Nanoseconds that the machine was stopped. */
  readonly stopNs: number;
  readonly attempts: number;
  /** Undefined if that was not asked for. */
  readonly verification: Verification | undefined;
  readonly matching: { readonly functions: number; readonly skippedBytes: number; readonly milliseconds: number };
}

/**
 * Applies an update to the running kernel: match, prelink, load, switch. Every failure leaves the kernel as it was.
 * @throws Refusal `not-verified`, `wrong-kernel`, `modules-disabled`, `signature-required`, `cannot-sign`, `key-not-trusted`, `no-match`, `target-not-loaded`, `already-applied`, `resident-differs`, `left-behind`, `not-applied`, `replaced-by-newer`, `code-busy`, or the core's abort cause
 */
export async function applyUpdate(update: Update, options: ApplyOptions, system: RunningSystem = thisSystem()): Promise<ApplyResult> {
  // Said first: whatever else this kernel lacks, it is not the one.
  requireItsKernel(update, system.identity());
  system.requireRoot();
  return await system.locked(async () => {
    if (options.replace !== undefined) requireReplaceable(system, options.replace, update.manifest.id);
    const systemMap = options.systemMap ?? findSystemMap(update);
    const kernel = system.openKernel({ systemMap, ...(options.replace === undefined ? {} : { without: options.replace }) });
    try {
      return await applyTo(system, kernel, update, options);
    } finally {
      kernel.close();
    }
  });
}

/** @throws Refusal `unknown-update`, `not-applied`, `replaced-by-newer` */
function requireReplaceable({ engine }: RunningSystem, id: string, by: string): void {
  if (id === by) throw replacesItself(id);
  const state = engine.readUpdate(id);
  if (state === undefined) throw unknownUpdate(id, engine.listIds());
  if (state.stage !== "applied") throw notApplied(id, state.stage);
  if (state.replacedBy.length > 0) throw replacedByNewer(id, state.replacedBy, "replaced");
}

async function applyTo(system: RunningSystem, kernel: LiveKernel, update: Update, options: ApplyOptions): Promise<ApplyResult> {
  const { manifest } = update;
  const { tell } = options;
  const fromDisk = manifest.targets.map(({ name }) => name).filter((name) => system.moduleMarks(name).includes(manifest.id));
  if (fromDisk.length === manifest.targets.length && options.replace === undefined)
    return nothingToSwitch(system, kernel, update, fromDisk);
  // Applied again after an undo, it is in memory: nothing is loaded.
  if (system.engine.readUpdate(manifest.id)?.stage !== "resident") requireLoadable(system.modulePolicy(), options.signer);
  const missing = findMissingUpdates(system, manifest, options.replace);
  if (missing.length > 0) throw needsApplied(manifest.id, missing);
  tell("stage", "matching against the running kernel");
  const match = matchUpdate(update, kernel, { partial: options.partial && mayBePartial(update.manifest), tell });
  if (match.kind !== "matched") throw refusalOf(match);
  const { targets, skippedTargets, matching } = match;
  checkLivepatches(match, kernel);

  tell("stage", "resolving symbols");
  const parts = prelinkUpdate(update, match, kernel);
  requireNothingLeft(system, parts, kernel, update, options);

  const state = await switchOn(system, update, parts, kernel, options);
  tell("detail", `applied ${manifest.id} at try ${state.attempts ?? 0}, stopped for ${state.stopNs ?? 0} ns`);
  const verification = options.verify === true ? await requireVerified(system, update, options) : undefined;
  if (options.replace !== undefined && system.engine.readUpdate(options.replace)?.stage === "reversed")
    await unloadUpdate(system, options.replace);
  return {
    id: manifest.id,
    verification,
    functions: namesOf(targets, (unit) => unit.functions),
    data: namesOf(targets, (unit) => unit.data),
    skippedTargets,
    ...(options.replace === undefined ? {} : { replaced: options.replace }),
    stopNs: state.stopNs ?? 0,
    attempts: state.attempts ?? 0,
    matching,
  };
}

/**
 * Of an update that is replaced, what both bring must be let go by name. One that was undone before has left its objects to the unpatched kernel, whatever comes now: that is said.
 * @throws Refusal `left-behind`
 */
function requireNothingLeft(
  { engine }: RunningSystem,
  parts: readonly PrelinkedPart[],
  kernel: LiveKernel,
  { manifest }: Update,
  { replace, leaveBehind = [], tell }: ApplyOptions,
): void {
  const formers = engine.listIds().flatMap((id): FormerUpdate[] => {
    const state = engine.readUpdate(id);
    const isReplaced = id === replace;
    if (id === manifest.id || state === undefined || (state.stage !== "resident" && !isReplaced)) return [];
    return [{ id, isReplaced, isUnloadable: state.parts.every((part) => part.isUnloadable) }];
  });
  for (const found of findLeftBehind(parts, kernel.allSymbols(), formers)) {
    const { former, variables, held } = found;
    const names = [...variables, ...held];
    const isAllowed = names.every((name) => leaveBehind.includes(name));
    if (former === replace && !isAllowed) throw leftBehind(manifest.id, found);
    tell(isAllowed ? "detail" : "warning", whatStays(found));
  }
}

/** All that it changes came with its modules when they were loaded. Code that a later update in the same file has changed again is not compared. */
function nothingToSwitch(system: RunningSystem, kernel: LiveKernel, update: Update, fromDisk: readonly string[]): ApplyResult {
  const { id } = update.manifest;
  const started = performance.now();
  const newest = fromDisk.filter((name) => system.moduleMarks(name).at(-1) === id);
  const functions = requirePatched(update, newest, kernel);
  const matching = { functions, skippedBytes: 0, milliseconds: Math.round(performance.now() - started) };
  return { id, functions: [], data: [], skippedTargets: [], fromDisk, stopNs: 0, attempts: 0, verification: undefined, matching };
}

/** @throws Refusal `modules-disabled`, `signature-required` */
function requireLoadable({ isClosed, wantsSignature }: ModulePolicy, signer: ModuleSigner | undefined): void {
  if (isClosed) throw refuseClosed();
  if (wantsSignature !== undefined && signer === undefined) throw refuseUnsigned(wantsSignature);
}

/** @throws Refusal `not-verified`; the update is undone then, if the kernel lets it: what it came in place of comes back */
async function requireVerified(system: RunningSystem, update: Update, options: ApplyOptions): Promise<Verification> {
  const { id } = update.manifest;
  options.tell("stage", `verifying ${id}`);
  // Anew: what was read of memory before is kept.
  const kernel = system.openKernel({ systemMap: options.systemMap ?? findSystemMap(update) });
  let verification: Verification;
  try {
    verification = verifyUpdate(update, kernel);
  } finally {
    kernel.close();
  }
  if (verification.findings.length === 0) return verification;
  options.tell("stage", `undoing ${id}`);
  let stays: string | undefined;
  try {
    const [what, how] = options.replace === undefined ? ([id, {}] as const) : ([options.replace, { replace: id }] as const);
    const stage = options.replace === undefined ? "reversed" : "applied";
    await switchStage(system.engine, what, stage, { ...persistenceOf(options), ...how }, options.tell, options.interruption);
    if (system.engine.readUpdate(id)?.stage === "reversed") await unloadUpdate(system, id);
  } catch (error) {
    stays = error instanceof Error ? error.message : String(error);
  }
  throw notVerified(id, verification.findings, stays);
}

function namesOf(
  targets: readonly ManifestTarget[],
  entriesOf: (unit: ManifestUnit) => readonly { readonly name: string }[],
): ApplyResult["functions"] {
  return targets.flatMap((target) => target.units.flatMap((unit) => entriesOf(unit).map(({ name }) => ({ target: target.name, name }))));
}

/** By way of what lies in memory since an undo, where that is the same. */
async function switchOn(
  system: RunningSystem,
  update: Update,
  parts: readonly PrelinkedPart[],
  kernel: LiveKernel,
  options: ApplyOptions,
): Promise<LoadedUpdate> {
  const { id } = update.manifest;
  const { engine } = system;
  const state = engine.readUpdate(id);
  if (state?.stage === "resident") {
    if (!isSame(parts, state.parts)) throw residentDiffers(id);
    if (options.stopLimit !== undefined) engine.writeStopLimit(options.stopLimit * 1000);
    options.tell("stage", `applying ${id} again`);
    return await switchStage(engine, id, "applied", switchOptions(options), options.tell, options.interruption);
  }
  // What an interrupted command may have left.
  if (state !== undefined) await unloadUpdate(system, id);
  stopIfInterrupted(options.interruption);
  for (const { name, takenAddresses } of parts)
    if (takenAddresses.length > 0)
      options.tell("detail", `${name} stays in memory after an undo: the kernel may keep the addresses of ${takenAddresses.join(", ")}`);
  return await loadAndSwitch(system, update, parts, kernel, options);
}

function switchOptions(options: ApplyOptions): Parameters<typeof switchStage>[3] {
  return { ...persistenceOf(options), ...(options.replace === undefined ? {} : { replace: options.replace }) };
}

function isSame(parts: readonly PrelinkedPart[], loaded: readonly LoadedPart[]): boolean {
  return (
    parts.length === loaded.length &&
    parts.every(({ name, digest }) => loaded.some((part) => part.module === name && part.digest === digest))
  );
}

/** A module as it is given to the kernel. */
interface LoadableModule {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Loads what is prelinked and switches it on. If any of that fails, all of it is unloaded again. */
async function loadAndSwitch(
  system: RunningSystem,
  update: Update,
  parts: readonly PrelinkedPart[],
  kernel: LiveKernel,
  options: ApplyOptions,
): Promise<LoadedUpdate> {
  const { id } = update.manifest;
  const { tell, stopLimit, interruption } = options;
  const { engine } = system;
  // All of it first: a signer that cannot be reached leaves nothing behind.
  const core = await signed(coreToLoad(engine, update, kernel), options);
  const modules = await signed(parts, options);
  try {
    for (const { bytes, name } of core) {
      await engine.loadModule(bytes, name);
      tell("detail", "loaded the kernel core");
    }
    if (stopLimit !== undefined) engine.writeStopLimit(stopLimit * 1000);
    for (const { bytes, name } of modules) {
      stopIfInterrupted(interruption);
      tell("stage", `loading ${name}`);
      await engine.loadModule(bytes, name);
      tell("detail", `loaded ${name}, ${bytes.length} bytes`);
    }
    tell("stage", `applying ${id}`);
    return await switchStage(engine, id, "applied", switchOptions(options), tell, interruption);
  } catch (error) {
    await unloadUpdate(system, id).catch((cleanup: unknown) => {
      // The first error is the one to report; this one is told beside it.
      tell("detail", `unloading ${id} failed: ${String(cleanup)}`);
      tell("warning", `modules of ${id} could not be unloaded: ${cleanup instanceof Error ? cleanup.message : String(cleanup)}`);
    });
    throw error;
  }
}

/** None where it is loaded. @throws Refusal `core-version` */
function coreToLoad(engine: Engine, update: Update, kernel: LiveKernel): LoadableModule[] {
  const version = engine.readCoreVersion();
  if (version === undefined) return [{ name: CORE_MODULE, bytes: prelinkItsCore(update, kernel) }];
  if (version !== KSPLICE_ABI) throw coreOfAnotherVersion(String(version), String(KSPLICE_ABI));
  return [];
}

/** @throws Refusal `cannot-sign` */
async function signed(
  modules: readonly LoadableModule[],
  { signer, tell, interruption }: ApplyOptions,
): Promise<readonly LoadableModule[]> {
  if (signer === undefined) return modules;
  const done: LoadableModule[] = [];
  for (const { name, bytes } of modules) {
    stopIfInterrupted(interruption);
    tell("stage", `signing ${name}`);
    const withSignature = await signer.sign(bytes, name).catch((error: unknown) => {
      // Ctrl-C reaches the signer, too, which fails of it.
      stopIfInterrupted(interruption);
      throw error;
    });
    done.push({ name, bytes: withSignature });
  }
  return done;
}
