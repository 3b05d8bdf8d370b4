import { lstat, mkdir, mkdtemp, readdir, realpath, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isMissing } from "../../host/files.js";
import { makeTemporary, removeTemporary } from "../../host/temporary.js";

/** New contents of files by path from the top of the tree; undefined for a file that is removed. */
export type FileChanges = ReadonlyMap<string, string | undefined>;

/**
 * A source tree with some files changed, made of links into the user's tree: only the changed files and the directories on their
 * way are real. The user's tree is not touched, nothing large is copied.
 */
export class ShadowTree {
  readonly #real = new Set<string>([""]);
  #version = 0;
  #queue: Promise<void> = Promise.resolve();

  private constructor(
    /** Absolute path of its top. */
    readonly root: string,
    readonly source: string,
    readonly touched: readonly string[],
  ) {}

  /** @param source absolute path of the tree that is shadowed */
  static async create(source: string, changes: FileChanges): Promise<ShadowTree> {
    const root = await makeTemporary("ksplice-source-");
    const shadow = new ShadowTree(root, source, [...changes.keys()].sort());
    await linkEntries(source, root);
    for (const [path, content] of changes) {
      await shadow.makeReal(dirname(path));
      const target = join(root, path);
      await rm(target, { force: true });
      if (content !== undefined) await writeFile(target, content, "latin1");
    }
    return shadow;
  }

  /** Deletes the shadow; links are not followed. */
  async dispose(): Promise<void> {
    await removeTemporary(this.root);
  }

  /** Another number whenever a link has become a directory, or is about to: what was read meanwhile may have been read from either. */
  get version(): number {
    return this.#version;
  }

  /** Turns a directory, and those above it, from links into directories of links. Paths from the top; calls may overlap. */
  makeReal(directory: string): Promise<void> {
    const done = this.#queue.then(async () => {
      let path = "";
      for (const name of directory.split("/").filter((part) => part !== "." && part !== "")) {
        path = path === "" ? name : `${path}/${name}`;
        if (this.#real.has(path)) continue;
        await this.#replaceLink(path);
        this.#real.add(path);
      }
    });
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #replaceLink(path: string): Promise<void> {
    const target = join(this.root, path);
    const made = await mkdtemp(`${this.root}/.real-`);
    await linkEntries(join(this.source, path), made);
    this.#version++;
    if (await isLink(target)) await unlink(target);
    await mkdir(dirname(target), { recursive: true });
    await rename(made, target);
    this.#version++;
  }

  /**
   * Of the files that a compilation read, those that have a changed twin here but were read from the user's tree:
   * paths from the top of the shadow as the compiler spelled them.
   */
  async findAstray(dependencies: readonly string[]): Promise<string[]> {
    const astray: string[] = [];
    const originals = await this.#originals();
    for (const dependency of this.namedLikeTouched(dependencies)) {
      // Another compilation's directories may have put it out of reach meanwhile.
      const path = await realpathIfThere(dependency);
      if (path !== undefined && originals.has(path)) astray.push(await this.#linkedPart(dependency));
    }
    return astray;
  }

  /** Where the touched files are that the user's tree has: it may be made of links itself. */
  async #originals(): Promise<ReadonlySet<string>> {
    const found = await Promise.all(this.touched.map((path) => realpathIfThere(join(this.source, path))));
    return new Set(found.filter((path) => path !== undefined));
  }

  /** Of the files that a compilation read, those that have a touched one's name, and may be it. */
  namedLikeTouched(dependencies: readonly string[]): string[] {
    const names = new Set(this.touched.map((path) => basename(path)));
    return dependencies.filter((dependency) => names.has(basename(dependency)));
  }

  /** The path's beginning up to and with its first link, from the top of the shadow, with something below it. */
  async #linkedPart(dependency: string): Promise<string> {
    const parts = dependency.slice(this.root.length + 1).split("/");
    let path = "";
    for (const part of parts) {
      path = join(path, part);
      if (await isLink(join(this.root, path))) break;
    }
    return join(path, "x");
  }
}

async function linkEntries(from: string, to: string): Promise<void> {
  let entries: string[];
  try {
    entries = await readdir(from);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  await Promise.all(entries.map((entry) => symlink(join(from, entry), join(to, entry))));
}

async function realpathIfThere(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
