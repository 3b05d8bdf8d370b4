import { KspliceSysfs, type LoadedUpdate } from "../../engine/core/ksplice-sysfs.js";
import { unknownUpdate } from "./refusals.js";

/** Every update that the running kernel holds. */
export function viewKernel(sysfs = new KspliceSysfs()): LoadedUpdate[] {
  return sysfs.listIds().flatMap((id) => sysfs.readUpdate(id) ?? []);
}

/** @throws Refusal `unknown-update` */
export function viewUpdateInKernel(id: string, sysfs = new KspliceSysfs()): LoadedUpdate {
  const state = sysfs.readUpdate(id);
  if (state === undefined) throw unknownUpdate(id, sysfs.listIds());
  return state;
}
