import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "./files.js";

/** Deletes the files of a directory that were used longest ago, until those left have at most so many bytes. */
export async function trimDirectory(directory: string, mostBytes: number): Promise<void> {
  const files = await Promise.all(
    (await readdir(directory)).map(async (name) => {
      try {
        const { size, mtimeMs } = await stat(join(directory, name));
        return { name, size, mtimeMs };
      } catch (error) {
        // Another process deleted it.
        if (isMissing(error)) return { name, size: 0, mtimeMs: 0 };
        throw error;
      }
    }),
  );
  let total = 0;
  for (const { name, size } of files.sort((a, b) => b.mtimeMs - a.mtimeMs)) {
    total += size;
    if (total > mostBytes) await rm(join(directory, name), { force: true });
  }
}
