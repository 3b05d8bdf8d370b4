import { KERNEL_ARCHITECTURE } from "../../arch/architectures.js";
import { readFile, realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isDirectory, isFile, readTextIfThere } from "../../host/files.js";
import { findDefinedString, findSourceVersion, parseConfig } from "../../tree/kernel-config.js";
import { requirePatchable } from "../../tree/needed-options.js";
import { buildNotFinished, configurationChanged, noKernelBuild } from "./refusals.js";

/** A kernel as it was built, in its source or in a directory of its own (`make O=`). */
export interface KernelBuild {
  /** Absolute path of the output directory. */
  readonly directory: string;
  /** Absolute path of the source that it was built from; the same where it was built in the source. */
  readonly source: string;
  readonly release: string;
  /** Of the source: `6.1.170`. */
  readonly version: string;
  /** Paths of its modules, from the output directory. */
  readonly modules: readonly string[];
}

const { directory: archDirectory, bootImage } = KERNEL_ARCHITECTURE.source;
/** Where the image is, from the output directory (image_name in the architecture's Makefile, Linux 6.1). */
export const IMAGE = `${archDirectory}/${bootImage}`;

/** What a whole build has. */
const PARTS = [
  ...[".config", "include/config/auto.conf", "include/generated/utsrelease.h", "include/generated/compile.h"],
  ...["vmlinux", "System.map", "Module.symvers", IMAGE],
];

/**
 * Looks at a build. Reads only.
 * @throws Refusal where there is none, it is not whole, or its configuration has been changed since
 */
export async function readBuild(given: string): Promise<KernelBuild> {
  if (!(await isDirectory(resolve(given)))) throw noKernelBuild(resolve(given));
  const directory = await realpath(given);
  const source = await findSource(directory);
  if (source === undefined) throw noKernelBuild(directory);
  const config = await readTextIfThere(join(directory, ".config"));
  if (config !== undefined) requirePatchable(parseConfig(config), join(directory, ".config"));
  const missing = await missingOf(directory, PARTS);
  if (missing.length > 0) throw buildNotFinished(directory, missing);
  await checkConfiguration(directory, config ?? "");
  const release = findDefinedString(await readFile(join(directory, "include/generated/utsrelease.h"), "utf8"), "UTS_RELEASE");
  if (release === undefined) throw buildNotFinished(directory, ["include/generated/utsrelease.h"]);
  const modules = await listModules(directory);
  const unbuilt = await missingOf(directory, modules);
  if (unbuilt.length > 0) throw buildNotFinished(directory, unbuilt);
  const version = findSourceVersion(await readFile(join(source, "Makefile"), "utf8")) ?? "";
  return { directory, source, release, version, modules };
}

/** kbuild leaves a link to the source in a directory of its own (`outputmakefile` in Makefile, Linux 6.1). */
async function findSource(directory: string): Promise<string | undefined> {
  for (const place of [directory, join(directory, "source")]) {
    const makefile = await readTextIfThere(join(place, "Makefile"));
    if (makefile === undefined || findSourceVersion(makefile) === undefined) continue;
    if (await isFile(join(place, "scripts/Makefile.build"))) return await realpath(place);
  }
  return undefined;
}

async function missingOf(directory: string, paths: readonly string[]): Promise<string[]> {
  const are = await Promise.all(paths.map((path) => isFile(join(directory, path))));
  return paths.filter((_, index) => are[index] === false);
}

/** kbuild writes down what it has built with; `.config` is the user's. */
async function checkConfiguration(directory: string, text: string): Promise<void> {
  const wanted = parseConfig(text);
  const built = parseConfig(await readFile(join(directory, "include/config/auto.conf"), "utf8"));
  const differences = [...new Set([...wanted.keys(), ...built.keys()])]
    .filter((name) => wanted.get(name) !== built.get(name))
    .map((name) => `CONFIG_${name}: ${built.get(name) ?? "unset"} in the build, ${wanted.get(name) ?? "unset"} in .config`);
  if (differences.length > 0) throw configurationChanged(directory, differences);
}

/** Lines name modules as they are installed, or as objects, by version. */
async function listModules(directory: string): Promise<string[]> {
  const text = (await readTextIfThere(join(directory, "modules.order"))) ?? "";
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => line.replace(/^kernel\//, "").replace(/\.o$/, ".ko"));
}
