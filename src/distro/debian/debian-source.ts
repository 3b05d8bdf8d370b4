import { isMissing, readBytesIfThere } from "../../host/files.js";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { tellNobody } from "../../events.js";
import type { ArchivePlace } from "../distro.js";
import { byVersion, findKernelPackages, type KernelPackages } from "./debian-kernels.js";
import type { DebianPackage } from "./apt.js";
import { downloadPackage } from "./download.js";
import { noSuchSourceFile, packageNotInArchive } from "./refusals.js";
import { unpackSourceFiles, unpackSourceTree } from "./unpack.js";

/** The linux-source package of a version. @throws Refusal if the archive does not have it */
export function requireSourcePackage(packages: KernelPackages, version: string): DebianPackage {
  const source = packages.sources.find((entry) => entry.version === version);
  if (source === undefined) throw packageNotInArchive("linux-source", version);
  return source;
}

/** The versions of a kernel series (`6.1`) that the archive has the source of, oldest first. */
export async function listSources(series: string, place: ArchivePlace): Promise<string[]> {
  const { sources } = await findKernelPackages(place);
  return sources
    .filter((entry) => entry.name === `linux-source-${series}`)
    .sort(byVersion)
    .map((entry) => entry.version);
}

/** Where downloaded packages are kept. */
export function packageCache(cacheDir: string): string {
  return join(cacheDir, "packages");
}

/** Downloads the source of a version (`6.1.176-1`) and unpacks the whole tree into `directory`. */
export async function downloadDebianSource(version: string, directory: string, place: ArchivePlace): Promise<void> {
  const packages = await findKernelPackages(place);
  const source = requireSourcePackage(packages, version);
  const deb = await downloadPackage(source, packageCache(place.cacheDir), { apt: packages.apt, tell: place.tell });
  (place.tell ?? tellNobody)("stage", `unpacking ${source.name} ${version}`);
  await unpackSourceTree(deb, source.name, directory);
}

/**
 * Some files of the source of a version, by path from the top of the tree. They are kept in the cache: the first time takes 10 s.
 * @throws Refusal if the archive does not have that version, or the version not that file
 */
export async function readSourceFiles(version: string, paths: readonly string[], place: ArchivePlace): Promise<Map<string, Uint8Array>> {
  const kept = join(place.cacheDir, "source-files", version);
  const files = new Map<string, Uint8Array>();
  const load = async (): Promise<string[]> => {
    const missing: string[] = [];
    for (const path of paths) {
      const content = await readBytesIfThere(join(kept, path));
      if (content === undefined) missing.push(path);
      else files.set(path, content);
    }
    return missing;
  };
  const missing = await load();
  if (missing.length === 0) return files;

  const packages = await findKernelPackages(place);
  const source = requireSourcePackage(packages, version);
  const deb = await downloadPackage(source, packageCache(place.cacheDir), { apt: packages.apt, tell: place.tell });
  const what = missing.length > 3 ? `${missing.length} files` : missing.join(", ");
  (place.tell ?? tellNobody)("stage", `unpacking ${what} of ${source.name} ${version}`);
  await mkdir(kept, { recursive: true });
  const unfinished = await mkdtemp(join(place.cacheDir, "source-files", "unpack-"));
  try {
    await unpackSourceFiles(deb, source.name, missing, unfinished);
    for (const path of missing) {
      await mkdir(dirname(join(kept, path)), { recursive: true });
      await rename(join(unfinished, path), join(kept, path)).catch((error: unknown) => {
        throw isMissing(error) ? noSuchSourceFile(path, version) : error;
      });
    }
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  await load();
  return files;
}
