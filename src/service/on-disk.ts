import { ModuleDirectory, type DiskModule } from "../disk/module-directory.js";
import { putOnDisk, requireNoneNewer, takeOffDisk } from "../disk/put-on-disk.js";
import { refuseUnsigned } from "../kernel/live/refusals.js";
import { requireItsKernel } from "../update/match/match-update.js";
import type { ApplyResult } from "../update/apply/apply-update.js";
import type { RunningSystem } from "../update/apply/running-system.js";
import type { UndoOptions, UndoResult } from "../update/apply/undo-update.js";
import type { Update } from "../update/file/update-file.js";
import { applyGuarded, messageOf, requireNewest, undoNoted, type GuardedOptions, type Origin } from "./apply-guarded.js";
import { requireMachine } from "./machine-facts.js";
import { configuredSigner } from "./module-key.js";
import type { Service } from "./service.js";

export interface DiskResult {
  readonly id: string;
  /** Modules that the update has on the disk. */
  readonly onDisk: readonly string[];
  /** What was done to the running kernel; undefined where that was not asked for, or the module is not loaded. */
  readonly applied: ApplyResult | undefined;
}

/**
 * Puts an update's module onto the disk, and then applies the update to the module that is loaded, if it is. In this order a module that is loaded meanwhile
 * comes with the update, or is seen. Where the kernel does not take the update, the file goes again: what is on the disk is what was asked for, or nothing.
 * @param kernelToo false: the running kernel is left as it is, and may be another one
 * @throws Refusal as of putOnDisk and applyGuarded
 */
export async function applyOnDisk(
  service: Service,
  update: Update,
  origin: Origin,
  options: GuardedOptions,
  kernelToo: boolean,
): Promise<DiskResult> {
  const { system, place, facts, audit, tell } = service;
  const { id, kernel, targets, cves } = update.manifest;
  const { release } = kernel;
  if (kernelToo) {
    requireMachine(facts);
    requireItsKernel(update, system.identity());
  }
  system.requireRoot();
  const isItsKernel = release === system.identity().release;
  if (options.allowOlder !== true) await requireNewest(service, update, options.replace);
  const signer = options.signer ?? (await configuredSigner(place));
  const { wantsSignature } = system.modulePolicy();
  if (signer === undefined && isItsKernel && wantsSignature !== undefined) throw refuseUnsigned(wantsSignature);
  const had = (await kept(service, release)).some((module) => module.id === id);
  const onDisk = await system.locked(async () => await putOnDisk(update, { root: place.root, signer, tell }));
  const about = { id, release, cves, sha256: origin.sha256, signer: origin.signer };
  await audit({ what: "applied", message: `update ${id} is on the disk, in ${onDisk.join(", ")}`, ...about });
  const isLoaded = isItsKernel && targets.every(({ name }) => name === "vmlinux" || system.loadedModules().includes(name));
  const isApplied = system.engine.readUpdate(id)?.stage === "applied";
  if (!kernelToo || !isLoaded || isApplied) return { id, onDisk, applied: undefined };
  try {
    return { id, onDisk, applied: await applyGuarded(service, update, origin, options) };
  } catch (error) {
    // What an earlier command has put there stays.
    if (!had)
      await system
        .locked(async () => await takeOffDisk(id, place.root, release, tell))
        .catch((left: unknown) => {
          tell("warning", `the file stays on the disk: ${messageOf(left)}; ksplice undo ${id} takes it away`);
        });
    throw error;
  }
}

export interface UndoneResult extends UndoResult {
  /** Modules that were taken off the disk. */
  readonly offDisk: readonly string[];
  /** Modules that were loaded with the update in them: they keep it until they are unloaded. */
  readonly staysIn: readonly string[];
}

/**
 * Takes an update out of the running kernel, where it is applied, and off the disk, where it is. In this order: what the kernel does not let go stays on the disk, too.
 * @throws Refusal `disk-module-of-newer`, and as of undoNoted; `unknown-update` where it is in neither
 */
export async function undoEverywhere(service: Service, id: string, options: UndoOptions): Promise<UndoneResult> {
  const { system, audit } = service;
  const { release } = system.identity();
  const onDisk = await kept(service, release);
  const isOnDisk = onDisk.some((module) => module.id === id);
  const staysIn = modulesWith(system, id);
  const state = system.engine.readUpdate(id);
  if (!isOnDisk && (staysIn.length === 0 || state !== undefined))
    return { ...(await undoNoted(service, id, options)), offDisk: [], staysIn };
  system.requireRoot();
  requireNoneNewer(id, onDisk);
  const inKernel = state !== undefined && (state.stage !== "resident" || options.unload === true);
  const undone = inKernel ? await undoNoted(service, id, options) : { id, stopNs: 0, attempts: 0, isResident: false };
  const offDisk = await removeFromDisk(service, id, release);
  if (offDisk.length > 0 && !inKernel) await audit({ what: "undone", message: `update ${id} is off the disk`, id, release });
  return { ...undone, offDisk, staysIn };
}

/** @returns names of the modules that the update had on the disk */
export async function removeFromDisk({ system, place, tell }: Service, id: string, release: string): Promise<string[]> {
  return await system.locked(async () => await takeOffDisk(id, place.root, release, tell));
}

/** What updates have on the disk for a kernel; none where that cannot be read, which is said. */
export async function kept({ place, tell }: Pick<Service, "place" | "tell">, release: string): Promise<DiskModule[]> {
  try {
    return await new ModuleDirectory(place.root, release).list();
  } catch (error) {
    tell("warning", messageOf(error));
    return [];
  }
}

/** The modules that were loaded with an update in them. */
export function modulesWith(system: Pick<RunningSystem, "loadedModules" | "moduleMarks">, id: string): string[] {
  return system.loadedModules().filter((module) => system.moduleMarks(module).includes(id));
}

/** In words, for outcomes and the status. */
export const cameWith = (modules: readonly string[]): string => `${modules.join(", ")} came with it from the disk`;
export const willComeWith = (modules: readonly string[]): string => `${modules.join(", ")} is not loaded, and comes with it from the disk`;
