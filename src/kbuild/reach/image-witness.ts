import { KERNEL_ARCHITECTURE } from "../../arch/architectures.js";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findSection } from "../../elf/find-section.js";
import { directoriesIn, isDirectory, readTextIfThere } from "../../host/files.js";
import { readLatin1 } from "../../host/files.js";
import { isModuleFile, readModuleFile } from "../../host/module-file.js";
import { runTool } from "../../host/run-tool.js";
import { judgeTouchedFile } from "../change/touched-files.js";
import type { KernelTree } from "../../tree/kernel-tree.js";

/** Functions of a source file that the kernel's image holds though nothing of the file is compiled. */
export interface Contradiction {
  readonly functions: readonly string[];
  /** `vmlinux`, or the module's file. */
  readonly holder: string;
}

/** Shorter names are everywhere. */
const SHORTEST = 6;
/** So many of a file's functions are looked for. */
const MOST_NAMES = 200;
/** A file of another architecture's or allocator's defines what this kernel has from elsewhere: of a file that is in the image, this part is there and nowhere else. */
const SHARE = 1 / 3;

/**
 * Asks the image whether it holds a C file's code, for a file of which kbuild makes nothing: the names of its functions are looked for in the kernel's symbols and in
 * the modules of its directory. Knows nothing of makefiles; so it finds what kbuild was asked wrongly.
 * @param isCompiled tells of other files: a function that one of them defines is that
 * @returns undefined where the image holds none of it, or there is no image to look at
 */
export async function findContradiction(
  tree: KernelTree,
  path: string,
  isCompiled: (file: string) => boolean,
): Promise<Contradiction | undefined> {
  const names = definedFunctions((await readLatin1(join(tree.source, path))) ?? "");
  if (names.length === 0) return undefined;
  for (const { holder, symbols } of [await kernelSymbols(tree), ...(await moduleSymbols(tree, path))]) {
    const held = names.filter((name) => symbols.has(name));
    if (held.length < names.length * SHARE) continue;
    const elsewhere = await definedElsewhere(tree.source, held, (file) => file !== path && isCompiled(file));
    const functions = held.filter((name) => !elsewhere.has(name));
    if (functions.length > 0 && functions.length >= names.length * SHARE) return { functions, holder };
  }
  return undefined;
}

/** Names before a parenthesis in lines that begin at the margin and are no declarations. */
export function definedFunctions(text: string): string[] {
  const names = new Set<string>();
  for (const [line, name = ""] of text.matchAll(/^(?:[A-Za-z_][\w \t*]*?[ \t*])?([A-Za-z_]\w*)\([^;\n]*$/gm))
    if (name.length >= SHORTEST && !/^(?:typedef|return|else|static_assert)\b/.test(line) && !/^[A-Z0-9_]+$/.test(name)) names.add(name);
  return [...names].slice(0, MOST_NAMES);
}

interface Symbols {
  readonly holder: string;
  readonly symbols: ReadonlySet<string>;
}

async function kernelSymbols({ symbolsFile }: KernelTree): Promise<Symbols> {
  const text = symbolsFile === undefined ? "" : ((await readTextIfThere(symbolsFile)) ?? "");
  // Lines of modules, in a saved kallsyms, name them behind a tab.
  return { holder: "vmlinux", symbols: new Set(Array.from(text.matchAll(/^[0-9a-f]+ [tTwW] ([^\s]+)$/gm), ([, name = ""]) => name)) };
}

/** Of each module in the image's directory of that name, or the next above it. */
async function moduleSymbols({ configDir }: KernelTree, path: string): Promise<Symbols[]> {
  const modules = join(configDir, "image/lib/modules");
  const [release] = (await isDirectory(modules)) ? await readdir(modules) : [];
  if (release === undefined) return [];
  let directory = dirname(path);
  // All drivers are too many to look through, and say nothing of one of them.
  while (directory.includes("/") && !(await isDirectory(join(modules, release, "kernel", directory)))) directory = dirname(directory);
  if (!directory.includes("/")) return [];
  const top = join(modules, release, "kernel", directory);
  const files = (await readdir(top, { recursive: true })).filter(isModuleFile).sort();
  return await Promise.all(
    files.map(async (name) => {
      const strings = findSection(await readModuleFile(join(top, name)), ".strtab", name) ?? new Uint8Array();
      return { holder: join(directory, name), symbols: new Set(Buffer.from(strings).toString("latin1").split("\0")) };
    }),
  );
}

async function definedElsewhere(source: string, names: readonly string[], counts: (file: string) => boolean): Promise<Set<string>> {
  const directories = (await directoriesIn(source)).filter((name) => name !== "arch" && judgeTouchedFile(`${name}/x.c`).kind === "compile");
  const own = KERNEL_ARCHITECTURE.source.directory;
  if (await isDirectory(join(source, own))) directories.push(own);
  const pattern = `^[A-Za-z_].*\\b(${names.join("|")})\\(`;
  const result = await runTool("grep", ["-RE", "--include=*.[ch]", pattern, "--", ...directories], { cwd: source, encoding: "latin1" });
  const found = new Set<string>();
  for (const line of result.stdout.split("\n")) {
    const at = line.indexOf(":");
    const file = line.slice(0, at);
    if (at < 0 || line.trimEnd().endsWith(";") || !(file.endsWith(".h") || counts(file))) continue;
    for (const [, name = ""] of line.slice(at + 1).matchAll(/\b(\w+)\(/g)) found.add(name);
  }
  return found;
}
