import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../src/host/files.js";
import { parseLineChanges, type LineChange } from "../src/source/line-directives.js";
import { requireProgram } from "../src/host/refusals.js";
import { runTool } from "../src/host/run-tool.js";
import { mapLimited } from "../src/host/map-limited.js";

/** Directories that are no part of a source, as what `ksplice prepare` adds, or that no code of the kernel is made of. */
const NOT_COMPARED: ReadonlySet<string> = new Set("ksplice debian Documentation LICENSES samples scripts tools usr".split(" "));

/** C, assembly, and the rules by which they are compiled; what else a source holds is in no update, nor in the way of one. */
const COMPARED = /\.[chS]$|\/(?:Makefile|Kbuild|Kconfig)[^/]*$/;

const DIRECTORIES_AT_ONCE = 2;

/** How two trees differ: paths from the top, sorted. */
export interface TreeDifference {
  readonly changed: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** How the texts of each changed file differ. */
  readonly changes: ReadonlyMap<string, readonly LineChange[]>;
}

/** Compares what two source trees are compiled from; the top Makefile, which has the version, is left out. Takes some seconds: it reads both. */
export async function compareTrees(from: string, to: string): Promise<TreeDifference> {
  const directories = new Set((await Promise.all([from, to].map(listDirectories))).flat());
  const found = await mapLimited(
    [...directories].sort(),
    DIRECTORIES_AT_ONCE,
    async (directory) => await compareDirectory(from, to, directory),
  );
  const changes = new Map(found.flatMap((part) => part.changes).sort(([a], [b]) => (a < b ? -1 : 1)));
  const only = (side: "added" | "removed"): string[] => found.flatMap((part) => part[side]).sort();
  return { changed: [...changes.keys()], added: only("added"), removed: only("removed"), changes };
}

interface DirectoryDifference {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changes: readonly (readonly [string, LineChange[]])[];
}

async function compareDirectory(from: string, to: string, directory: string): Promise<DirectoryDifference> {
  const { stdout, notFound } = await runTool("diff", ["-r", "-N", join(from, directory), join(to, directory)], { encoding: "latin1" });
  if (notFound) throw requireProgram("diff", "diffutils");
  const [added, removed, changes]: [string[], string[], [string, LineChange[]][]] = [[], [], []];
  for (const part of stdout.split(/^(?=diff -r )/m)) {
    const path = /^diff -r -N (.*)$/m
      .exec(part)?.[1]
      ?.split(" ")
      .at(-1)
      ?.slice(to.length + 1);
    if (path === undefined || !COMPARED.test(path)) continue;
    const [before, after] = await Promise.all([isThere(join(from, path)), isThere(join(to, path))]);
    if (!before) added.push(path);
    else if (!after) removed.push(path);
    else changes.push([path, parseLineChanges(part)]);
  }
  return { added, removed, changes };
}

async function listDirectories(top: string): Promise<string[]> {
  const entries = await readdir(top, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && !NOT_COMPARED.has(entry.name))
    .map(({ name }) => name);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
