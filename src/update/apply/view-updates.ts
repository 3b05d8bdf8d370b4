import { KspliceSysfs, type LoadedUpdate } from "../../engine/core/ksplice-sysfs.js";
import { readLivepatchedFunctions } from "../../kernel/live/livepatches.js";
import { unknownUpdate } from "./refusals.js";

/** An update in the running kernel, and who stands before it. */
export interface ViewedUpdate extends LoadedUpdate {
  /** Its functions that do not run, as a livepatch that came later has taken their place. */
  readonly overridden: readonly { readonly name: string; readonly livepatch: string }[];
}

/** Every update that the running kernel holds. */
export function viewKernel(sysfs = new KspliceSysfs()): ViewedUpdate[] {
  return sysfs.listIds().flatMap((id) => withLivepatches(sysfs.readUpdate(id)) ?? []);
}

function withLivepatches(update: LoadedUpdate | undefined): ViewedUpdate | undefined {
  if (update === undefined) return undefined;
  const livepatched = update.stage === "applied" ? readLivepatchedFunctions() : [];
  const overridden = update.functions.flatMap(({ name, target }) => {
    const held = livepatched.find((entry) => entry.target === target && entry.name === name);
    return held === undefined ? [] : [{ name, livepatch: held.patch }];
  });
  return { ...update, overridden };
}

/** @throws Refusal `unknown-update` */
export function viewUpdateInKernel(id: string, sysfs = new KspliceSysfs()): ViewedUpdate {
  const state = withLivepatches(sysfs.readUpdate(id));
  if (state === undefined) throw unknownUpdate(id, sysfs.listIds());
  return state;
}
