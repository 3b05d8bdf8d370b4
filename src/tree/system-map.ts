import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Tell } from "../events.js";
import { parseConfig } from "./kernel-config.js";
import type { KernelTree } from "./kernel-tree.js";

/**
 * What an update has to bring of a kernel that will not tell where its variables are (CONFIG_KALLSYMS_ALL is off): the tree's System.map. Undefined for all others,
 * and where the tree has none, which is told.
 */
export async function readNeededMap({ configFile, symbolsFile }: KernelTree, tell: Tell): Promise<Uint8Array | undefined> {
  if (parseConfig(await readFile(configFile, "utf8")).has("KALLSYMS_ALL")) return undefined;
  if (symbolsFile !== undefined && basename(symbolsFile) === "System.map") return await readFile(symbolsFile);
  tell(
    "warning",
    `the kernel is built without CONFIG_KALLSYMS_ALL, and ${configFile.replace(/\.config$/, "System.map")} is not there: ksplice apply will need --system-map`,
  );
  return undefined;
}
