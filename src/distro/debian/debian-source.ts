import { readBytesIfThere } from "../../host/files.js";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { silentProgress, type Progress } from "../../diagnostics.js";
import { findKernelPackages, type KernelPackages } from "./debian-kernels.js";
import type { DebianPackage } from "./apt.js";
import { downloadPackage } from "./download.js";
import { noSuchSourceFile, packageNotInArchive } from "./refusals.js";
import { unpackSourceFiles, unpackSourceTree } from "./unpack.js";

export interface SourceOptions {
  readonly cacheDir: string;
  readonly progress?: Progress;
}

/** The linux-source package of a version. @throws Refusal if the archive does not have it */
export function requireSourcePackage(packages: KernelPackages, version: string): DebianPackage {
  const source = packages.sources.find((entry) => entry.version === version);
  if (source === undefined) throw packageNotInArchive("linux-source", version);
  return source;
}

/** Where downloaded packages are kept. */
export function packageCache(cacheDir: string): string {
  return join(cacheDir, "packages");
}

/** Downloads the source of a version (`6.1.176-1`) and unpacks the whole tree into `directory`. */
export async function downloadDebianSource(version: string, directory: string, options: SourceOptions): Promise<void> {
  const source = requireSourcePackage(await findKernelPackages(), version);
  const deb = await downloadPackage(source, packageCache(options.cacheDir), options.progress);
  (options.progress ?? silentProgress)(`unpacking ${source.name} ${version}`);
  await unpackSourceTree(deb, source.name, directory);
}

/**
 * Some files of the source of a version, by path from the top of the tree. They are kept in the cache: the first time takes 10 s.
 * @throws Refusal if the archive does not have that version, or the version not that file
 */
export async function readSourceFiles(version: string, paths: readonly string[], options: SourceOptions): Promise<Map<string, Uint8Array>> {
  const kept = join(options.cacheDir, "source-files", version);
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

  const source = requireSourcePackage(await findKernelPackages(), version);
  const deb = await downloadPackage(source, packageCache(options.cacheDir), options.progress);
  (options.progress ?? silentProgress)(`unpacking ${missing.join(", ")} of ${source.name} ${version}`);
  await mkdir(kept, { recursive: true });
  const unfinished = await mkdtemp(join(options.cacheDir, "source-files", "unpack-"));
  try {
    await unpackSourceFiles(deb, source.name, missing, unfinished);
    for (const path of missing) {
      await mkdir(dirname(join(kept, path)), { recursive: true });
      await rename(join(unfinished, path), join(kept, path)).catch(() => {
        throw noSuchSourceFile(path, version);
      });
    }
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  await load();
  return files;
}
