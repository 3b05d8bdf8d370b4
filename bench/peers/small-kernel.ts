import { join } from "node:path";
import { ownKernel, type OwnKernel } from "../../lab/own-kernel.js";
import { prepareDebianKernel } from "../../src/distro/debian/prepare-kernel.js";
import { usableKernels } from "../../src/distro/debian/usable-kernels.js";
import type { ArchivePlace } from "../../src/distro/distro.js";
import type { BuildRoot } from "../../src/host/build-root.js";
import { SUITE } from "./tool-root.js";

/** A kernel that the tools patch: all of them in the same way where they can. */
export interface PatchedKernel extends OwnKernel {
  /** `7.3`: what Debian calls the source package by. */
  readonly series: string;
  /** The clean source that it was built from. */
  readonly source: string;
  /** Lines of its `.config` besides `tinyconfig` and what a machine needs. */
  readonly options: readonly string[];
}

/** What the tools ask of a kernel: livepatch with all that it depends on, and of `kpatch-build` debugging information and no IBT. */
const OPTIONS = [
  ...["FTRACE", "FUNCTION_TRACER", "DYNAMIC_FTRACE", "LIVEPATCH", "STACK_VALIDATION", "DEBUG_INFO", "DEBUG_INFO_DWARF5", "JUMP_LABEL"].map(
    (name) => `CONFIG_${name}=y`,
  ),
  "# CONFIG_DEBUG_INFO_NONE is not set",
  "# CONFIG_X86_KERNEL_IBT is not set",
  // Without its timer the kernel does not find out how fast its clock is, and cannot say how long anything takes.
  "CONFIG_ACPI=y",
];

/** A small kernel of Debian's source of a series, built by the root's compiler. Minutes once; then from the cache. */
export async function smallKernel(series: string, root: BuildRoot, place: ArchivePlace): Promise<PatchedKernel> {
  const found = (await usableKernels(series, { ...place, suite: SUITE })).at(-1);
  if (found === undefined) throw new Error(`the archive of ${SUITE} has no ${series} kernel together with its source`);
  const source = join(place.cacheDir, "trees", found.release);
  await prepareDebianKernel({ release: found.release, dir: source, suite: SUITE, ...place });
  place.tell?.("stage", `building a small ${series} kernel, unless it is there`);
  const kernel = await ownKernel(source, { config: OPTIONS, root });
  return { ...kernel, series, source, options: OPTIONS };
}
