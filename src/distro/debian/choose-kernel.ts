import { byVersion, listDebianKernels, type DebianKernel } from "./debian-kernels.js";

/** Kernels of a series that an update can be made for: the plain amd64 flavour, with its source in the archive, oldest first. */
export async function usableKernels(series: string): Promise<DebianKernel[]> {
  const kernels = await listDebianKernels();
  const isPlain = (release: string): boolean => !/-(rt|cloud)-amd64$/.test(release);
  return kernels
    .filter((kernel) => kernel.sourceAvailable && kernel.version.startsWith(`${series}.`) && isPlain(kernel.release))
    .sort(byVersion);
}
