import { KERNEL_ARCHITECTURE } from "../arch/architectures.js";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import ignore, { type Ignore } from "ignore";
import { readTextIfThere } from "../host/files.js";

/**
 * What only a build leaves in a tree, and what a kernel's own .gitignore says so of: the first three are those that kbuild looks for before it builds
 * elsewhere (`outputmakefile` in Makefile, Linux 6.1).
 */
export const BUILD_LEFTOVERS = [".config", "include/config", `${KERNEL_ARCHITECTURE.source.directory}/include/generated`];

/** No part of the source: a repository, and our own directory. */
const OWN = new Set([".git", "ksplice", "include/generated", ...BUILD_LEFTOVERS]);

/** Debian's source ends its list with this, for a repository that has the packaging only. */
const ALL_AT_THE_TOP = /^\/\*$/gm;

/** Rules of a directory's .gitignore. */
interface Rules {
  readonly directory: string;
  readonly rules: Ignore;
}

export interface SourceFiles {
  /** Paths from the top of the tree, sorted. */
  readonly files: readonly string[];
  /** The directories that they were found in, and all that a build has made no part of; the top is empty. */
  readonly directories: readonly string[];
}

/**
 * The files of a kernel source tree that a build in it has not made, by what the tree's own .gitignore files say. Takes seconds.
 * @param isClean no build has been in it: all its files are the source's
 * @returns undefined where the tree has no .gitignore, so that it cannot be told
 */
export async function listSourceFiles(source: string, isClean = false): Promise<SourceFiles | undefined> {
  const files: string[] = [];
  const directories: string[] = [];
  const walk = async (directory: string, above: readonly Rules[]): Promise<void> => {
    const text = isClean ? undefined : await readTextIfThere(join(source, directory, ".gitignore"));
    const own =
      text === undefined
        ? []
        : [{ directory, rules: ignore({ ignorecase: false }).add(directory === "" ? text.replaceAll(ALL_AT_THE_TOP, "") : text) }];
    const rules = [...own, ...above];
    directories.push(directory);
    for (const entry of await readdir(join(source, directory), { withFileTypes: true })) {
      const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
      if (OWN.has(path) || isIgnored(path, entry.isDirectory(), rules)) continue;
      if (entry.isDirectory()) await walk(path, rules);
      else files.push(path);
    }
  };
  if (!isClean && (await readTextIfThere(join(source, ".gitignore"))) === undefined) return undefined;
  await walk("", []);
  return { files: files.sort(), directories };
}

/** The rules of the nearest directory that has something to say of it decide (gitignore.txt, git 2.39). */
function isIgnored(path: string, isDirectory: boolean, rules: readonly Rules[]): boolean {
  for (const { directory, rules: own } of rules) {
    const inside = directory === "" ? path : path.slice(directory.length + 1);
    const { ignored, unignored } = own.test(isDirectory ? `${inside}/` : inside);
    if (ignored || unignored) return ignored;
  }
  return false;
}
