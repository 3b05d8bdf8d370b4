import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { addMark } from "../../src/elf/module-mark.js";
import { writeObject } from "../../src/elf/write-object.js";
import type { Manifest } from "../../src/update/file/manifest.js";
import { makeUpdate, type Update } from "../../src/update/file/update-file.js";
import { makeObject, makeSection } from "./elf-builder.js";
import { sampleUpdate } from "./sample-update.js";

/** A machine's modules in a directory, and updates that bring whole ones. */

export const RELEASE = sampleUpdate().manifest.kernel.release;
const PLACE = "kernel/drivers/sample-dev.ko";

/** @param ids of the updates that it holds; none for the shipped one */
export function moduleBytes(ids: readonly string[] = [], code = 0xc3): Uint8Array {
  const module = makeObject([makeSection(".text", [code]), makeSection(".modinfo", Buffer.from("name=sample_dev\0license=GPL\0"))], []);
  if (ids.length > 0) addMark(module, ids);
  return writeObject(module);
}

/** What the kernel's package brings. */
export function shipModules(root: string, bytes = moduleBytes(), place = PLACE): void {
  const path = join(root, "lib/modules", RELEASE, place);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

/** An update with a whole module that holds these updates; the last is its own id. */
export function updateOnDisk(ids: readonly string[], change: Partial<Manifest> = {}): Update {
  const { manifest, files } = sampleUpdate();
  const id = ids.at(-1) ?? "";
  const file = "whole/sample_dev.ko";
  const shipped = createHash("sha256").update(moduleBytes()).digest("hex");
  const targets = manifest.targets.slice(0, 1).map((target) => ({ ...target, name: "sample_dev", module: `ksplice_${id}_sample_dev` }));
  const wholeModules = [{ name: "sample_dev", place: PLACE, file, shipped }];
  return makeUpdate({ ...manifest, id, targets, wholeModules, ...change }, new Map([...files, [file, moduleBytes(ids)]]));
}
