import { tellNobody, type Tell } from "../../../events.js";
import { statSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { gunzipSync, gzipSync } from "node:zlib";
import { hashOf, isMissing, writeWhole } from "../../../host/files.js";
import { readLatin1 } from "../../../host/files.js";
import { runTool } from "../../../host/run-tool.js";
import { trimDirectory } from "../../../host/trim-directory.js";
import { CountedMacros } from "./counted-macros.js";
import { readHeaderItems, type HeaderText } from "./header-items.js";
import { MacroEffects } from "./macro-effects.js";
import { findMacros, type Macro } from "./macro-text.js";
import { PastedNames } from "./pasted-names.js";
import { ReachIndex, ReachIndexBuilder, type ReachData } from "./reach-index.js";

/** Changes whenever an index that was kept would be read differently, or would hold something else. */
const FORMAT = "14";

/** An index has up to 20 MB; one for each set of files in use. */
const MOST_BYTES = 1 << 28;

/** The index that was opened last: after a header that everything includes there is often another one. */
export interface LastIndex {
  opened?: { readonly file: string; readonly key: string; readonly index: ReachIndex };
}

/**
 * The index of some files of a source tree. It tells how a change spreads in those units that are made of nothing else: what another file defines
 * no such unit can use. It is kept, and valid while none of the files is changed.
 * @param roots tops of the source and of what is generated; a file is read from the first that has it
 * @param files headers, and what else the units are made of, from the top of the tree; those that are not there count as empty
 * @param cacheDir where it is kept; undefined: nowhere
 */
export async function openReachIndex(
  roots: readonly string[],
  files: readonly string[],
  cacheDir: string | undefined,
  tell: Tell = tellNobody,
  last: LastIndex = {},
): Promise<ReachIndex> {
  const paths = [...files].sort();
  const directory = cacheDir === undefined ? undefined : join(cacheDir, "reach");
  const file = directory === undefined ? undefined : join(directory, `${hashOf([FORMAT, ...roots, ...paths])}.index`);
  const key = hashOf(paths.flatMap((path) => roots.map((root) => stateOf(join(root, path)))));
  if (last.opened?.file === file && last.opened?.key === key) return last.opened.index;
  const kept = file === undefined ? undefined : await readKept(file, key);
  if (kept !== undefined) return remember(last, file, key, kept);
  tell("stage", `reading ${paths.length} files for what they use of one another`);
  const data = await indexOfFiles(paths, (path) => readFirst(roots, path));
  if (file !== undefined && directory !== undefined) {
    await mkdir(directory, { recursive: true });
    await writeWhole(file, gzipSync(serialize({ key, data }), { level: 1 }));
    await trimDirectory(directory, MOST_BYTES);
  }
  return remember(last, file, key, data);
}

function remember(last: LastIndex, file: string | undefined, key: string, data: ReachData): ReachIndex {
  const index = new ReachIndex(data);
  if (file !== undefined) last.opened = { file, key, index };
  return index;
}

/** @param read the text of a file, as latin1 */
async function indexOfFiles(paths: readonly string[], read: (path: string) => Promise<string>): Promise<ReachData> {
  const headers: { readonly path: string; text: HeaderText }[] = [];
  const allMacros: Macro[] = [];
  // Of what is no header only the macros count here: a header that is included behind may use them.
  const foreign: Macro[] = [];
  for (const path of paths) {
    const text = await read(path);
    if (!path.endsWith(".h")) {
      for (const macro of findMacros(text)) foreign.push(macro);
      continue;
    }
    const header = readHeaderItems(text);
    headers.push({ path, text: header });
  }
  const counted = new CountedMacros([...headers.flatMap(({ text }) => text.macros), ...foreign]);
  for (const header of headers) {
    header.text = counted.inHeader(header.text);
    for (const macro of header.text.macros) allMacros.push(macro);
  }
  const pasted = PastedNames.ofMacros(allMacros, foreign);
  const effects = new MacroEffects(allMacros, new Set(foreign.map(({ name }) => name)), pasted);
  const builder = new ReachIndexBuilder();
  for (const { path, text } of headers) builder.add(path, text, pasted, effects);
  return builder.finish(pasted);
}

async function readFirst(roots: readonly string[], path: string): Promise<string> {
  for (const root of roots) {
    const text = await readLatin1(join(root, path));
    if (text !== undefined) return text;
  }
  return "";
}

/** All headers and C files of some directories, from the top. */
export async function listSources(root: string, directories: readonly string[]): Promise<string[]> {
  const result = await runTool("find", [...directories, "-name", "*.[ch]", "-type", "f"], { cwd: root });
  return result.stdout.split("\n").flatMap((path) => (path === "" ? [] : [path.replace(/^\.\//, "")]));
}

/** What tells one state of a file from another. */
function stateOf(path: string): string {
  try {
    // Of two files that are asked about here one is missing, and an error for each would take seconds.
    const state = statSync(path, { bigint: true, throwIfNoEntry: false });
    return state === undefined ? "" : [state.dev, state.ino, state.size, state.mtimeNs, state.ctimeNs].join();
  } catch (error) {
    if (isMissing(error)) return "";
    throw error;
  }
}

async function readKept(file: string, key: string): Promise<ReachData | undefined> {
  try {
    const kept = deserialize(gunzipSync(await readFile(file))) as { key: string; data: ReachData };
    return kept.key === key ? kept.data : undefined;
  } catch {
    // Missing, or cut short: it is made again.
    return undefined;
  }
}
