import { join } from "node:path";
import { readLatin1 } from "../../host/files.js";
import type { PatchedTree } from "../../kbuild/change/patched-tree.js";

/** A C file or header that the patch touches, before and after; empty where it is not there. */
export interface TouchedText {
  readonly path: string;
  readonly pre: string;
  readonly post: string;
}

/** The texts of all C files and headers that a patch touches. */
export async function readTouchedTexts({ touched, shadow, root }: PatchedTree): Promise<TouchedText[]> {
  const read = async (top: string, path: string): Promise<string> => (await readLatin1(join(top, path))) ?? "";
  return await Promise.all(
    touched
      .filter((path) => /\.[ch]$/.test(path))
      .map(async (path) => ({ path, pre: await read(shadow.source, path), post: await read(root, path) })),
  );
}
