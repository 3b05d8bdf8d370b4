import { readFile, stat } from "node:fs/promises";
import type { Tell } from "../events.js";
import type { Origin } from "./apply-guarded.js";
import { isDirectory, readBytesIfThere } from "../host/files.js";
import { badUpdate } from "../update/file/refusals.js";
import { openUpdate, openUpdateBytes, type Update } from "../update/file/update-file.js";
import { sha256 } from "../update/file/archive.js";
import type { Place } from "./place.js";
import { requireNoPolicy, requireTrusted } from "./trust.js";
import type { Incoming } from "./store/update-store.js";

/**
 * Reads an update that somebody hands over: once, and what is checked and kept are these bytes.
 * @param path a tarball; its signature, where it has one, lies beside it as `PATH.sig`
 * @throws Refusal `bad-update`
 */
export async function readIncoming(path: string): Promise<Incoming> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw badUpdate(path, "no such file");
  if (!found.isFile()) throw badUpdate(path, "it is no tarball; an unpacked tree can be applied, and cannot be in service");
  const tarball = await readFile(path);
  const signature = await readBytesIfThere(`${path}.sig`);
  const update = await openUpdateBytes(tarball, path);
  return { tarball, update, ...(signature === undefined ? {} : { signature }) };
}

/**
 * The same for a command that applies it, which takes unpacked trees, too; held against the policy.
 * @throws Refusal as {@link requireTrusted} does
 */
export async function readToApply(path: string, place: Place, tell: Tell): Promise<{ readonly update: Update; readonly origin: Origin }> {
  if (await isDirectory(path)) {
    const update = await openUpdate(path);
    await requireNoPolicy(place, update.manifest.id);
    return { update, origin: {} };
  }
  const incoming = await readIncoming(path);
  const signer = await requireTrusted(place, incoming, tell);
  return { update: incoming.update, origin: { sha256: sha256(incoming.tarball), signer } };
}
