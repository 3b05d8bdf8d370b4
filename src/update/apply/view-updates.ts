import type { LoadedUpdate } from "../../engine/core/ksplice-sysfs.js";
import { unknownUpdate } from "./refusals.js";
import { thisSystem, type RunningSystem } from "./running-system.js";

/** An update in the running kernel, and who stands before it. */
export interface ViewedUpdate extends LoadedUpdate {
  /** Its functions that do not run, as a livepatch that came later has taken their place. */
  readonly overridden: readonly { readonly name: string; readonly livepatch: string }[];
}

/** Every update that the running kernel holds. */
export function viewKernel(system: RunningSystem = thisSystem()): ViewedUpdate[] {
  return system.engine.listIds().flatMap((id) => withLivepatches(system, id) ?? []);
}

function withLivepatches(system: RunningSystem, id: string): ViewedUpdate | undefined {
  const update = system.engine.readUpdate(id);
  if (update === undefined) return undefined;
  const livepatched = update.stage === "applied" ? system.livepatchedFunctions() : [];
  const overridden = update.functions.flatMap(({ name, target }) => {
    const held = livepatched.find((entry) => entry.target === target && entry.name === name);
    return held === undefined ? [] : [{ name, livepatch: held.patch }];
  });
  return { ...update, overridden };
}

/** @throws Refusal `unknown-update` */
export function viewUpdateInKernel(id: string, system: RunningSystem = thisSystem()): ViewedUpdate {
  const state = withLivepatches(system, id);
  if (state === undefined) throw unknownUpdate(id, system.engine.listIds());
  return state;
}
