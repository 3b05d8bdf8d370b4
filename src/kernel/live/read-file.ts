import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/** Files of /proc and /sys, whose size nobody knows before they are read. */

const FIRST_SIZE = 0x10000;

/** A whole file in one buffer that grows. readFileSync() keeps every piece of it, and the kernel gives such files out in pieces of a page. */
export function readWholeFile(path: string): Uint8Array {
  const fd = openSync(path, "r");
  try {
    let bytes = new Uint8Array(FIRST_SIZE);
    for (let size = 0; ;) {
      const count = readSync(fd, bytes, size, bytes.length - size, null);
      if (count === 0) return bytes.subarray(0, size);
      size += count;
      if (size < bytes.length) continue;
      const larger = new Uint8Array(2 * bytes.length);
      larger.set(bytes);
      bytes = larger;
    }
  } finally {
    closeSync(fd);
  }
}

const small = Buffer.alloc(256);

/** A file of at most 256 bytes, in the fewest system calls: there may be tens of thousands of them. */
export function readSmallFile(path: string): string {
  const fd = openSync(path, "r");
  try {
    return small.toString("latin1", 0, readSync(fd, small, 0, small.length, null)).trim();
  } finally {
    closeSync(fd);
  }
}

/** The file's bytes; undefined if it cannot be read. */
export function readOptional(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** The file's text without space around it; undefined if it cannot be read. */
export function readText(path: string): string | undefined {
  const bytes = readOptional(path);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes).trim();
}
