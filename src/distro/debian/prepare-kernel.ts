import { chmod, mkdir, readdir, readFile, rename, rm, rmdir } from "node:fs/promises";
import { release as runningRelease } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { tellNobody } from "../../events.js";
import { isDirectory, isMissing } from "../../host/files.js";
import { makeUnfinished } from "../../host/unfinished.js";
import { parseConfig } from "../../tree/kernel-config.js";
import { buildRootPath, readKernelRecord, writeKernelRecord, type KernelRecord } from "../../tree/kernel-record.js";
import { hasToolchain } from "../../tree/toolchain.js";
import type { PrepareRequest } from "../distro.js";
import type { Apt, DebianPackage } from "./apt.js";
import { findKernelParts } from "./choose-parts.js";
import { packageCache } from "./debian-source.js";
import { downloadPackage } from "./download.js";
import { makeBuildRoot } from "./make-build-root.js";
import { directoryInUse } from "./refusals.js";
import { checkUnpackTools } from "./unpack.js";
import { describeImage, lacksPatch, unpackHeaders, unpackImagePackages, unpackSource } from "./unpack-kernel.js";

/**
 * Makes a tree of Debian's packages: the source of the very version, and beside it in `ksplice/` the configuration, headers and image.
 * Nothing is installed; nothing is left behind if it fails. A tree that is there already is taken as it is. Where the machine lacks the compiler that built the
 * kernel, it is fetched too, into the cache.
 * @throws Refusal if the archive lacks a part (the message lists the kernels that are there), or the directory is in use
 */
export async function prepareDebianKernel(request: PrepareRequest): Promise<KernelRecord> {
  const tell = request.tell ?? tellNobody;
  const release = request.release ?? runningRelease();
  const directory = resolve(request.dir);
  const existing = await readKernelRecord(join(directory, "ksplice"));
  if (existing?.release === release) return await restoreBuildRoot(existing, directory, request);
  if (!(await isFree(directory))) throw directoryInUse(directory);

  await checkUnpackTools();
  tell("stage", `looking for ${release} in the package lists`);
  const parts = await findKernelParts(release, request);
  const download = (part: DebianPackage): Promise<string> =>
    downloadPackage(part, packageCache(request.cacheDir), { apt: parts.apt, tell });
  const headers = await download(parts.headers);
  const images: string[] = [];
  for (const part of parts.image) images.push(await download(part));
  const source = await download(parts.source);

  await mkdir(dirname(directory), { recursive: true });
  const unfinished = await makeUnfinished(dirname(directory), `.${basename(directory)}-unfinished-`);
  try {
    const configDir = join(unfinished, "ksplice");
    tell("stage", `unpacking ${parts.source.name} ${parts.version}`);
    await unpackSource(source, parts.source.name, release, unfinished);
    tell("stage", `unpacking ${parts.headers.name} and ${parts.image.map(({ name }) => name).join(", ")}`);
    await unpackHeaders(headers, release, configDir);
    await unpackImagePackages(images, release, join(configDir, "image"));
    tell("stage", `reading the symbols and types of ${release}`);
    const buildId = await describeImage(configDir, release);
    const config = await readConfig(configDir);
    const buildRoot = await fetchCompiler(parts.apt, config, request);
    const record: KernelRecord = {
      distribution: "debian",
      release,
      version: parts.version,
      ...(buildId === undefined ? {} : { buildId }),
      ...(buildRoot === undefined ? {} : { buildRoot }),
      packages: [parts.headers, ...parts.image, parts.source].map((part) => part.fileName),
    };
    // Written last: a tree that has it is whole.
    await writeKernelRecord(configDir, record);
    await chmod(unfinished, 0o755);
    if (await isDirectory(directory)) await rmdir(directory);
    await rename(unfinished, directory);
    if (await lacksPatch(release, directory, config)) tell("warning", furtherPatch(release, parts.version, directory));
    return record;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function readConfig(configDir: string): Promise<ReadonlyMap<string, string>> {
  return parseConfig(await readFile(join(configDir, ".config"), "utf8"));
}

function furtherPatch(release: string, version: string, directory: string): string {
  return (
    `${release} is built with a further patch that the source's package does not hold, so that create will find another configuration; Debian's source package has it: ` +
    `apt-get source linux=${version} (with a deb-src entry), and apply what debian/patches-rt/series lists, in that order, to ${directory}`
  );
}

/** @returns the build root's name; undefined where the machine has the compiler and binutils that built the kernel */
async function fetchCompiler(apt: Apt, config: ReadonlyMap<string, string>, request: PrepareRequest): Promise<string | undefined> {
  // Not a kernel's, so there is nothing to compile with it either.
  if (!config.has("CC_VERSION_TEXT")) return undefined;
  return (await hasToolchain(config)) ? undefined : await makeBuildRoot(apt, config, request);
}

/** The cache may have been emptied, or the tree brought here from another machine. */
async function restoreBuildRoot(record: KernelRecord, directory: string, request: PrepareRequest): Promise<KernelRecord> {
  const isWhole = record.buildRoot === undefined || (await isDirectory(buildRootPath(request.cacheDir, record.buildRoot)));
  if (isWhole) return record;
  const configDir = join(directory, "ksplice");
  const { apt } = await findKernelParts(record.release, request);
  const buildRoot = await fetchCompiler(apt, await readConfig(configDir), request);
  if (buildRoot === undefined || buildRoot === record.buildRoot) return record;
  const changed = { ...record, buildRoot };
  await writeKernelRecord(configDir, changed);
  return changed;
}

/** True where there is nothing, or an empty directory. */
async function isFree(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    if (isMissing(error)) return !(error instanceof Error && "code" in error && error.code === "ENOTDIR");
    throw error;
  }
}
