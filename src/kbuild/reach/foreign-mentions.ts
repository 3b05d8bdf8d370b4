import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { requireProgram } from "../../host/refusals.js";
import { runTool } from "../../host/run-tool.js";
import { codeWords } from "../../source/top-level-items.js";
import { judgeTouchedFile } from "../change/touched-files.js";
import type { PatchedTree } from "../change/patched-tree.js";
import type { UnitWithCommand } from "../compile/unit-command.js";
import { UnitIndex } from "../compile/unit-index.js";
import { findUnitSources } from "../compile/unit-sources.js";
import type { PreparedBuild } from "../types.js";
import { treeNotSearched } from "./refusals.js";

/** A file that no unit of an update is made of, with a word that it has. */
export interface ForeignMention {
  readonly word: string;
  readonly file: string;
}

/** C files that assembly is told by where members lie. */
const OFFSETS = /(?:^|\/)(?:asm-offsets\w*|bounds)\.c$/;

/**
 * Files of the kernel, besides those that some units are made of, that have one of some names outside of comments: assembly, headers, C files that are compiled in this configuration.
 * Reads the whole tree: a second or two.
 * @param wanted names, and words that count only in files that assembly gets offsets of members from
 */
export async function findForeignMentions(
  build: PreparedBuild,
  { root }: PatchedTree,
  units: readonly UnitWithCommand[],
  wanted: { readonly names: readonly string[]; readonly inOffsets: readonly string[] },
): Promise<ForeignMention[]> {
  const words = new Set([...wanted.names, ...wanted.inOffsets]);
  if (words.size === 0) return [];
  const read = new Set<string>();
  for (const unit of units) for (const path of (await findUnitSources(build, unit.command)) ?? []) read.add(path);
  const patterns = [...words].flatMap((word) => ["-e", word]);
  const options = ["--include=*.c", "--include=*.h", "--include=*.S"];
  const files = wanted.names.length > 0 ? ["."] : ["arch", "kernel"];
  const { stdout, stderr, exitCode, notFound } = await runTool("grep", ["-RlwF", ...options, ...patterns, ...files], { cwd: root });
  if (notFound) throw requireProgram("grep", "grep");
  // 1: nothing was found. Above that not everything was read, and what was not may have the words.
  if (exitCode === undefined || exitCode > 1) throw treeNotSearched(stderr.trimEnd());
  const index = await UnitIndex.of(build);
  const mentions: ForeignMention[] = [];
  for (const file of stdout.split("\n").map((path) => path.replace(/^\.\//, ""))) {
    if (file === "" || read.has(file)) continue;
    const isOfOffsets = OFFSETS.test(file);
    // A C file that nothing is made of may come into another by #include; that one is a unit then.
    const isCompiled = !file.endsWith(".c") || index.madeOf(file).length > 0 || index.mayBeIncluded(file);
    const counts = isOfOffsets || (isCompiled && !["ignore", "listed"].includes(judgeTouchedFile(file).kind));
    if (!counts) continue;
    const here = new Set(codeWords(await readFile(join(root, file), "latin1")));
    for (const word of isOfOffsets ? words : wanted.names) if (here.has(word)) mentions.push({ word, file });
  }
  return mentions;
}
