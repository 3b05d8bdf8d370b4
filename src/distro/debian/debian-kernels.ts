import type { ArchiveKernel, ArchivePlace } from "../distro.js";
import { findPackages, MACHINE_APT, type Apt, type DebianPackage } from "./apt.js";
import { compareDebianVersions } from "./debian-version.js";
import { openSuite } from "./suite.js";

/** What of an archive concerns kernels; one look-up takes a second. */
export interface KernelPackages {
  readonly apt: Apt;
  readonly images: readonly DebianPackage[];
  readonly headers: readonly DebianPackage[];
  readonly sources: readonly DebianPackage[];
  /** Where the image package is empty and depends on these: `linux-binary-…`, `linux-modules-…`, `linux-base-…`. */
  readonly parts: readonly DebianPackage[];
}

/** An image of a definite release; `linux-image-amd64` and `linux-image-6.12-amd64` only depend on one. */
const IMAGE_NAME = /^linux-image-(\d+\.\d+\.\d+\S*-amd64)(-unsigned)?$/;

/**
 * The packages that kernels are made of, in a suite or in what apt knows of this machine.
 * @throws Refusal `no-package-lists`, `no-apt`
 */
export async function findKernelPackages(place: Pick<ArchivePlace, "cacheDir" | "suite" | "sources" | "tell">): Promise<KernelPackages> {
  const apt = await openPlace(place);
  const packages = await findPackages(
    [
      "^linux-(image|binary|modules|base)-[0-9].*-amd64$",
      "^linux-(image|binary)-[0-9].*-amd64-unsigned$",
      "^linux-headers-[0-9].*-amd64$",
      "^linux-source-[0-9.]*$",
    ],
    apt,
  );
  return {
    apt,
    images: packages.filter((entry) => IMAGE_NAME.test(entry.name)),
    headers: packages.filter((entry) => entry.name.startsWith("linux-headers-")),
    sources: packages.filter((entry) => entry.name.startsWith("linux-source-")).sort(byVersion),
    parts: packages.filter((entry) => /^linux-(binary|modules|base)-/.test(entry.name)),
  };
}

async function openPlace(place: ArchivePlace): Promise<Apt> {
  const { suite, sources } = place;
  if (sources !== undefined && sources.length > 0) return await openSuite({ sources }, place);
  return suite === undefined ? MACHINE_APT : await openSuite({ suite }, place);
}

/** Older before newer. */
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

/** The real-time flavour, which needs a further patch where the source has it beside the tree. */
export function isRealTime(release: string): boolean {
  return /-rt-[^-]+$/.test(release);
}

/** Every kernel of the lists, oldest first. */
export function kernelsOf(packages: KernelPackages): ArchiveKernel[] {
  const sources = new Set(packages.sources.map((entry) => entry.version));
  const headers = new Set(packages.headers.map((entry) => `${entry.name} ${entry.version}`));
  const kernels = new Map<string, ArchiveKernel>();
  for (const image of packages.images) {
    const [release, version] = [releaseOf(image), sourceVersionOf(image)];
    const sourceAvailable = sources.has(version) && headers.has(`linux-headers-${release} ${version}`);
    kernels.set(`${release} ${version}`, { release, version, sourceAvailable });
  }
  return [...kernels.values()].sort((a, b) => byVersion(a, b) || (a.release < b.release ? -1 : 1));
}
