import type { Progress } from "../diagnostics.js";
import { parseObject } from "../elf/parse-object.js";
import { KspliceSysfs, type LoadedUpdate } from "../kernel/ksplice-sysfs.js";
import { openLiveKernel, type LiveKernel } from "../kernel/live-kernel.js";
import { loadModule } from "../kernel/load-module.js";
import { requireRoot } from "../kernel/privilege.js";
import type { DataRequest } from "../match/find-data.js";
import { matchUnit } from "../match/match-unit.js";
import { stopIfInterrupted, withKernelLock } from "./lock.js";
import type { Manifest, ManifestTarget, ManifestUnit } from "./manifest.js";
import { KSPLICE_ABI } from "./part-section.js";
import { prelinkCore, prelinkTarget, type MatchedUnit } from "./prelink.js";
import { alreadyApplied, coreOfAnotherVersion, noMatch, nothingToApply, targetNotLoaded, wrongKernel } from "./refusals.js";
import { switchStage } from "./switch-stage.js";
import { CORE_MODULE, unloadUpdate } from "./undo-update.js";
import { requireFile, type Update } from "./update-file.js";

export interface ApplyOptions {
  /** Skip target modules that are not loaded. */
  readonly partial: boolean;
  /** At least 1. */
  readonly tries: number;
  readonly progress: Progress;
  readonly log: (message: string) => void;
}

export interface ApplyResult {
  readonly id: string;
  readonly functions: readonly { readonly target: string; readonly name: string }[];
  /** Existing objects that hold other bytes now. */
  readonly data: readonly { readonly target: string; readonly name: string }[];
  readonly skippedTargets: readonly string[];
  /** Nanoseconds that the machine was stopped. */
  readonly stopNs: number;
  readonly attempts: number;
  readonly matching: { readonly functions: number; readonly skippedBytes: number; readonly milliseconds: number };
}

/**
 * Applies an update to the running kernel: match, prelink, load, switch. Every failure leaves the kernel as it was.
 * @throws Refusal `wrong-kernel`, `no-match`, `target-not-loaded`, `already-applied`, `code-busy`, or the core's abort cause
 */
export async function applyUpdate(update: Update, options: ApplyOptions): Promise<ApplyResult> {
  requireRoot();
  return await withKernelLock(async (interruption) => {
    const kernel = openLiveKernel();
    try {
      return await applyTo(kernel, update, options, interruption);
    } finally {
      kernel.close();
    }
  });
}

async function applyTo(kernel: LiveKernel, update: Update, options: ApplyOptions, interruption: AbortSignal): Promise<ApplyResult> {
  const { manifest } = update;
  const { progress, log } = options;
  requireRightKernel(manifest, kernel);
  const sysfs = new KspliceSysfs();
  if (sysfs.readUpdate(manifest.id)?.stage === "applied") throw alreadyApplied(manifest.id);
  const { targets, skippedTargets } = chooseTargets(manifest, kernel, options.partial);

  progress("matching against the running kernel");
  const { matches, matching } = matchTargets(update, targets, kernel, log);

  progress("resolving symbols");
  const identity = { id: manifest.id, description: manifest.description, partCount: targets.length };
  const parts = targets.map((target) => ({
    name: target.module,
    bytes: prelinkTarget(requireFile(update, target.file), target, identity, matches, kernel),
  }));

  // What an interrupted command may have left.
  if (sysfs.readUpdate(manifest.id) !== undefined) await unloadUpdate(manifest.id);
  stopIfInterrupted(interruption);
  const state = await loadAndSwitch(update, parts, kernel, options, interruption);
  log(`applied ${manifest.id} at try ${state.attempts ?? 0}, stopped for ${state.stopNs ?? 0} ns`);
  return {
    id: manifest.id,
    functions: namesOf(targets, (unit) => unit.functions),
    data: namesOf(targets, (unit) => unit.data),
    skippedTargets,
    stopNs: state.stopNs ?? 0,
    attempts: state.attempts ?? 0,
    matching,
  };
}

function namesOf(
  targets: readonly ManifestTarget[],
  entriesOf: (unit: ManifestUnit) => readonly { readonly name: string }[],
): ApplyResult["functions"] {
  return targets.flatMap((target) => target.units.flatMap((unit) => entriesOf(unit).map(({ name }) => ({ target: target.name, name }))));
}

