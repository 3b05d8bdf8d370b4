import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { tellNobody, type Tell } from "../../events.js";
import { hashOf, isMissing, writeWhole } from "../../host/files.js";
import { makeKernel, MODULE_FLAGS, withBuildLock } from "../make.js";
import { cannotBuildModules } from "./refusals.js";
import type { KernelModules, PreparedBuild } from "../types.js";

export interface ModulesOptions {
  /** The folder `kmod` of this project. */
  readonly kmodDir: string;
  readonly tell?: Tell;
}

/** Changes whenever the modules are built in another way. */
const CACHE_FORMAT = "2";

/** Names below the build's cache. */
const OUTPUTS = { core: "ksplice.ko", template: "ksplice_template.ko" } as const;

/**
 * Builds the core and the template for one kernel, or takes them from the cache if the same sources were built for it before.
 * Symbols that the kernel does not export stay undefined: they get their addresses when the update is applied.
 * @throws Refusal with make's own words
 */
export async function buildKernelModules(build: PreparedBuild, options: ModulesOptions): Promise<KernelModules> {
  const sources = await readSources(options.kmodDir);
  const key = hashOf([CACHE_FORMAT, ...MODULE_FLAGS, ...[...sources].flat()]);
  const directory = join(build.cacheDir, "modules", key.slice(0, 16));
  const cached = await readModules(directory);
  if (cached !== undefined) return cached;

  return await withBuildLock(build.cacheDir, async () => {
    const meanwhile = await readModules(directory);
    if (meanwhile !== undefined) return meanwhile;
    (options.tell ?? tellNobody)("stage", `building the kernel core for ${build.release}, once`);
    const modules = await buildIn(build, sources);
    await writeWhole(join(directory, OUTPUTS.template), modules.template);
    // The core is written last: where it is, both are.
    await writeWhole(join(directory, OUTPUTS.core), modules.core);
    return modules;
  });
}

/** @returns texts by path below `kmodDir` */
async function readSources(kmodDir: string): Promise<ReadonlyMap<string, string>> {
  const files = await readdir(kmodDir, { recursive: true });
  const names = files.filter((name) => name === "Kbuild" || (/\.[ch]$/.test(name) && !name.endsWith(".mod.c"))).sort();
  const sources = new Map<string, string>();
  for (const name of names) sources.set(name, await readFile(join(kmodDir, name), "utf8"));
  return sources;
}

async function readModules(directory: string): Promise<KernelModules | undefined> {
  try {
    const core = await readFile(join(directory, OUTPUTS.core));
    return { core, template: await readFile(join(directory, OUTPUTS.template)) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function buildIn(build: PreparedBuild, sources: ReadonlyMap<string, string>): Promise<KernelModules> {
  await mkdir(join(build.cacheDir, "tmp"), { recursive: true });
  const directory = await mkdtemp(join(build.cacheDir, "tmp", "kmod-"));
  try {
    for (const [name, text] of sources) await writeWhole(join(directory, name), text);
    const args = [
      `M=${directory}`,
      // What the kernel does not export is resolved when the update is applied.
      "KBUILD_MODPOST_WARN=1",
      // There is no vmlinux here to make split BTF against.
      "CONFIG_DEBUG_INFO_BTF_MODULES=",
      "modules",
    ];
    // What the modules say of their own source must not depend on where they were built.
    const flags = [...MODULE_FLAGS, `-ffile-prefix-map=${directory}/=`];
    const result = await makeKernel({ ...build, source: build.tree.source }, args, flags);
    if (result.exitCode !== 0) throw cannotBuildModules(build.release, result.stderr.replaceAll(`${directory}/`, "kmod/").trimEnd());
    return { core: await readFile(join(directory, OUTPUTS.core)), template: await readFile(join(directory, OUTPUTS.template)) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
