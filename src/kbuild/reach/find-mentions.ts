import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runTool } from "../../host/run-tool.js";
import { judgeTouchedFile } from "../change/touched-files.js";
import type { PatchedTree } from "../change/patched-tree.js";

/**
 * For each name the first C file of the patched tree that has it as a word, comments and all, other than those that the patch touches. Names that
 * no file has are absent. Reads the whole tree: a second or two.
 */
export async function findMentions({ root, touched }: PatchedTree, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (names.length === 0) return new Map();
  const patterns = names.flatMap((name) => ["-e", name]);
  const result = await runTool("grep", ["-RlwF", "--include=*.c", "--include=*.h", "--include=*.S", ...patterns, "."], { cwd: root });
  const files = result.stdout
    .split("\n")
    .map((path) => path.replace(/^\.\//, ""))
    .filter((path) => path !== "" && !touched.includes(path) && !["ignore", "listed"].includes(judgeTouchedFile(path).kind))
    .sort();
  const mentions = new Map<string, string>();
  for (const file of files) {
    const text = await readFile(join(root, file), "latin1");
    for (const name of names) if (!mentions.has(name) && new RegExp(`\\b${name}\\b`).test(text)) mentions.set(name, file);
  }
  return mentions;
}
