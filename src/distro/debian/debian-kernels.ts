import { findPackages, type DebianPackage } from "./apt.js";
import { compareDebianVersions } from "./debian-version.js";

/** A kernel that Debian's archive has for this architecture. */
export interface DebianKernel {
  /** As `uname -r` says it: `6.1.0-47-amd64`. */
  readonly release: string;
  /** Of the source it was built from: `6.1.170-3`. */
  readonly version: string;
  /** The archive has linux-source of this very version, and the headers. */
  readonly sourceAvailable: boolean;
}

/** What of the archive concerns kernels; one look-up takes a second. */
export interface KernelPackages {
  readonly images: readonly DebianPackage[];
  readonly headers: readonly DebianPackage[];
  readonly sources: readonly DebianPackage[];
}

/** An image of a definite release; `linux-image-amd64` and `linux-image-6.12-amd64` only depend on one. */
const IMAGE_NAME = /^linux-image-(\d+\.\d+\.\d+\S*-amd64)(-unsigned)?$/;

export async function findKernelPackages(): Promise<KernelPackages> {
  const packages = await findPackages([
    "^linux-image-[0-9].*-amd64$",
    "^linux-image-[0-9].*-amd64-unsigned$",
    "^linux-headers-[0-9].*-amd64$",
    "^linux-source-[0-9.]*$",
  ]);
  return {
    images: packages.filter((entry) => IMAGE_NAME.test(entry.name)),
    headers: packages.filter((entry) => entry.name.startsWith("linux-headers-")),
    sources: packages.filter((entry) => entry.name.startsWith("linux-source-")).sort(byVersion),
  };
}

export function byVersion(a: { readonly version: string }, b: { readonly version: string }): number {
  return compareDebianVersions(a.version, b.version);
}

/** Release of an image package. */
export function releaseOf(image: DebianPackage): string {
  return IMAGE_NAME.exec(image.name)?.[1] ?? "";
}

/** Version of the source that an image holds the code of. The signed images are rebuilt packages that name it. */
export function sourceVersionOf(image: DebianPackage): string {
  return /\blinux\S* \(= ([^)]+)\)/.exec(image.builtUsing)?.[1] ?? image.version;
}

/** The real-time flavour is built with a further patch that linux-source only holds beside the tree. */
export function isRealTime(release: string): boolean {
  return /-rt-[^-]+$/.test(release);
}

/** Every kernel of the lists, oldest first. */
export function kernelsOf(packages: KernelPackages): DebianKernel[] {
  const sources = new Set(packages.sources.map((entry) => entry.version));
  const headers = new Set(packages.headers.map((entry) => `${entry.name} ${entry.version}`));
  const kernels = new Map<string, DebianKernel>();
  for (const image of packages.images) {
    const [release, version] = [releaseOf(image), sourceVersionOf(image)];
    const sourceAvailable = !isRealTime(release) && sources.has(version) && headers.has(`linux-headers-${release} ${version}`);
    kernels.set(`${release} ${version}`, { release, version, sourceAvailable });
  }
  return [...kernels.values()].sort((a, b) => byVersion(a, b) || (a.release < b.release ? -1 : 1));
}

/** The kernels that the archive has for amd64, all flavours, oldest first. */
export async function listDebianKernels(): Promise<DebianKernel[]> {
  return kernelsOf(await findKernelPackages());
}

/** The versions of a kernel series (`6.1`) that the archive has the source of, oldest first. */
export async function listDebianSources(series: string): Promise<string[]> {
  const { sources } = await findKernelPackages();
  return sources.filter((entry) => entry.name === `linux-source-${series}`).map((entry) => entry.version);
}
