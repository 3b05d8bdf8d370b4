import { statSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { hashOf, isMissing, writeWhole } from "../files.js";
import { readLatin1 } from "../read-change.js";
import { runTool } from "../run-tool.js";
import { trimDirectory } from "../trim-directory.js";
import { readHeaderItems, type HeaderItem } from "./header-items.js";
import { MacroEffects } from "./macro-effects.js";
import { parseMacro, type Macro } from "./macro-text.js";
import { PastedNames } from "./pasted-names.js";
import { ReachIndex, ReachIndexBuilder, type ReachData } from "./reach-index.js";

/** Changes whenever an index that was kept would be read otherwise, or would hold something else. */
const FORMAT = "7";

/** An index has some 100 MB; one for each source tree in use. */
const MOST_BYTES = 1 << 30;

/**
 * The index of all headers of a source tree. Making it takes half a minute; it is kept, and valid while no header is added, removed or changed.
 * @param directories those that are searched, from the top of the tree
 * @param cacheDir where it is kept; undefined: nowhere
 */
export async function openReachIndex(
  source: string,
  directories: readonly string[],
  cacheDir: string | undefined,
  progress: (message: string) => void = () => undefined,
): Promise<ReachIndex> {
  const files = await listFiles(source, directories);
  const paths = files.filter((path) => path.endsWith(".h"));
  const file = cacheDir === undefined ? undefined : join(cacheDir, "reach", `${hashOf([FORMAT, source])}.index`);
  const key = hashOf([FORMAT, ...files.flatMap((path) => [path, stateOf(join(source, path))])]);
  const kept = file === undefined ? undefined : await readKept(file, key);
  if (kept !== undefined) return new ReachIndex(kept);
  progress("reading all headers of the tree, once");
  const data = await indexOfHeaders(paths, await findForeignMacros(source, directories), (path) => readLatin1(join(source, path)));
  if (file !== undefined && cacheDir !== undefined) {
    await mkdir(join(cacheDir, "reach"), { recursive: true });
    await writeWhole(file, serialize({ key, data }));
    await trimDirectory(join(cacheDir, "reach"), MOST_BYTES);
  }
  return new ReachIndex(data);
}

/**
 * @param foreign macros of C files
 * @param read the text of a header, as latin1
 */
async function indexOfHeaders(
  paths: readonly string[],
  foreign: readonly Macro[],
  read: (path: string) => Promise<string | undefined>,
): Promise<ReachData> {
  const headers: { path: string; items: readonly HeaderItem[] }[] = [];
  const allMacros: Macro[] = [];
  for (const path of paths) {
    const { items, macros } = readHeaderItems((await read(path)) ?? "");
    headers.push({ path, items });
    for (const macro of macros) allMacros.push(macro);
  }
  const pasted = PastedNames.ofMacros(allMacros, foreign);
  const effects = new MacroEffects(allMacros, new Set(foreign.map(({ name }) => name)), pasted);
  const builder = new ReachIndexBuilder();
  for (const { path, items } of headers) builder.add(path, items, pasted, effects);
  return builder.finish(paths, pasted);
}

/** Macros that C files define: a header that is included behind may use them. Their bodies are read as far as they stand on one line. */
async function findForeignMacros(source: string, directories: readonly string[]): Promise<Macro[]> {
  const pattern = "^[[:space:]]*#[[:space:]]*define[[:space:]]";
  const result = await runTool("grep", ["-rhE", "--include=*.c", pattern, "--", ...directories], { cwd: source, encoding: "latin1" });
  return result.stdout.split("\n").flatMap((line) => parseMacro(line.replace(/\\$/, "(")) ?? []);
}

async function listFiles(source: string, directories: readonly string[]): Promise<string[]> {
  const result = await runTool("find", [...directories, "-name", "*.[ch]", "-type", "f"], { cwd: source });
  return result.stdout
    .split("\n")
    .filter((path) => path !== "")
    .sort();
}

/** What tells one state of a file from another. */
function stateOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join();
  } catch (error) {
    if (isMissing(error)) return "";
    throw error;
  }
}

async function readKept(file: string, key: string): Promise<ReachData | undefined> {
  try {
    const kept = deserialize(await readFile(file)) as { key: string; data: ReachData };
    return kept.key === key ? kept.data : undefined;
  } catch {
    // Missing, or cut short: it is made again.
    return undefined;
  }
}
