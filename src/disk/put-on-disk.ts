import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Tell } from "../events.js";
import { isDirectory, isFile } from "../host/files.js";
import { readModuleFile } from "../host/module-file.js";
import { withoutSignature } from "../signing/module-signature.js";
import type { ModuleSigner } from "../signing/module-signer.js";
import type { ManifestWholeModule } from "../update/file/manifest.js";
import { requireFile, type Update } from "../update/file/update-file.js";
import { findWinner, runDepmod } from "./depmod.js";
import { initramfsNote } from "./initramfs.js";
import { marksOf, ModuleDirectory, type DiskModule } from "./module-directory.js";
import { heldByNewer, noModules, notPreferred, noWholeModule, otherModule, spoiltModule, withoutOthers } from "./refusals.js";

export interface PutOptions {
  /** The machine's root, or that of an image that is being made. */
  readonly root: string;
  /** Signs the files: with a signature of its own a file is loaded by a kernel that wants one. */
  readonly signer: ModuleSigner | undefined;
  readonly tell: Tell;
}

/**
 * Puts the modules of an update onto the disk, where modprobe takes them instead of the shipped ones. All that may be refused is looked at before anything is
 * written; what fails after that is taken back. Callers hold the kernel's lock.
 * @returns names of the modules
 * @throws Refusal `no-whole-module`, `no-modules`, `other-module-on-disk`, `disk-module-of-another`, `modules-not-writable`, `depmod-failed`, `disk-module-not-taken`, `cannot-sign`
 */
export async function putOnDisk(update: Update, { root, signer, tell }: PutOptions): Promise<string[]> {
  const { id, kernel, wholeModules = [] } = update.manifest;
  if (wholeModules.length === 0) throw noWholeModule(id);
  const directory = new ModuleDirectory(root, kernel.release);
  if (!RELEASE.test(kernel.release) || !(await isDirectory(directory.top))) throw noModules(kernel.release, directory.top);
  const kept = await directory.list();
  const files = await Promise.all(
    wholeModules.map(async (module) => {
      const bytes = requireFile(update, module.file);
      requireMark(module, id, bytes);
      requireAlone(module, id, marksOf(bytes, module.file), kept);
      await requireShipped(directory, module);
      return { name: module.name, bytes };
    }),
  );
  const signed: typeof files = [];
  for (const { name, bytes } of files) signed.push({ name, bytes: signer === undefined ? bytes : await signer.sign(bytes, name) });
  try {
    await directory.sweep();
    for (const { name, bytes } of signed) {
      tell("stage", `writing ${name} to ${directory.path}`);
      await directory.keep(name, id, bytes);
    }
    await settleAll(
      directory,
      signed.map(({ name }) => name),
      tell,
    );
    for (const { name } of signed) {
      const winner = await findWinner(directory, name);
      if (winner !== `updates/ksplice/${name}.ko`) throw notPreferred(name, winner);
    }
  } catch (error) {
    if (!kept.some((module) => module.id === id)) await takeBack(directory, id, tell);
    throw error;
  }
  for (const { name } of signed) await sayInitramfs(directory, name, tell);
  return signed.map(({ name }) => name);
}

/**
 * Takes an update's modules off the disk; what an older update has there comes back. Callers hold the kernel's lock.
 * @returns names of the modules; none where it had none there
 * @throws Refusal `disk-module-of-newer`, `modules-not-writable`, `depmod-failed`
 */
export async function takeOffDisk(id: string, root: string, release: string, tell: Tell): Promise<string[]> {
  const directory = new ModuleDirectory(root, release);
  const kept = await directory.list();
  const own = kept.filter((module) => module.id === id);
  if (own.length === 0) return [];
  requireNoneNewer(id, kept);
  const names = own.map(({ name }) => name);
  // What is kept goes last: as long as it is there, the same command takes up where another was killed.
  tell("stage", `taking ${names.join(", ")} off the disk`);
  await settleAll(directory, names, tell, id);
  for (const module of own) await directory.drop(module);
  for (const name of names) await sayInitramfs(directory, name, tell);
  return names;
}

/** @throws Refusal `disk-module-of-newer` where another update's file holds this one */
export function requireNoneNewer(id: string, kept: readonly DiskModule[]): void {
  const newer = kept.filter((module) => module.id !== id && module.holds.includes(id)).map((module) => module.id);
  if (newer.length > 0) throw heldByNewer(id, [...new Set(newer)]);
}

/** The name in the manifest is not what decides: the loader knows the file's own. */
function requireMark({ file }: ManifestWholeModule, id: string, bytes: Uint8Array): void {
  if (marksOf(bytes, file).at(-1) !== id) throw spoiltModule(file, id);
}

/** @throws Refusal `disk-module-of-another`, `disk-module-of-newer` */
function requireAlone({ name }: ManifestWholeModule, id: string, holds: readonly string[], kept: readonly DiskModule[]): void {
  const others = kept.filter((module) => module.name === name && module.id !== id);
  requireNoneNewer(id, others);
  const left = others.filter((module) => !holds.includes(module.id)).map((module) => module.id);
  if (left.length > 0) throw withoutOthers(name, id, left);
}

/** What a directory of modules may be called: the update says it. */
const RELEASE = /^[A-Za-z0-9][A-Za-z0-9.+~_-]*$/;

/** Endings of packed modules; the first is none. */
const PACKED = ["", ".xz", ".zst", ".gz"];

/** @throws Refusal `other-module-on-disk` where the module is not the one that the build was held against, or another one comes before it */
async function requireShipped(directory: ModuleDirectory, { name, place, shipped }: ManifestWholeModule): Promise<void> {
  const paths = PACKED.map((ending) => `${place}${ending}`);
  const there = await Promise.all(paths.map((path) => isFile(join(directory.top, path))));
  const found = paths.find((_, index) => there[index]);
  if (found === undefined) throw otherModule(name, join(directory.top, place), "the kernel's own module is not there");
  const path = join(directory.top, found);
  const hash = createHash("sha256")
    .update(withoutSignature(await readModuleFile(path)))
    .digest("hex");
  if (hash !== shipped) throw otherModule(name, path, "the kernel's own module is another build than the one that the update was made for");
  const winner = await findWinner(directory, name);
  if (winner !== undefined && winner !== found && winner !== `updates/ksplice/${name}.ko`)
    throw otherModule(name, join(directory.top, winner), `modprobe takes ${winner}, which somebody else has put there`);
}

/** Depmod runs whether anything changed or not: a command may have been killed before it did. */
async function settleAll(directory: ModuleDirectory, names: readonly string[], tell: Tell, without?: string): Promise<void> {
  for (const name of names) await directory.settle(name, without);
  tell("stage", `running depmod for ${directory.release}`);
  await runDepmod(directory);
}

async function takeBack(directory: ModuleDirectory, id: string, tell: Tell): Promise<void> {
  try {
    await takeOffDisk(id, directory.root, directory.release, tell);
  } catch (error) {
    tell("warning", `what was written could not be taken away again: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function sayInitramfs(directory: ModuleDirectory, name: string, tell: Tell): Promise<void> {
  const note = await initramfsNote(directory, name);
  if (note !== undefined) tell("warning", note);
}
