import { link, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { constants } from "node:fs";
import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { findSection } from "../elf/find-section.js";
import { ElfFormatError } from "../elf/elf-format-error.js";
import { MARK_SECTION, readMark } from "../elf/module-mark.js";
import { whyNotWritable } from "../host/file-errors.js";
import { isMissing, readBytesIfThere } from "../host/files.js";
import { cannotChangeModules, spoiltModule } from "./refusals.js";

/** A module's file of one update. */
export interface DiskModule {
  /** As the kernel spells it. */
  readonly name: string;
  /** The update. */
  readonly id: string;
  /** Ids of all updates that are in it, oldest first. */
  readonly holds: readonly string[];
  readonly path: string;
}

/**
 * `/lib/modules/RELEASE/updates/ksplice`. Each update's file of a module is kept there as `NAME.ko-ID`, which neither depmod nor modprobe takes for a module, and
 * `NAME.ko` is a second link to the one of the newest. So an undo of that brings the one before back, and what has to be done follows from what lies there.
 */
export class ModuleDirectory {
  /** `lib/modules/RELEASE` */
  readonly top: string;
  readonly path: string;

  /** @param root the machine's, or that of an image that is being made */
  constructor(
    readonly root: string,
    readonly release: string,
  ) {
    this.top = join(root, "lib/modules", release);
    this.path = join(this.top, "updates/ksplice");
  }

  /** What is kept, of all updates. @throws Refusal `spoilt-disk-module` */
  async list(): Promise<DiskModule[]> {
    const found: DiskModule[] = [];
    for (const file of (await namesIn(this.path)).sort()) {
      const [, name, id] = KEPT.exec(file) ?? [];
      if (name === undefined || id === undefined) continue;
      const path = join(this.path, file);
      const holds = marksOf((await readBytesIfThere(path)) ?? new Uint8Array(), path);
      if (holds.at(-1) !== id) throw spoiltModule(path, id);
      found.push({ name, id, holds, path });
    }
    return found;
  }

  /** Keeps an update's file: whole and on the disk, or not at all. @throws Refusal `modules-not-writable` */
  async keep(name: string, id: string, bytes: Uint8Array): Promise<void> {
    await this.#changing(async () => {
      // One by one: of a read-only file system Node's recursive form says that the directory above is missing.
      for (const path of [dirname(this.path), this.path]) await makeDirectory(path);
      const unfinished = this.#unfinished(name);
      try {
        const file = await open(unfinished, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o644);
        try {
          await file.writeFile(bytes);
          // Whatever the umask left.
          await file.chmod(0o644);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(unfinished, join(this.path, `${name}.ko-${id}`));
      } catch (error) {
        // Why it could not be written is what is told; the next command sweeps what is left.
        await unlink(unfinished).catch(() => undefined);
        throw error;
      }
    });
  }

  /** Takes an update's file away; one that is not there is fine. @throws Refusal `modules-not-writable` */
  async drop({ path }: Pick<DiskModule, "path">): Promise<void> {
    await this.#changing(() => unlinkIfThere(path));
  }

  /**
   * Makes `NAME.ko` the newest file of a module that is kept, or takes it away where there is none.
   * @param without the update whose file does not count any more
   * @throws Refusal `modules-not-writable`
   */
  async settle(name: string, without?: string): Promise<void> {
    const newest = newestOf((await this.list()).filter((kept) => kept.name === name && kept.id !== without));
    const active = join(this.path, `${name}.ko`);
    const there = await inodeOf(active);
    if (newest === undefined ? there === undefined : there !== undefined && there === (await inodeOf(newest.path))) return;
    await this.#changing(async () => {
      if (newest === undefined) {
        await unlinkIfThere(active);
        return;
      }
      const unfinished = this.#unfinished(name);
      await link(newest.path, unfinished);
      await rename(unfinished, active);
    });
  }

  /** Takes away what an interrupted write left. No name of a module begins with a dot. @throws Refusal `modules-not-writable` */
  async sweep(): Promise<void> {
    const unfinished = (await namesIn(this.path)).filter((file) => /^\..*\.tmp$/.test(file));
    if (unfinished.length === 0) return;
    await this.#changing(async () => {
      for (const file of unfinished) await unlinkIfThere(join(this.path, file));
    });
  }

  #unfinished(name: string): string {
    return join(this.path, `.${name}.${randomBytes(6).toString("hex")}.tmp`);
  }

  async #changing(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
      await syncDirectory(this.path);
    } catch (error) {
      const reason = whyNotWritable(error);
      if (reason === undefined) throw error;
      throw cannotChangeModules(this.path, reason);
    }
  }
}

const KEPT = /^([A-Za-z0-9_]+)\.ko-([A-Za-z0-9]{1,24})$/;

/** The one that holds all others: nothing is put there that does not. */
function newestOf(kept: readonly DiskModule[]): DiskModule | undefined {
  return kept.find(({ holds }) => kept.every(({ id }) => holds.includes(id)));
}

/** The updates in a module's file, oldest first. @throws Refusal `spoilt-disk-module` */
export function marksOf(bytes: Uint8Array, path: string): string[] {
  try {
    return readMark(findSection(bytes, MARK_SECTION, basename(path)) ?? new Uint8Array());
  } catch (error) {
    if (error instanceof ElfFormatError) throw spoiltModule(path);
    throw error;
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, 0o755);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  try {
    return (await stat(path, { bigint: true })).ino;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (directory === undefined) return;
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