/** Loads what is prelinked and switches it on. If any of that fails, all of it is unloaded again. */
async function loadAndSwitch(
  update: Update,
  parts: readonly { readonly name: string; readonly bytes: Uint8Array }[],
  kernel: LiveKernel,
  { progress, log, tries }: ApplyOptions,
  interruption: AbortSignal,
): Promise<LoadedUpdate> {
  const { id } = update.manifest;
  try {
    await loadCore(update, kernel, log);
    for (const part of parts) {
      stopIfInterrupted(interruption);
      progress(`loading ${part.name}`);
      await loadModule(part.bytes, part.name);
      log(`loaded ${part.name}, ${part.bytes.length} bytes`);
    }
    progress(`applying ${id}`);
    return await switchStage(id, "applied", tries, progress, interruption);
  } catch (error) {
    await unloadUpdate(id).catch((cleanup: unknown) => {
      // The first error is the one to report; this one is told beside it.
      log(`unloading ${id} failed: ${String(cleanup)}`);
      progress(`modules of ${id} could not be unloaded: ${cleanup instanceof Error ? cleanup.message : String(cleanup)}`);
    });
    throw error;
  }
}

function requireRightKernel(manifest: Manifest, kernel: LiveKernel): void {
  const { release, machine, buildId } = manifest.kernel;
  if (kernel.machine !== machine) throw wrongKernel("architecture", machine, kernel.machine);
  if (kernel.release !== release) throw wrongKernel("release", release, kernel.release);
  if (buildId !== undefined && kernel.buildId !== buildId) throw wrongKernel("build id", buildId, kernel.buildId ?? "unknown");
}

function chooseTargets(manifest: Manifest, kernel: LiveKernel, partial: boolean): { targets: ManifestTarget[]; skippedTargets: string[] } {
  const isLoaded = (target: ManifestTarget): boolean => target.name === "vmlinux" || kernel.moduleSections(target.name) !== undefined;
  const missing = manifest.targets.filter((target) => !isLoaded(target));
  const [first] = missing;
  if (first !== undefined && !partial) throw targetNotLoaded(first.name);
  const targets = manifest.targets.filter(isLoaded);
  if (targets.length === 0) throw nothingToApply();
  return { targets, skippedTargets: missing.map((target) => target.name) };
}

/** @throws Refusal `no-match` for the first unit that is not what runs */
function matchTargets(
  update: Update,
  targets: readonly ManifestTarget[],
  kernel: LiveKernel,
  log: (message: string) => void,
): { matches: Map<string, MatchedUnit>; matching: ApplyResult["matching"] } {
  const matches = new Map<string, MatchedUnit>();
  const started = performance.now();
  let functions = 0;
  let skippedBytes = 0;
  for (const target of targets) {
    for (const unit of target.units) {
      const pre = parseObject(requireFile(update, unit.pre), unit.pre);
      const match = matchUnit(pre, { path: unit.path, target: target.name }, kernel, { data: dataToFind(unit) });
      const { statistics } = match;
      log(
        `${unit.path}: ${statistics.matched} of ${statistics.functions} functions match, ${statistics.skipped.length} skipped (${statistics.skipped.join(", ")}), ${statistics.skippedBytes} bytes not compared`,
      );
      if (match.kind === "mismatch") throw noMatch(unit.path, match.mismatches);
      for (const [name, value] of [...match.symbols, ...match.runtimeConstants]) log(`  ${name} = 0x${value.toString(16)}`);
      matches.set(unit.path, match);
      functions += statistics.matched;
      skippedBytes += statistics.skippedBytes;
    }
  }
  return { matches, matching: { functions, skippedBytes, milliseconds: Math.round(performance.now() - started) } };
}

/** The objects that a unit's writes are in: constants whole, of others only the bytes that are overwritten. */
function dataToFind(unit: ManifestUnit): DataRequest[] {
  return [...new Set(unit.writes.map((entry) => entry.preSymbol))].map((symbol) => {
    const writes = unit.writes.filter((entry) => entry.preSymbol === symbol);
    return writes.some((entry) => entry.isConstant) ? { symbol } : { symbol, fields: writes };
  });
}

async function loadCore(update: Update, kernel: LiveKernel, log: (message: string) => void): Promise<void> {
  const version = new KspliceSysfs().readCoreVersion();
  if (version === undefined) {
    await loadModule(prelinkCore(requireFile(update, update.manifest.core), kernel), CORE_MODULE);
    log("loaded the kernel core");
  } else if (version !== KSPLICE_ABI) {
    throw coreOfAnotherVersion(String(version), String(KSPLICE_ABI));
  }
}
