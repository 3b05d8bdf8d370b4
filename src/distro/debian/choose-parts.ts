import type { ArchivePlace } from "../distro.js";
import type { Apt, DebianPackage } from "./apt.js";
import { byVersion, findKernelPackages, kernelsOf, releaseOf, sourceVersionOf, type KernelPackages } from "./debian-kernels.js";
import { requireSourcePackage } from "./debian-source.js";
import { noSuchRelease, packageNotInArchive, sourceNotInArchive } from "./refusals.js";
import { machineSuite, suiteOfKernel } from "./suite.js";

/** The packages that one kernel is made of. */
export interface KernelParts {
  readonly apt: Apt;
  /** Of the source. */
  readonly version: string;
  /** One package, or several where the image is split. */
  readonly image: readonly DebianPackage[];
  readonly headers: DebianPackage;
  readonly source: DebianPackage;
}

/**
 * Looks for a kernel in the machine's own sources, then in those of the Debian release that the kernel's name shows, if that is another; or in those that
 * were asked for.
 * @throws Refusal that lists the kernels that are there
 */
export async function findKernelParts(release: string, place: ArchivePlace): Promise<KernelParts> {
  const packages = await findKernelPackages(place);
  const suite = suiteOfKernel(release);
  const isGiven = place.suite !== undefined || (place.sources ?? []).length > 0;
  const isThere = packages.images.some((image) => releaseOf(image) === release);
  if (isGiven || isThere || suite === undefined || suite === (await machineSuite())) return chooseParts(packages, release);
  return chooseParts(await findKernelPackages({ ...place, suite }), release);
}

function chooseParts(packages: KernelPackages, release: string): KernelParts {
  const there = kernelsOf(packages)
    .filter((kernel) => kernel.sourceAvailable)
    .map((kernel) => `  ${kernel.release} (${kernel.version})`);
  // The image as it is signed and shipped, if the archive has it; the newest if a release was rebuilt.
  const [image] = packages.images
    .filter((entry) => releaseOf(entry) === release)
    .sort((a, b) => byVersion(b, a) || a.name.length - b.name.length);
  if (image === undefined) throw noSuchRelease(release, there);
  const version = sourceVersionOf(image);
  if (!packages.sources.some((entry) => entry.version === version)) throw sourceNotInArchive(release, version, there);
  const headers = packages.headers.find((entry) => entry.name === `linux-headers-${release}` && entry.version === version);
  if (headers === undefined) throw packageNotInArchive(`linux-headers-${release}`, version);
  return { apt: packages.apt, version, image: splitImage(packages, image), headers, source: requireSourcePackage(packages, version) };
}

/** The packages that hold what the image package is named for: since 7.1 it only depends on others. What is built in stands in the base package. */
function splitImage({ parts }: KernelPackages, image: DebianPackage): DebianPackage[] {
  const named = (name: string): DebianPackage | undefined => parts.find((part) => part.name === name && part.version === image.version);
  const partOf = (kind: string): DebianPackage | undefined =>
    named(image.name.replace("linux-image-", `linux-${kind}-`)) ?? named(`linux-${kind}-${releaseOf(image)}`);
  const [binary, ...others] = ["binary", "modules", "base"].map(partOf);
  if (binary === undefined) return [image];
  const further = others.filter((part) => part !== undefined);
  return further.some(({ name }) => name.startsWith("linux-modules-")) ? [binary, ...further] : [image, binary, ...further];
}
