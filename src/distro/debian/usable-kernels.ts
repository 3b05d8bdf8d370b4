import type { ArchiveKernel, ArchivePlace } from "../distro.js";
import { candidateVersion } from "./apt.js";
import { byVersion, findKernelPackages, kernelsOf } from "./debian-kernels.js";

/** Kernels of a series (`6.12`; all where it is empty) that an update can be made for: the plain amd64 flavour, with its source in the archive, oldest first. */
export async function usableKernels(series: string, place: ArchivePlace): Promise<ArchiveKernel[]> {
  const kernels = kernelsOf(await findKernelPackages(place));
  const isPlain = (release: string): boolean => !/-(rt|cloud)-amd64$/.test(release);
  return kernels
    .filter((kernel) => kernel.sourceAvailable && kernel.version.startsWith(series === "" ? "" : `${series}.`) && isPlain(kernel.release))
    .sort(byVersion);
}

/** The series of the kernel that this release of Debian installs (`6.12`); undefined where the package lists have none. */
export async function currentSeries(): Promise<string | undefined> {
  return /^\d+\.\d+/.exec((await candidateVersion("linux-image-amd64")) ?? "")?.[0];
}
