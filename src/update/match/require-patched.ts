import { parseObject } from "../../elf/parse-object.js";
import type { LiveKernel } from "../../kernel/live/live-kernel.js";
import { matchUnit } from "../../match/match-unit.js";
import { readingObjects } from "../file/reading-objects.js";
import { requireFile, type Update } from "../file/update-file.js";
import { marksDiffer } from "./refusals.js";

/**
 * Sees that modules which were loaded from the disk with an update have the code of its patched source. A mark says that only.
 * @returns how many functions were compared
 * @throws Refusal `marked-module-differs`
 */
export function requirePatched(update: Update, targets: readonly string[], kernel: LiveKernel): number {
  const { manifest } = update;
  let functions = 0;
  for (const { name, units } of manifest.targets) {
    if (!targets.includes(name)) continue;
    for (const { path, post } of units) {
      const match = readingObjects(manifest.id, () =>
        matchUnit(parseObject(requireFile(update, post), post), { path, target: name }, kernel),
      );
      if (match.kind === "mismatch") throw marksDiffer(name, manifest.id, path);
      functions += match.statistics.matched;
    }
  }
  return functions;
}
