import { compareDebianVersions } from "../src/distro/debian/debian-version.js";
import type { ArchiveKernel } from "../src/distro/distro.js";

/** A kernel, and the source that holds fixes of it. */
export interface KernelAndFixes {
  readonly kernel: ArchiveKernel;
  /** Version of the archive's newest source; undefined where the kernel is built from it. */
  readonly fixedIn: string | undefined;
}

/**
 * What a machine runs that was up to date before the last update but has not been rebooted since: the newest kernel of an earlier upstream version than the
 * newest source. (A new revision of the same upstream version may change nothing but the packaging.) Where the archive has only one version, its kernel.
 * @param kernels oldest first, of one series
 * @param sources oldest first, of the same
 */
export function chooseKernel(kernels: readonly ArchiveKernel[], sources: readonly string[]): KernelAndFixes | undefined {
  const newest = sources.at(-1);
  const before =
    newest === undefined
      ? undefined
      : kernels.findLast(({ version }) => compareDebianVersions(upstreamOf(version), upstreamOf(newest)) < 0);
  if (before !== undefined) return { kernel: before, fixedIn: newest };
  const last = kernels.at(-1);
  return last && { kernel: last, fixedIn: undefined };
}

function upstreamOf(version: string): string {
  return version.replace(/-[^-]*$/, "");
}
