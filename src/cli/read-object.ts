import { readFileSync } from "node:fs";
import { ElfFormatError, parseObject, unreadableObject, type ElfObject } from "../index.js";

/** @throws Refusal `unreadable-object` for a file that is no object; the system's error for one that cannot be read */
export function readObject(path: string): ElfObject {
  const bytes = new Uint8Array(readFileSync(path));
  return readingFiles(() => parseObject(bytes, path));
}

/**
 * Does something with objects that the user named: what is wrong with one may come out only when it is used.
 * @throws Refusal `unreadable-object`
 */
export function readingFiles<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ElfFormatError) throw unreadableObject(error.fileName, error.message.replace(`${error.fileName}: `, ""));
    throw error;
  }
}
