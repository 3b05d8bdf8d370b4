import { ElfFormatError } from "../../elf/elf-format-error.js";
import type { LiveKernel } from "../../kernel/live/live-kernel.js";
import { checkRunningKernel } from "./check-running-kernel.js";
import type { MatchedUpdate } from "../match/match-update.js";
import { prelinkTarget, type PrelinkedPart } from "./prelink.js";
import { badUpdate } from "../file/refusals.js";
import { requireFile, type Update } from "../file/update-file.js";

/**
 * The modules of all targets that are loaded.
 * @throws Refusal `still-referred`, `name-taken`, `bad-update` for one that is none, `unresolved-symbol`, `runtime-constant`, `no-trampoline-site`
 */
export function prelinkUpdate(update: Update, { targets, matches }: MatchedUpdate, run: LiveKernel): PrelinkedPart[] {
  checkRunningKernel({ targets, matches }, run);
  const { id, description } = update.manifest;
  const identity = { id, description, partCount: targets.length, exports: new Set(targets.flatMap((target) => target.exports)) };
  return targets.map((target) => {
    try {
      return prelinkTarget(requireFile(update, target.file), target, identity, matches, run);
    } catch (error) {
      if (error instanceof ElfFormatError) throw badUpdate(`ksplice-${id}`, error.message);
      throw error;
    }
  });
}
