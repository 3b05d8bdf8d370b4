import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findSection } from "../elf/find-section.js";
import { findImageBtf } from "./image/image-btf.js";
import { isModuleFile, moduleName, readModuleFile } from "../host/module-file.js";
import { unpackImage } from "./image/unpack-image.js";

export interface KernelPlaces {
  /** The tree's configuration directory. */
  readonly configDir: string;
  readonly release: string;
  /** For what is unpacked; nothing is written into the tree. */
  readonly cacheDir: string;
}

/** A .BTF section, and what to call it. */
export interface BtfFile {
  readonly fileName: string;
  readonly bytes: Uint8Array;
}

/**
 * The running kernel's own description of its types, or of those that one of its modules adds to them: `btf/vmlinux` and `btf/NAME` in the
 * configuration directory, as /sys/kernel/btf has them; else out of the image and its modules.
 * @param target `vmlinux`, or a module's name
 * @returns undefined where the tree does not have it
 * @throws Refusal where a packed module cannot be unpacked; ElfFormatError for a module that is none
 */
export async function readRunningBtf(places: KernelPlaces, target: string): Promise<BtfFile | undefined> {
  const path = join(places.configDir, "btf", target);
  const bytes = await readIfThere(path);
  if (bytes !== undefined) return { fileName: path, bytes };
  return target === "vmlinux" ? await readImageBtf(places) : await readModuleBtf(places, target);
}

async function readImageBtf({ configDir, release, cacheDir }: KernelPlaces): Promise<BtfFile | undefined> {
  const fileName = join(configDir, "image/boot", `vmlinuz-${release}`);
  const found = await stat(fileName).catch(ignoreMissing);
  if (found === undefined) return undefined;
  const key = createHash("sha256").update(`${fileName}\n${found.size}\n${found.mtimeMs}`).digest("hex").slice(0, 16);
  const cached = join(cacheDir, "btf", `${release}-${key}`);
  const known = await readIfThere(cached);
  if (known !== undefined) return { fileName, bytes: known };
  const vmlinux = await unpackImage(fileName);
  const bytes = vmlinux === undefined ? undefined : findImageBtf(vmlinux);
  if (bytes === undefined) return undefined;
  await mkdir(dirname(cached), { recursive: true });
  const unfinished = `${cached}.${randomBytes(6).toString("hex")}.tmp`;
  await writeFile(unfinished, bytes);
  await rename(unfinished, cached);
  return { fileName, bytes };
}

async function readModuleBtf({ configDir, release }: KernelPlaces, target: string): Promise<BtfFile | undefined> {
  const directory = join(configDir, "image/lib/modules", release);
  const files = (await readdir(directory, { recursive: true }).catch(ignoreMissing)) ?? [];
  const file = files.find((path) => isModuleFile(path) && moduleName(path) === target);
  if (file === undefined) return undefined;
  const fileName = join(directory, file);
  const bytes = findSection(await readModuleFile(fileName), ".BTF", fileName);
  return bytes === undefined ? undefined : { fileName, bytes };
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  return await readFile(path).catch(ignoreMissing);
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
  throw error;
}
