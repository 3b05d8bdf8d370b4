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
  const { id, description } = update.manifest;
  const identity = { id, description, partCount: targets.length, exports: new Set(targets.flatMap((target) => target.exports)) };
  return targets.map((target) => readingObjects(id, () => prelinkTarget(requireFile(update, target.file), target, identity, matches, run)));
}

/**
 * The core that the update brings.
 * @throws Refusal `unresolved-symbol`; `bad-update` where it is no object
 */
export function prelinkItsCore(update: Update, run: LiveKernel): Uint8Array {
  const { id, core } = update.manifest;
  return readingObjects(id, () => prelinkCore(requireFile(update, core), run));
}
