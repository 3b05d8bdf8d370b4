import { memoized } from "../../memoized.js";
import { statSync } from "node:fs";
import { readFile, realpath, utimes } from "node:fs/promises";
import { join, normalize } from "node:path";
import { hashOf, isMissing, readTextIfThere, writeWhole } from "../../host/files.js";
import { trimDirectory } from "../../host/trim-directory.js";
import { namesPlaces } from "./drop-places.js";
import type { PreparedBuild } from "../types.js";
import type { PatchedTree } from "../change/patched-tree.js";
import type { UnitCommand } from "./unit-command.js";

interface Manifest {
  /** Hash of the object that belongs to it. */
  readonly object: string;
  /** Hash of every file's content: by path from the top of the source where it lies in that, else by absolute path. */
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Patches come and go, and each leaves its objects: the oldest are deleted beyond this. */
const MOST_PATCHED_BYTES = 1 << 30;

/** All that decides about an object besides the files that it is made of. */
export function objectKey(command: UnitCommand, objtool: readonly string[] | undefined): string[] {
  return [
    command.unit.path,
    ...command.compile,
    "objtool",
    ...(objtool ?? []),
    ...(namesPlaces(command.compile) ? ["without places"] : []),
  ];
}

/** What is found out about a build's files once. */
interface KnownFiles {
  /** Hashes by what tells one state of a file from another. A unit is made of a thousand headers, most of them those of the unit before. */
  readonly hashes: Map<string, string>;
  isTrimmed: boolean;
}

const knownFilesOf = memoized<PreparedBuild, KnownFiles>(() => ({ hashes: new Map(), isTrimmed: false }));

/**
 * Objects, and what else is made of units, by the command that makes them; each valid while no file it was made from has another content. Those of a
 * patched source are kept apart: their files are looked for in the shadow at hand, which is another one each time.
 */
export class ObjectCache {
  readonly #directory: string;
  /** Top of the source tree or shadow. */
  readonly #root: string;
  readonly #known: KnownFiles;

  constructor(
    build: PreparedBuild,
    private readonly patched?: PatchedTree,
  ) {
    this.#directory = join(build.cacheDir, patched === undefined ? "objects" : "patched-objects");
    this.#root = patched?.root ?? build.tree.source;
    this.#known = knownFilesOf(build);
  }

  /**
   * @param parts what decides about the object besides the files it is made of
   * @param sources files that the unpatched unit is made of, from the top of the tree. That the touched ones among them are part of the key only
   * keeps the objects of several patches side by side
   */
  async keyOf(parts: readonly string[], sources: readonly string[] = []): Promise<string> {
    if (this.patched === undefined) return hashOf(parts);
    const { added, removed, touched } = this.patched;
    // A file that comes or goes can change which one an #include finds, though all that were read before are the same.
    const key = [...parts, "added", ...added, "removed", ...removed, "changed"];
    for (const path of touched) if (sources.includes(path)) key.push(path, (await this.#hashFile(join(this.#root, path))) ?? "");
    return hashOf(key);
  }

  /** What is stored under the key, where no file that it was made of has another content. */
  async find(key: string): Promise<Uint8Array | undefined> {
    const manifest = await this.#findManifest(key);
    if (manifest === undefined) return undefined;
    try {
      const object = await readFile(this.#objectFile(key));
      if (hashOf([object]) !== manifest.object) return undefined;
      if (this.patched !== undefined) await this.#markUsed(key);
      return object;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** The files that what is stored under the key was made of: from the top of the source where they lie in that, else absolute. */
  async findFiles(key: string): Promise<readonly string[] | undefined> {
    const manifest = await this.#findManifest(key);
    return manifest === undefined ? undefined : Object.keys(manifest.dependencies);
  }

  /** Undefined where there is none, and where one of its files has another content. */
  async #findManifest(key: string): Promise<Manifest | undefined> {
    const text = await readTextIfThere(this.#manifestFile(key));
    if (text === undefined) return undefined;
    const manifest = JSON.parse(text) as Manifest;
    const entries = Object.entries(manifest.dependencies);
    const hashes = await Promise.all(entries.map(([path]) => this.#hashFile(path.startsWith("/") ? path : join(this.#root, path))));
    return entries.every(([, hash], index) => hash === hashes[index]) ? manifest : undefined;
  }

  /** @param files all that were read, absolute, as the compiler spelled them */
  async store(key: string, object: Uint8Array, files: readonly string[]): Promise<void> {
    const dependencies: Record<string, string> = {};
    for (const file of files) {
      const place = await this.#placeOf(file);
      const hash = await this.#hashFile(file);
      // A file that is gone already, or could not be found again, cannot vouch for the object.
      if (place === undefined || hash === undefined) return;
      dependencies[place] = hash;
    }
    await writeWhole(this.#objectFile(key), object);
    await writeWhole(this.#manifestFile(key), JSON.stringify({ object: hashOf([object]), dependencies } satisfies Manifest));
    if (this.patched === undefined || this.#known.isTrimmed) return;
    this.#known.isTrimmed = true;
    await trimDirectory(this.#directory, MOST_PATCHED_BYTES);
  }

  /** The file's path from the top of the source, or absolute; undefined where that cannot be told: `..` behind a link leads elsewhere. */
  async #placeOf(file: string): Promise<string | undefined> {
    const path = normalize(file);
    if (path !== file && (await pathBehindLinks(path)) !== (await pathBehindLinks(file))) return undefined;
    return path.startsWith(`${this.#root}/`) ? path.slice(this.#root.length + 1) : path;
  }

  async #hashFile(path: string): Promise<string | undefined> {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
      const state = [dev, ino, size, mtimeNs, ctimeNs].join();
      const known = this.#known.hashes.get(state);
      if (known !== undefined) return known;
      const hash = hashOf([await readFile(path)]);
      this.#known.hashes.set(state, hash);
      return hash;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async #markUsed(key: string): Promise<void> {
    const now = new Date();
    for (const path of [this.#objectFile(key), this.#manifestFile(key)]) await utimes(path, now, now);
  }

  #manifestFile(key: string): string {
    return join(this.#directory, `${key}.json`);
  }

  #objectFile(key: string): string {
    return join(this.#directory, `${key}.o`);
  }
}

async function pathBehindLinks(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
