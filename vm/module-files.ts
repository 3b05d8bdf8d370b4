import { readTextIfThere } from "../src/host/files.js";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isModuleFile, moduleName, readModuleFile } from "../src/host/module-file.js";
import { noSuchModule, unreadableKernel } from "./refusals.js";

/** A module of the image, ready for insmod. */
export interface ModuleFile {
  /** As the kernel spells it, with underscores. */
  readonly name: string;
  /** The decompressed file. */
  readonly data: Uint8Array;
}

/** The modules of an unpacked kernel image package (`lib/modules/RELEASE`), which has no modules.dep: dependencies are read from the modules themselves. */
export class ModuleFiles {
  readonly #dir: string;
  readonly #paths: ReadonlyMap<string, string>;
  readonly #builtin: ReadonlySet<string>;

  private constructor(dir: string, paths: ReadonlyMap<string, string>, builtin: ReadonlySet<string>) {
    this.#dir = dir;
    this.#paths = paths;
    this.#builtin = builtin;
  }

  /**
   * @param further directories of modules that the image does not have
   * @throws Refusal where a directory cannot be read
   */
  static async read(modulesDir: string, further: readonly string[] = []): Promise<ModuleFiles> {
    const paths = new Map<string, string>();
    for (const directory of [...further, modulesDir]) {
      const files = await readdir(directory, { recursive: true }).catch((error: unknown) => {
        throw unreadableKernel(directory, error instanceof Error ? error.message : String(error));
      });
      for (const file of files) if (isModuleFile(file)) paths.set(moduleName(file), join(directory, file));
    }
    const builtin = (await readTextIfThere(join(modulesDir, "modules.builtin"))) ?? "";
    return new ModuleFiles(modulesDir, paths, new Set(builtin.split("\n").filter(Boolean).map(moduleName)));
  }

  /** Whether the kernel has it, as a module or built in. */
  has(name: string): boolean {
    return this.#paths.has(moduleName(name)) || this.#builtin.has(moduleName(name));
  }

  /** Path of the module's file, compressed or not; undefined where it is built in. @throws Refusal where the kernel has no such module */
  path(name: string): string | undefined {
    const path = this.#paths.get(moduleName(name));
    if (path === undefined && !this.#builtin.has(moduleName(name))) throw noSuchModule(name, this.#dir);
    return path;
  }

  /** The modules named and all they depend on, in the order they must be loaded. Built-in ones are left out. */
  async withDependencies(names: readonly string[]): Promise<ModuleFile[]> {
    const ordered = new Map<string, ModuleFile>();
    for (const name of names) await this.#visit(name, ordered);
    return [...ordered.values()];
  }

  async #visit(name: string, ordered: Map<string, ModuleFile>): Promise<void> {
    const path = this.path(name);
    if (path === undefined || ordered.has(moduleName(name))) return;
    const data = await readModuleFile(path);
    for (const dependency of parseDepends(data)) await this.#visit(dependency, ordered);
    ordered.set(moduleName(name), { name: moduleName(name), data });
  }
}

/** What a module's .modinfo section says that it depends on. */
export function parseDepends(module: Uint8Array): string[] {
  const bytes = Buffer.from(module.buffer, module.byteOffset, module.byteLength);
  const key = "\0depends=";
  // The first entry of .modinfo may lack a NUL before it, but kbuild never writes depends= first.
  const at = bytes.indexOf(key);
  if (at < 0) return [];
  const start = at + key.length;
  return bytes
    .subarray(start, bytes.indexOf(0, start))
    .toString()
    .split(",")
    .filter((name) => name !== "");
}
