import { createHash } from "node:crypto";
import { lstat, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, gzipSync } from "node:zlib";
import tar from "tar-stream";
import { badUpdate } from "./refusals.js";

/** Files of an update, by their path below its top folder. */
export type ArchiveFiles = ReadonlyMap<string, Uint8Array>;

export interface Archive {
  /** Name of the top folder: `ksplice-ID`. */
  readonly top: string;
  readonly files: ArchiveFiles;
}

/** Limits for input that may be hostile: far above what a real update needs, far below what would hurt. */
const MAX_FILES = 4096;
const MAX_BYTES = 512 * 1024 * 1024;

/** In hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A gzipped tar with `files` below `top`, the same bytes for the same input: sorted, no times, no owners. */
export async function packArchive(top: string, files: ArchiveFiles): Promise<Uint8Array> {
  const pack = tar.pack();
  const collected = collect(pack as unknown as AsyncIterable<Buffer>);
  const common = { mtime: new Date(0), uid: 0, gid: 0, uname: "root", gname: "root" };
  for (const path of [...files.keys()].sort()) {
    const bytes = files.get(path);
    if (bytes !== undefined) pack.entry({ name: `${top}/${path}`, mode: 0o644, ...common }, Buffer.from(bytes));
  }
  pack.finalize();
  return gzipSync(await collected, { level: 9 });
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * Reads an update from a tarball or from its unpacked tree, into memory only. Nothing is written anywhere.
 * @throws Refusal for links, devices, paths that leave the folder, duplicates, several top folders, anything too large or truncated
 */
export async function readArchive(path: string): Promise<Archive> {
  const found = await stat(path).catch((error: unknown) => {
    throw badUpdate(path, (error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : String(error));
  });
  return found.isDirectory() ? await readTree(path) : await readTarball(path);
}

/** Collects files under the limits. */
class Collector {
  readonly files = new Map<string, Uint8Array>();
  top: string | undefined;
  #bytes = 0;

  constructor(readonly path: string) {}

  /** @param size bytes, as declared, before they are read */
  admit(name: string, size: number): void {
    this.#bytes += size;
    if (this.#bytes > MAX_BYTES) throw badUpdate(this.path, `it unpacks to more than ${MAX_BYTES / 1024 / 1024} MiB`);
    if (this.files.size >= MAX_FILES) throw badUpdate(this.path, `it holds more than ${MAX_FILES} files`);
    if (this.files.has(name)) throw badUpdate(this.path, `it holds ${name} twice`);
  }
}

async function readTarball(path: string): Promise<Archive> {
  return await readArchiveBytes(await readFile(path), path);
}

/**
 * A tarball that is in memory already.
 * @param path what errors call it
 * @throws as {@link readArchive}
 */
export async function readArchiveBytes(compressed: Uint8Array, path: string): Promise<Archive> {
  const collector = new Collector(path);
  const extract = tar.extract();
  if (compressed.length === 0) throw badUpdate(path, "it is empty");
  const inflating = pipeline(Readable.from([Buffer.from(compressed)]), createGunzip(), extract);
  // The loop below ends early on a refusal; the pipeline then rejects because its sink was destroyed, which is no news.
  inflating.catch(() => undefined);
  try {
    for await (const entry of extract) {
      const { name, type, size } = entry.header;
      if (type === "directory") {
        splitTop(collector, name.replace(/\/$/, ""), true);
        entry.resume();
        continue;
      }
      if (type !== "file") throw badUpdate(path, `${name} is a ${type}, not a plain file`);
      const inner = splitTop(collector, name, false);
      collector.admit(inner, size);
      collector.files.set(inner, new Uint8Array(await collect(entry as AsyncIterable<Buffer>)));
    }
    await inflating;
  } catch (error) {
    if (error instanceof Error && error.name === "Refusal") throw error;
    throw badUpdate(path, `it is truncated or corrupted (${error instanceof Error ? error.message : String(error)})`);
  }
  if (collector.top === undefined) throw badUpdate(path, "it is an empty archive");
  return { top: collector.top, files: collector.files };
}

/** Checks a path of the archive and returns it without the top folder. */
function splitTop(collector: Collector, name: string, isDirectory: boolean): string {
  const parts = name.split("/");
  if (name.startsWith("/") || parts.some((part) => part === "" || part === "." || part === "..") || name.includes("\0"))
    throw badUpdate(collector.path, `it holds a path that leaves its folder: ${name}`);
  const [top, ...rest] = parts;
  if (top === undefined || !top.startsWith("ksplice-") || (rest.length === 0 && !isDirectory))
    throw badUpdate(collector.path, `${name} does not lie in a folder ksplice-ID`);
  collector.top ??= top;
  if (collector.top !== top) throw badUpdate(collector.path, `it holds two top folders, ${collector.top} and ${top}`);
  return rest.join("/");
}

async function readTree(path: string): Promise<Archive> {
  const collector = new Collector(path);
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(path, folder), { withFileTypes: true })) {
      const inner = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        await visit(inner);
      } else if (entry.isFile()) {
        collector.admit(inner, (await lstat(join(path, inner))).size);
        collector.files.set(inner, new Uint8Array(await readFile(join(path, inner))));
      } else {
        throw badUpdate(path, `${inner} is not a plain file`);
      }
    }
  };
  await visit("");
  return { top: "", files: collector.files };
}
