import { realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isDirectory, isFile, readTextIfThere } from "../host/files.js";
import { findSourceVersion } from "./kernel-config.js";
import { readKernelRecord } from "./kernel-record.js";
import { noConfigDirectory, noConfigFile, noSuchTree, notAKernelTree } from "./refusals.js";
import { splitShellWords } from "../host/shell-words.js";
import type { KernelTree } from "./kernel-tree.js";

/** What every build generates. */
const HEADER = "include/generated/utsrelease.h";

/**
 * Looks at a kernel source tree and its configuration directory (`SOURCE/ksplice` unless another is given).
 * Reads only.
 * @throws Refusal if either is not what it should be
 */
export async function openKernelTree(source: string, options: { readonly configDir?: string } = {}): Promise<KernelTree> {
  const given = resolve(source);
  if (!(await isDirectory(given))) throw noSuchTree(given);
  const top = await realpath(given);
  const makefile = await readTextIfThere(join(top, "Makefile"));
  if (makefile === undefined || findSourceVersion(makefile) === undefined || !(await isFile(join(top, "scripts/Makefile.build"))))
    throw notAKernelTree(given);

  const configDir = options.configDir === undefined ? join(top, "ksplice") : resolve(options.configDir);
  if (!(await isDirectory(configDir))) throw noConfigDirectory(configDir, options.configDir === undefined);
  const configFile = join(configDir, ".config");
  if (!(await isFile(configFile))) throw noConfigFile(configDir);

  const external = (await readKernelRecord(configDir))?.module;
  return {
    source: top,
    original: top,
    ...(external === undefined ? {} : { external }),
    configDir,
    configFile,
    symbolsFile: await findFirst([join(configDir, "System.map"), join(configDir, "kallsyms")], isFile),
    // A tree that the kernel was built in has all of it itself.
    buildDir: await findFirst([join(configDir, "build"), ...((await isFile(join(top, HEADER))) ? [top] : [])], isDirectory),
    makeFlags: splitShellWords((await readTextIfThere(join(configDir, "flags"))) ?? ""),
  };
}

async function findFirst(paths: readonly string[], isRight: (path: string) => Promise<boolean>): Promise<string | undefined> {
  for (const path of paths) if (await isRight(path)) return path;
  return undefined;
}
