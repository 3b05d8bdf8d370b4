import { join } from "node:path";
import type { IncludeGraph } from "./include-graph.js";
import { newNames } from "./new-names.js";
import { readLatin1 } from "./read-change.js";
import { runTool } from "./run-tool.js";
import { codeWords } from "./top-level-items.js";

/** What a change of headers may change the code of. */
export interface HeaderReach {
  /** Files that include one of the headers, directly or not, and may use what changed. */
  readonly files: ReadonlySet<string>;
  /** Headers whose change only brings names, or takes them away; with these names. */
  readonly newNames: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Where a header only gets new names, the files that mention one of them, and those that include a header which does; else all that include it.
 * @param headers paths from the top of the tree, of C files too that others include
 * @param source top of the unpatched tree
 * @param patched top of the patched one; undefined where what changes is not known
 */
export async function headerReach(
  graph: IncludeGraph,
  headers: readonly string[],
  source: string,
  patched: string | undefined,
): Promise<HeaderReach> {
  const scoped = new Map<string, ReadonlySet<string>>();
  for (const header of headers) {
    const pre = await readLatin1(join(source, header));
    const post = patched === undefined ? undefined : await readLatin1(join(patched, header));
    const names = pre === undefined || post === undefined ? undefined : await newNames(pre, post);
    if (names !== undefined) scoped.set(header, names);
  }
  const files = await graph.includersOf(headers.filter((header) => !scoped.has(header)));
  for (const [header, names] of scoped) {
    const mentioning = await filesWithWords(source, graph.directories, names);
    mentioning.delete(header);
    const users = new Set([...mentioning, ...(await graph.includersOf([...mentioning].filter((path) => path.endsWith(".h"))))]);
    for (const file of await graph.includersOf([header])) if (users.has(file)) files.add(file);
  }
  return { files, newNames: scoped };
}

/** C files and headers that have one of the words outside of comments and strings. Reads the tree: a second or two. */
async function filesWithWords(source: string, directories: readonly string[], words: ReadonlySet<string>): Promise<Set<string>> {
  const found = new Set<string>();
  if (words.size === 0) return found;
  const patterns = [...words].flatMap((word) => ["-e", word]);
  const result = await runTool("grep", ["-rlwF", "--include=*.[ch]", ...patterns, "--", ...directories], { cwd: source });
  for (const path of result.stdout.split("\n").filter((line) => line !== "")) {
    const text = (await readLatin1(join(source, path))) ?? "";
    for (const word of codeWords(text)) {
      if (!words.has(word)) continue;
      found.add(path);
      break;
    }
  }
  return found;
}
