import type { Manifest } from "../file/manifest.js";
import type { RunningSystem } from "./running-system.js";

/**
 * Of the updates that an update's source held (`ksplice create --after`), those that this kernel has not, neither applied nor with a module from the disk. Matching sees that only of units that both
 * change: code elsewhere may do what the new code relies on.
 * @param replaced id of one that is undone as this one comes
 */
export function findMissingUpdates(system: RunningSystem, { after }: Manifest, replaced?: string): readonly string[] {
  const marked = new Set(system.loadedModules().flatMap((module) => system.moduleMarks(module)));
  return after.filter((id) => id === replaced || (system.engine.readUpdate(id)?.stage !== "applied" && !marked.has(id)));
}
