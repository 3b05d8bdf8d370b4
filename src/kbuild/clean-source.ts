import { mkdir, rm, stat, symlink, unlink } from "node:fs/promises";
import { join } from "node:path";
import { tellNobody, type Tell } from "../events.js";
import { hashOf, isDirectory, isFile, isMissing, readLatin1, readTextIfThere, writeWhole } from "../host/files.js";
import type { KernelTree } from "../tree/kernel-tree.js";
import { BUILD_LEFTOVERS, listSourceFiles, type SourceFiles } from "../tree/source-files.js";
import { withBuildLock } from "./make.js";
import { treeNotClean } from "./refusals.js";

/** What the view was last made of. */
interface ViewState {
  /** False while it is made to follow the source, and if that was interrupted. */
  readonly isWhole: boolean;
  /** All links that may be there. */
  readonly files: readonly string[];
  /** Each directory of the source, and its state. */
  readonly directories: Readonly<Record<string, string>>;
}

/** Something that only a build in a source tree leaves there. */
export async function findLeftover(source: string): Promise<string | undefined> {
  for (const path of BUILD_LEFTOVERS) if ((await isFile(join(source, path))) || (await isDirectory(join(source, path)))) return path;
  return undefined;
}

/**
 * The tree as kbuild takes it for a build elsewhere. Where it has been built in, that is a view of it in the cache, of links to all files that the build
 * has not made: its directories are real, so `..` leads to the view's own. It is kept, and follows the tree. The tree itself is not written to.
 * @throws Refusal `tree-not-clean` where it cannot be told what the build has made
 */
export async function withoutBuild(tree: KernelTree, cacheDir: string, tell: Tell = tellNobody): Promise<KernelTree> {
  if ((await findLeftover(tree.original)) === undefined) return tree;
  const place = join(cacheDir, "views", hashOf([tree.original]).slice(0, 16));
  return { ...tree, source: await makeView(tree, place, new Map(), tell) };
}

/**
 * Makes or brings up to date a view of a tree.
 * @param place its directory in the cache
 * @param texts of files that are other ones in it, latin1; undefined for one that it does not have. A place has always the same files here
 * @returns the view's top
 * @throws Refusal `tree-not-clean`
 */
export async function makeView(
  tree: KernelTree,
  place: string,
  texts: ReadonlyMap<string, string | undefined>,
  tell: Tell,
): Promise<string> {
  const view = join(place, "source");
  await withBuildLock(place, async () => {
    const stateFile = join(place, "state.json");
    const state = await readState(stateFile);
    if (state === undefined || !(await isCurrent(tree.original, state))) {
      tell("stage", "looking for the files of the source");
      const leftover = await findLeftover(tree.original);
      const started = Date.now();
      const found = await listSourceFiles(tree.original, leftover === undefined);
      if (found === undefined) throw treeNotClean(tree.original, leftover ?? "");
      const linked = { ...found, files: found.files.filter((path) => !texts.has(path)) };
      await followSource({ source: tree.original, view, stateFile, started }, linked, state);
    }
    for (const [path, text] of texts) await writeText(join(view, path), text);
  });
  return view;
}

/** Leaves a file alone that is as it should be: caches go by its times. */
async function writeText(path: string, text: string | undefined): Promise<void> {
  if (text === undefined) await rm(path, { force: true });
  else if ((await readLatin1(path)) !== text) await writeWhole(path, Buffer.from(text, "latin1"));
}

interface ViewPlace {
  readonly source: string;
  readonly view: string;
  readonly stateFile: string;
  /** When the source was looked at. */
  readonly started: number;
}

/** @param state of the view as it is; undefined where there is none */
async function followSource(
  { source, view, stateFile, started }: ViewPlace,
  found: SourceFiles,
  state: ViewState | undefined,
): Promise<void> {
  const before = state?.files ?? [];
  const wanted = new Set(found.files);
  const linked = new Set(state?.isWhole === true ? before : []);
  await writeState(stateFile, { isWhole: false, files: [...new Set([...before, ...wanted])], directories: {} });
  for (const path of before) if (!wanted.has(path)) await unlink(join(view, path)).catch(ignoreMissing);
  for (const directory of found.directories) await mkdir(join(view, directory), { recursive: true });
  for (const path of found.files) if (!linked.has(path)) await symlink(join(source, path), join(view, path)).catch(ignoreThere);
  const directories = found.directories.map(async (path) => [path, (await stateOf(source, path, started)) ?? ""] as const);
  await writeState(stateFile, { isWhole: true, files: found.files, directories: Object.fromEntries(await Promise.all(directories)) });
}

async function isCurrent(source: string, { isWhole, directories }: ViewState): Promise<boolean> {
  if (!isWhole) return false;
  const states = await Promise.all(Object.entries(directories).map(async ([path, known]) => (await stateOf(source, path)) === known));
  return states.every(Boolean);
}

/**
 * What changes when an entry of a directory comes or goes, or its .gitignore changes.
 * @param started undefined is returned for what has changed since, or shortly before: it may have changed again, in the same tick of the clock
 */
async function stateOf(source: string, directory: string, started = Infinity): Promise<string | undefined> {
  const found = await stat(join(source, directory), { bigint: true }).catch(ignoreMissing);
  const rules = await stat(join(source, directory, ".gitignore"), { bigint: true }).catch(ignoreMissing);
  if (found === undefined || Number(found.mtimeMs) > started - 2000) return undefined;
  return [found.ino, found.mtimeNs, rules?.ino, rules?.mtimeNs, rules?.size].join();
}

async function writeState(path: string, state: ViewState): Promise<void> {
  await writeWhole(path, JSON.stringify(state));
}

async function readState(path: string): Promise<ViewState | undefined> {
  const text = await readTextIfThere(path);
  return text === undefined ? undefined : (JSON.parse(text) as ViewState);
}

function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

function ignoreThere(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
}
