import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readSmallFile } from "./read-file.js";

export interface LoadedModule {
  readonly name: string;
  /** Start of its text. */
  readonly addr: bigint;
  /** Bytes of all its memory. */
  readonly size: number;
  readonly refcount: number;
  /** `Live`, `Loading`, `Unloading`. */
  readonly state: string;
}

/** Parses /proc/modules (kernel/module/procfs.c, m_show, Linux 6.1): `NAME SIZE REFCOUNT USERS STATE ADDRESS [TAINT]`. */
export function parseModules(text: string): LoadedModule[] {
  return text
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length >= 6)
    .map(([name = "", size = "0", refcount = "0", , state = "", addr = "0x0"]) => ({
      name,
      addr: BigInt(addr),
      size: Number(size),
      refcount: Number(refcount) || 0, // "-" where modules cannot be unloaded
      state,
    }));
}

/**
 * The modules that are loaded now. A kernel without CONFIG_MODULES has no list (kernel/module/procfs.c), and none of them.
 * @param root directory that holds `proc/`
 */
export function readLoadedModules(root = "/"): LoadedModule[] {
  const path = join(root, "proc/modules");
  return existsSync(path) ? parseModules(readFileSync(path, "latin1")) : [];
}

/**
 * Load addresses of a module's sections, from /sys/module/NAME/sections.
 * @param root directory that holds `sys/`
 * @returns undefined if there is no such module
 */
export function readModuleSections(root: string, module: string): ReadonlyMap<string, bigint> | undefined {
  const directory = join(root, "sys/module", module, "sections");
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return undefined;
  }
  return new Map(names.map((name) => [name, BigInt(readSmallFile(`${directory}/${name}`))]));
}
