import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Place } from "../../src/service/place.js";
import type { Incoming } from "../../src/service/store/update-store.js";
import type { Manifest } from "../../src/update/file/manifest.js";
import { makeUpdate, openUpdateBytes, packUpdate } from "../../src/update/file/update-file.js";
import { sampleUpdate } from "./sample-update.js";

/** An update as `ksplice install` reads it. @param change what its manifest has otherwise */
export async function incoming(id: string, change: Partial<Manifest> = {}): Promise<Incoming> {
  const { manifest, files } = sampleUpdate();
  const targets = manifest.targets.map((target) => ({ ...target, module: `ksplice_${id}_${target.name}` }));
  const tarball = await packUpdate(makeUpdate({ ...manifest, targets, id, ...change }, files));
  return { tarball, update: await openUpdateBytes(tarball, id) };
}

/** Writes that update into a file. @returns its path */
export async function updateFile(dir: string, id: string, change: Partial<Manifest> = {}): Promise<string> {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, `ksplice-${id}.tar.gz`);
  writeFileSync(path, (await incoming(id, change)).tarball);
  return path;
}

export function placeIn(root: string): Place {
  return { root, owner: process.geteuid?.() ?? 0 };
}
