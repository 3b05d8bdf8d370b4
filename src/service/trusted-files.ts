import { constants } from "node:fs";
import { lstat, mkdir, open, rename, unlink } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { basename, dirname, join, relative, sep } from "node:path";
import { isMissing } from "../host/files.js";
import type { Place } from "./place.js";
import { untrustedPath } from "./refusals.js";

/** Files that decide what goes into the kernel: root's, written whole, read once and through the descriptor that was checked. */

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/** Nothing of ours comes near this. */
const MAX_BYTES = 512 * 1024 * 1024;

/**
 * Reads a file that only the owner can have written, and so the directories from `place.root` down to it. What was checked is what is read.
 * @throws Refusal `untrusted-path`; the system's error where there is no such file
 */
export async function readTrusted(path: string, place: Place): Promise<Uint8Array> {
  await checkDirectories(dirname(path), place);
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ELOOP") throw untrustedPath(path, "it is a symbolic link");
    throw error;
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw untrustedPath(path, "it is no plain file");
    checkOwner(path, stat, place, false);
    if (stat.size > MAX_BYTES) throw untrustedPath(path, `it has ${stat.size} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** {@link readTrusted} of a file that need not be there. */
export async function readTrustedIfThere(path: string, place: Place): Promise<Uint8Array | undefined> {
  try {
    return await readTrusted(path, place);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** @throws Refusal `untrusted-path` where somebody else could put another directory in its place; the system's error where there is none */
async function checkDirectories(directory: string, place: Place): Promise<void> {
  const inside = relative(place.root, directory);
  if (inside.startsWith("..")) throw untrustedPath(directory, `it is outside ${place.root}`);
  // Whoever names another root says so for himself; that of the machine is looked at.
  let path = place.root;
  for (const name of ["", ...inside.split(sep).filter((part) => part !== "")]) {
    path = join(path, name);
    if (name === "" && place.root !== "/") continue;
    const stat = await lstat(path);
    // Debian has /var/run and the like as links of root's, in directories of root's.
    if (!stat.isDirectory()) throw untrustedPath(path, "it is no directory");
    checkOwner(path, stat, place, true);
  }
}

/** @param mayBeSticky in such a directory everybody may make files, and nobody may replace those of others */
function checkOwner(path: string, stat: { readonly uid: number; readonly mode: number }, { owner }: Place, mayBeSticky: boolean): void {
  if (stat.uid !== owner && stat.uid !== 0) throw untrustedPath(path, `it belongs to user ${stat.uid}`);
  if ((stat.mode & WRITABLE_BY_OTHERS) !== 0 && !(mayBeSticky && (stat.mode & STICKY) !== 0))
    throw untrustedPath(path, `its mode is ${(stat.mode & 0o7777).toString(8)}: others may write to it`);
}

/** Makes a directory of the owner's alone. @throws Refusal `untrusted-path` where there is one that others can change */
export async function makePrivateDirectory(path: string, place: Place): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await checkDirectories(path, place);
}

/**
 * Writes a whole file or none, of mode 0600, and waits until it is on the disk: a machine that goes down in the next moment has it.
 * @throws Refusal `untrusted-path` where its directory is not the owner's alone
 */
export async function writeDurably(path: string, content: string | Uint8Array, place: Place, mode = 0o600): Promise<void> {
  await makePrivateDirectory(dirname(path), place);
  const unfinished = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  const file = await open(unfinished, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, mode);
  try {
    await file.writeFile(content);
    // Whatever the umask left.
    await file.chmod(mode);
    await file.sync();
  } catch (error) {
    await unlink(unfinished).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
  await syncDirectory(dirname(path));
}

/** Removes a file for good; one that is not there is fine. */
export async function removeDurably(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  await syncDirectory(dirname(path));
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
