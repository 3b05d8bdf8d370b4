import { silentProgress, type Progress } from "../diagnostics.js";
import { notInConfig } from "./refusals.js";
import type { PreparedBuild, Unit } from "./types.js";
import { findUnitCommands } from "./unit-command.js";

export interface FindUnitsOptions {
  readonly progress?: Progress;
  /** Is told what the user should know of files that have no part in the update. */
  readonly note?: (message: string) => void;
}

/**
 * The compilation units of this configuration that the touched files are compiled into, in order of their paths.
 * @param touched paths from the top of the tree
 */
export async function findUnits(build: PreparedBuild, touched: readonly string[], options: FindUnitsOptions = {}): Promise<Unit[]> {
  (options.progress ?? silentProgress)("finding the objects that the patch touches");
  const objects = touched.filter((path) => path.endsWith(".c")).map((path) => path.replace(/\.c$/, ".o"));
  const commands = await findUnitCommands(build, objects);
  for (const path of touched) if (!commands.has(path.replace(/\.c$/, ".o"))) throw notInConfig(path);
  return [...commands.values()].map((command) => command.unit).sort((a, b) => (a.path < b.path ? -1 : 1));
}
