import type { LiveKernel } from "../../kernel/live/live-kernel.js";
import { checkRunningKernel } from "./check-running-kernel.js";
import type { MatchedUpdate } from "../match/match-update.js";
import { prelinkCore, prelinkTarget, type PrelinkedPart } from "./prelink.js";
import { readingObjects } from "../file/reading-objects.js";
import { requireFile, type Update } from "../file/update-file.js";

/**
 * The modules of all targets that are loaded.
 * @throws Refusal `still-referred`, `name-taken`, `bad-update` for one that is none, `unresolved-symbol`, `runtime-constant`, `no-trampoline-site`
 */
export function prelinkUpdate(update: Update, { targets, matches }: MatchedUpdate, run: LiveKernel): PrelinkedPart[] {
  checkRunningKernel({ targets, matches }, run);
  const { id, description, after } = update.manifest;
  const exports = new Set(targets.flatMap((target) => target.exports));
  const identity = { id, description, partCount: targets.length, exports, below: modulesOf(after, run) };
  return targets.map((target) => readingObjects(id, () => prelinkTarget(requireFile(update, target.file), target, identity, matches, run)));
}

/** Of those of the updates that are applied. */
function modulesOf(ids: readonly string[], { modules, updates }: LiveKernel): string[] {
  const applied = new Set(updates.filter(({ stage }) => stage === "applied").map(({ id }) => id));
  const prefixes = ids.filter((id) => applied.has(id)).map((id) => `ksplice_${id}_`);
  return modules.map(({ name }) => name).filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));
}

/**
 * The core that the update brings.
 * @throws Refusal `unresolved-symbol`; `bad-update` where it is no object
 */
export function prelinkItsCore(update: Update, run: LiveKernel): Uint8Array {
  const { id, core } = update.manifest;
  return readingObjects(id, () => prelinkCore(requireFile(update, core), run));
}
