import { parseManifest } from "./parse-manifest.js";
import { packArchive, readArchive, readArchiveBytes, sha256, type Archive, type ArchiveFiles } from "./archive.js";
import type { Manifest } from "./manifest.js";
import { badUpdate } from "./refusals.js";

export const MANIFEST_FILE = "update.json";
export const PATCH_FILE = "patch";
export const CORE_FILE = "ksplice.ko";
/** Of the kernel, where that does not tell itself where its variables are. */
export const SYSTEM_MAP_FILE = "System.map";

/** An update, read and verified, or made and not yet written. */
export interface Update {
  readonly manifest: Manifest;
  /** Every file but the manifest, by path; each is the one whose hash the manifest holds. */
  readonly files: ArchiveFiles;
}

/** Completes a manifest with the hashes of the update's files. */
export function makeUpdate(manifest: Omit<Manifest, "files">, files: ArchiveFiles): Update {
  const hashes = Object.fromEntries(
    [...files.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, bytes]) => [path, sha256(bytes)]),
  );
  return { manifest: { ...manifest, files: hashes }, files };
}

/** The tarball's bytes, `ksplice-ID.tar.gz`. */
export async function packUpdate(update: Update): Promise<Uint8Array> {
  const manifest = new TextEncoder().encode(`${JSON.stringify(update.manifest, null, 2)}\n`);
  return await packArchive(`ksplice-${update.manifest.id}`, new Map([...update.files, [MANIFEST_FILE, manifest]]));
}

/**
 * Opens an update, a tarball or its unpacked tree, as hostile input: layout, schema and hashes are verified before anything is used.
 * @throws Refusal `bad-update`
 */
export async function openUpdate(path: string): Promise<Update> {
  return checkArchive(await readArchive(path), path);
}

/**
 * The same of a tarball that is in memory: what was checked is what is used, whatever becomes of the file.
 * @param path what errors call it
 * @throws Refusal `bad-update`
 */
export async function openUpdateBytes(tarball: Uint8Array, path: string): Promise<Update> {
  return checkArchive(await readArchiveBytes(tarball, path), path);
}

function checkArchive(archive: Archive, path: string): Update {
  const manifestBytes = archive.files.get(MANIFEST_FILE);
  if (manifestBytes === undefined) throw badUpdate(path, `it has no ${MANIFEST_FILE}`);
  const manifest = parseManifest(manifestBytes, path);
  if (archive.top !== "" && archive.top !== `ksplice-${manifest.id}`)
    throw badUpdate(path, `its folder is ${archive.top}, its id ${manifest.id}`);

  const files = new Map(archive.files);
  files.delete(MANIFEST_FILE);
  for (const file of files.keys()) {
    if (manifest.files[file] === undefined) throw badUpdate(path, `${file} is not listed in ${MANIFEST_FILE}`);
  }
  for (const [file, hash] of Object.entries(manifest.files)) {
    const bytes = files.get(file);
    if (bytes === undefined) throw badUpdate(path, `${file} is missing`);
    if (sha256(bytes) !== hash) throw badUpdate(path, `${file} is not what ${MANIFEST_FILE} says: wrong SHA-256`);
  }
  const named = [
    manifest.core,
    ...manifest.targets.flatMap((target) => [target.file, ...target.units.flatMap((unit) => [unit.pre, unit.post])]),
    ...manifest.checked.map((unit) => unit.post),
    ...(manifest.wholeModules ?? []).map((module) => module.file),
  ];
  for (const file of named) {
    if (!files.has(file)) throw badUpdate(path, `${MANIFEST_FILE} names ${file}, which is not there`);
  }
  return { manifest, files };
}

/** A file that the manifest names; {@link openUpdate} has checked that it is there. */
export function requireFile(update: Update, path: string): Uint8Array {
  const bytes = update.files.get(path);
  if (bytes === undefined) throw new Error(`update ${update.manifest.id} has no ${path}`);
  return bytes;
}

/** The kernel's System.map, where the update brings it; named as errors call it. */
export function findSystemMap({ manifest, files }: Update): { readonly path: string; readonly bytes: Uint8Array } | undefined {
  const bytes = files.get(SYSTEM_MAP_FILE);
  return bytes === undefined ? undefined : { path: `${SYSTEM_MAP_FILE} of update ${manifest.id}`, bytes };
}
