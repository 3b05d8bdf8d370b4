import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../src/kbuild/files.js";
import { mapLimited } from "../src/update/map-limited.js";

/** Directories that are no part of a source, as what `ksplice prepare` adds, or that no code of the kernel is made of. */
const NOT_COMPARED: ReadonlySet<string> = new Set(
  "ksplice debian .git .pc Documentation LICENSES samples scripts tools usr".split(" "),
);

/** C, assembly, and the rules by which they are compiled; what else a source holds is in no update, nor in the way of one. */
const COMPARED = /\.[chS]$|\/(?:Makefile|Kbuild|Kconfig)[^/]*$/;

const READS_AT_ONCE = 32;

/** How two trees differ: paths from the top, sorted. */
export interface TreeDifference {
  readonly changed: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Compares what two source trees are compiled from, by content; the top Makefile, which has the version, is left out. Takes some seconds: it reads both. */
export async function compareTrees(from: string, to: string): Promise<TreeDifference> {
  const [before, after] = await Promise.all([listFiles(from, ""), listFiles(to, "")]);
  const there = new Set(after);
  const known = new Set(before);
  const common = before.filter((path) => there.has(path));
  const differs = await mapLimited(common, READS_AT_ONCE, async (path) => {
    const [pre, post] = await Promise.all([readFile(join(from, path)), readFile(join(to, path))]);
    return !pre.equals(post);
  });
  return {
    changed: common.filter((_, index) => differs[index]),
    added: after.filter((path) => !known.has(path)),
    removed: before.filter((path) => !there.has(path)),
  };
}

async function listFiles(top: string, directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(top, directory), { withFileTypes: true }).catch(noneIfMissing)) {
    const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
    if (entry.isDirectory()) {
      if (directory !== "" || !NOT_COMPARED.has(entry.name)) found.push(...(await listFiles(top, path)));
    } else if (entry.isFile() && COMPARED.test(path)) found.push(path);
  }
  return found.sort();
}

function noneIfMissing(error: unknown): [] {
  if (isMissing(error)) return [];
  throw error;
}
