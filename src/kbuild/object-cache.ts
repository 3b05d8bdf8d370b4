import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Compilation } from "./compile-unit.js";
import { hashOf, isMissing, readTextIfThere, writeWhole } from "./files.js";
import type { PreparedBuild } from "./types.js";
import type { UnitCommand } from "./unit-command.js";

interface Manifest {
  /** Hash of the object that belongs to it. */
  readonly object: string;
  /** Hash of every file's content, by path. */
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Objects of the unpatched source by the command that makes them, each valid while no file it was made from has another content. */
export class ObjectCache {
  readonly #directory: string;

  constructor(build: PreparedBuild) {
    this.#directory = join(build.cacheDir, "objects");
  }

  keyOf(command: UnitCommand, objtool: readonly string[] | undefined): string {
    return hashOf([command.unit.path, ...command.compile, "objtool", ...(objtool ?? [])]);
  }

  async find(key: string): Promise<Uint8Array | undefined> {
    const text = await readTextIfThere(this.#manifestFile(key));
    if (text === undefined) return undefined;
    const manifest = JSON.parse(text) as Manifest;
    const entries = Object.entries(manifest.dependencies);
    const hashes = await Promise.all(entries.map(([path]) => hashFile(path)));
    if (entries.some(([, hash], index) => hash !== hashes[index])) return undefined;
    try {
      const object = await readFile(this.#objectFile(key));
      return hashOf([object]) === manifest.object ? object : undefined;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async store(key: string, compiled: Compilation): Promise<void> {
    const dependencies: Record<string, string> = {};
    for (const path of compiled.dependencies) {
      const hash = await hashFile(path);
      // A file that is gone already cannot vouch for the object.
      if (hash === undefined) return;
      dependencies[path] = hash;
    }
    await writeWhole(this.#objectFile(key), compiled.object);
    await writeWhole(this.#manifestFile(key), JSON.stringify({ object: hashOf([compiled.object]), dependencies } satisfies Manifest));
  }

  #manifestFile(key: string): string {
    return join(this.#directory, `${key}.json`);
  }

  #objectFile(key: string): string {
    return join(this.#directory, `${key}.o`);
  }
}

async function hashFile(path: string): Promise<string | undefined> {
  try {
    return hashOf([await readFile(path)]);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
