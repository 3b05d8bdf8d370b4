import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../../host/files.js";
import { isModuleFile, moduleName, readModuleFile } from "../../host/module-file.js";
import { withoutSignature } from "../../signing/module-signature.js";
import type { PreparedBuild } from "../types.js";
import { noShippedModule } from "./refusals.js";

/** A module as the kernel's package brings it. */
export interface ShippedModule {
  /** As the kernel spells it: `i2c_dev`. */
  readonly name: string;
  /** Below /lib/modules/RELEASE, unpacked: `kernel/drivers/i2c/i2c-dev.ko`. */
  readonly place: string;
  /** Where kbuild makes it, from the top of the tree, without an ending: `drivers/i2c/i2c-dev`. */
  readonly stem: string;
  /** Unpacked, and without a signature. */
  readonly bytes: Uint8Array;
}

/**
 * The module's file in the configuration directory's image of the kernel, which `ksplice prepare` puts there.
 * @throws Refusal `no-shipped-module`
 */
export async function findShippedModule(build: PreparedBuild, name: string): Promise<ShippedModule> {
  const directory = join(build.tree.configDir, "image/lib/modules", build.release);
  const file = (await filesBelow(directory)).find((path) => path.startsWith("kernel/") && isModuleFile(path) && moduleName(path) === name);
  if (file === undefined) throw noShippedModule(name, directory);
  const place = file.replace(/\.ko(\.\w+)?$/, ".ko");
  const bytes = withoutSignature(await readModuleFile(join(directory, file)));
  return { name, place, stem: place.slice("kernel/".length, -".ko".length), bytes };
}

async function filesBelow(directory: string): Promise<string[]> {
  try {
    return await readdir(directory, { recursive: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
