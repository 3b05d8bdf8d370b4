import { readTextIfThere, isDirectory } from "../../host/files.js";
import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { release as runningRelease } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { silentProgress, type Progress } from "../../diagnostics.js";
import type { DebianPackage } from "./apt.js";
import { byVersion, findKernelPackages, isRealTime, kernelsOf, releaseOf, sourceVersionOf, type KernelPackages } from "./debian-kernels.js";
import { packageCache, requireSourcePackage } from "./debian-source.js";
import { downloadPackage } from "./download.js";
import { directoryInUse, noSuchRelease, packageNotInArchive, sourceNotInArchive } from "./refusals.js";
import { findImageBtf } from "../../tree/image/image-btf.js";
import { findBuildId } from "../../tree/image/image-build-id.js";
import { decodeKallsyms } from "../../tree/image/decode-kallsyms.js";
import { unpackImage } from "../../tree/image/unpack-image.js";
import { checkUnpackTools, unpackPackage, unpackSourceTree } from "./unpack.js";

export { listDebianKernels, listDebianSources, type DebianKernel } from "./debian-kernels.js";
export { downloadDebianSource, readSourceFiles } from "./debian-source.js";

export interface PrepareRequest {
  /** Default: the running kernel's. */
  readonly release?: string;
  /** The tree to make. */
  readonly dir: string;
  /** Where downloads are kept. */
  readonly cacheDir: string;
  readonly progress?: Progress;
}

/** What `DIR/ksplice/kernel.json` holds. It is written last: a tree that has it is whole. */
export interface PreparedDistribution {
  readonly distribution: "debian";
  readonly release: string;
  /** Of the source. */
  readonly version: string;
  /** Of the kernel in the image, hex. */
  readonly buildId?: string;
  /** Package files that the tree was made of. */
  readonly packages: readonly string[];
}

const RECORD = "ksplice/kernel.json";

/** What of the headers package a build needs. Its Makefile and links lead to places under /usr where it is not installed. */
const HEADERS_KEPT = ["Module.symvers", ".config", "include", "arch", "vmlinux"];

/**
 * Makes a kernel tree of a Debian kernel, installing nothing: the source in `dir`, and in `dir/ksplice` its `.config`, the headers as `build`,
 * the image (`image/boot/vmlinuz-REL`, `image/lib/modules/REL`), and its types (`btf/vmlinux`). The packages linux-headers-…-common and linux-kbuild-… are
 * not fetched: all they hold comes out of the source. A directory that holds this kernel already is left as it is. The tree appears whole or not at all.
 * @throws Refusal if the archive lacks a part (the message lists the kernels that are there), or the directory is in use
 */
export async function prepareDebianKernel(request: PrepareRequest): Promise<PreparedDistribution> {
  const progress = request.progress ?? silentProgress;
  const release = request.release ?? runningRelease();
  const directory = resolve(request.dir);
  const existing = await readRecord(directory);
  if (existing?.release === release) return existing;
  if (!(await isFree(directory))) throw directoryInUse(directory);

  await checkUnpackTools();
  progress(`looking for ${release} in the package lists`);
  const parts = chooseParts(await findKernelPackages(), release);
  const debs = new Map<DebianPackage, string>();
  for (const part of [parts.headers, parts.image, parts.source])
    debs.set(part, await downloadPackage(part, packageCache(request.cacheDir), progress));

  await mkdir(dirname(directory), { recursive: true });
  const prefix = `.${basename(directory)}-unfinished-`;
  await removeAbandoned(dirname(directory), prefix);
  const unfinished = await mkdtemp(join(dirname(directory), `${prefix}${process.pid}-`));
  try {
    const debOf = (part: DebianPackage): string => debs.get(part) ?? "";
    progress(`unpacking ${parts.source.name} ${parts.version}`);
    await unpackSourceTree(debOf(parts.source), parts.source.name, unfinished);
    progress(`unpacking ${parts.headers.name} and ${parts.image.name}`);
    await unpackHeaders(debOf(parts.headers), release, join(unfinished, "ksplice"));
    await unpackPackage(debOf(parts.image), join(unfinished, "ksplice/image"), ["./boot", "./lib"]);
    progress(`reading the symbols and types of ${release}`);
    const vmlinux = await unpackImage(join(unfinished, "ksplice/image/boot", `vmlinuz-${release}`));
    const buildId = vmlinux === undefined ? undefined : findBuildId(vmlinux);
    const symbols = vmlinux === undefined ? undefined : decodeKallsyms(vmlinux);
    if (symbols !== undefined) await writeFile(join(unfinished, "ksplice/System.map"), symbols.join(""));
    const btf = vmlinux === undefined ? undefined : findImageBtf(vmlinux);
    if (btf !== undefined) {
      await mkdir(join(unfinished, "ksplice/btf"));
      await writeFile(join(unfinished, "ksplice/btf/vmlinux"), btf);
    }
    const record: PreparedDistribution = {
      distribution: "debian",
      release,
      version: parts.version,
      ...(buildId === undefined ? {} : { buildId }),
      packages: [...debs.keys()].map((part) => part.fileName),
    };
    await writeFile(join(unfinished, RECORD), `${JSON.stringify(record, undefined, 2)}\n`);
    await chmod(unfinished, 0o755);
    if (await isDirectory(directory)) await rmdir(directory);
    await rename(unfinished, directory);
    return record;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** Deletes what preparations of the same tree left that were killed: their directories bear the process's number. */
async function removeAbandoned(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (!Number.isNaN(pid) && !isAlive(pid)) await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user's is alive too.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

async function readRecord(directory: string): Promise<PreparedDistribution | undefined> {
  const text = await readTextIfThere(join(directory, RECORD));
  return text === undefined ? undefined : (JSON.parse(text) as PreparedDistribution);
}

/** True where there is nothing, or an empty directory. */
async function isFree(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT";
  }
}

interface Parts {
  readonly version: string;
  readonly image: DebianPackage;
  readonly headers: DebianPackage;
  readonly source: DebianPackage;
}

function chooseParts(packages: KernelPackages, release: string): Parts {
  const there = kernelsOf(packages)
    .filter((kernel) => kernel.sourceAvailable)
    .map((kernel) => `  ${kernel.release} (${kernel.version})`);
  // The image as it is signed and shipped, if the archive has it; the newest if a release was rebuilt.
  const [image] = packages.images
    .filter((entry) => releaseOf(entry) === release)
    .sort((a, b) => byVersion(b, a) || a.name.length - b.name.length);
  if (image === undefined) throw noSuchRelease(release, there);
  const version = sourceVersionOf(image);
  if (isRealTime(release) || !packages.sources.some((entry) => entry.version === version))
    throw sourceNotInArchive(release, version, there);
  const headers = packages.headers.find((entry) => entry.name === `linux-headers-${release}` && entry.version === version);
  if (headers === undefined) throw packageNotInArchive(`linux-headers-${release}`, version);
  return { version, image, headers, source: requireSourcePackage(packages, version) };
}

async function unpackHeaders(deb: string, release: string, target: string): Promise<void> {
  const unpacked = join(target, "headers");
  await unpackPackage(deb, unpacked);
  const top = join(unpacked, "usr/src", `linux-headers-${release}`);
  await mkdir(join(target, "build"), { recursive: true });
  for (const name of HEADERS_KEPT) await rename(join(top, name), join(target, "build", name)).catch(ignoreMissing);
  await cp(join(target, "build/.config"), join(target, ".config"));
  await rm(unpacked, { recursive: true, force: true });
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}
