import { CORE_MODULE, coreEngine } from "../../engine/core/core-engine.js";
import type { Engine } from "../../engine/engine.js";
import { withKernelLock } from "../../host/lock.js";
import { readKernelIdentity, type KernelIdentity } from "../../kernel/live/kernel-facts.js";
import { openLiveKernel, type LiveKernel, type LiveKernelOptions } from "../../kernel/live/live-kernel.js";
import { readLivepatchedFunctions, type LivepatchedFunction } from "../../kernel/live/livepatches.js";
import { readModuleMarks } from "../../kernel/live/module-marks.js";
import { readModulePolicy, type ModulePolicy } from "../../kernel/live/module-policy.js";
import { readLoadedModules } from "../../kernel/live/modules.js";
import { requireRoot } from "../../kernel/live/privilege.js";

/** The system that updates are applied in: its kernel, and what changes that. Tests bring one of their own. */
export interface RunningSystem {
  readonly engine: Engine;
  /** @throws Refusal `not-root` */
  requireRoot(): void;
  identity(): KernelIdentity;
  /** As it is now: what was read of memory is kept, so it is opened anew after a change. */
  openKernel(options?: Pick<LiveKernelOptions, "without" | "systemMap">): LiveKernel;
  /** Names of the modules that are loaded. */
  loadedModules(): readonly string[];
  /** Ids of the updates that a loaded module came with from the disk, oldest first. */
  moduleMarks(module: string): readonly string[];
  livepatchedFunctions(): readonly LivepatchedFunction[];
  /** What it asks of modules. */
  modulePolicy(): ModulePolicy;
  /** Runs `action` while no other command changes this kernel. @throws Refusal `locked` */
  locked<T>(action: () => Promise<T>): Promise<T>;
}

/** The system that this program runs in. */
export function thisSystem(): RunningSystem {
  return {
    engine: coreEngine(),
    requireRoot,
    identity: () => readKernelIdentity(),
    openKernel: (options) => openLiveKernel(options),
    loadedModules: () => readLoadedModules().map(({ name }) => name),
    moduleMarks: (module) => readModuleMarks(module),
    livepatchedFunctions: () => readLivepatchedFunctions(),
    modulePolicy: () => readModulePolicy(),
    locked: async (action) => await withKernelLock(action),
  };
}

/** Unloads the modules of an update that is not applied, and the core if no other update is left. */
export async function unloadUpdate(system: RunningSystem, id: string): Promise<void> {
  const { engine } = system;
  for (const name of system.loadedModules()) if (name.startsWith(`ksplice_${id}_`)) await engine.unloadModule(name);
  if (engine.listIds().length === 0 && engine.moduleIsLoaded(CORE_MODULE)) await engine.unloadModule(CORE_MODULE);
}
