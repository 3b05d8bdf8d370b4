import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { tellNobody, type Tell } from "../../events.js";
import { isDirectory } from "../../host/files.js";
import { makeKernel, MODULE_FLAGS, withBuildLock } from "../make.js";
import type { PreparedBuild } from "../types.js";
import { cannotBuildSourceModules } from "./refusals.js";

/** Modules that a kernel's source has and its configuration leaves out. */
export interface SourceModules {
  /** For the cache's directory and for messages. */
  readonly name: string;
  /** Directories of the source. */
  readonly directories: readonly string[];
  /** Options that are set to `m`, without `CONFIG_`. */
  readonly options: readonly string[];
}

/**
 * Builds modules for a kernel that was built without them, as external modules out of copies of its own source. Takes some seconds the first time.
 * @returns the directory that holds the .ko files
 * @throws Refusal with make's own words: not everything can be a module of a kernel that was not made for it
 */
export async function buildSourceModules(build: PreparedBuild, modules: SourceModules, tell: Tell = tellNobody): Promise<string> {
  const target = join(build.cacheDir, "modules", modules.name);
  return await withBuildLock(build.cacheDir, async () => {
    if (await isDirectory(target)) return target;
    tell("stage", `building ${modules.name} for ${build.release}, which comes without it, once`);
    await mkdir(join(build.cacheDir, "tmp"), { recursive: true });
    const directory = await mkdtemp(join(build.cacheDir, "tmp", "modules-"));
    try {
      const copies = modules.directories.map((path) => path.replaceAll("/", "-"));
      for (const [index, path] of modules.directories.entries())
        await cp(join(build.tree.source, path), join(directory, copies[index] ?? ""), { recursive: true });
      await writeFile(join(directory, "Kbuild"), `obj-m := ${copies.map((copy) => `${copy}/`).join(" ")}\n`);
      const options = modules.options.map((option) => `CONFIG_${option}=m`);
      const args = [`M=${directory}`, ...options, "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"];
      const result = await makeKernel({ ...build, source: build.tree.source }, args, MODULE_FLAGS);
      if (result.exitCode !== 0) throw cannotBuildSourceModules(modules.name, build.release, result.stderr.trimEnd());
      const built = join(directory, "built");
      await mkdir(built);
      for (const path of await readdir(directory, { recursive: true }))
        if (path.endsWith(".ko")) await rename(join(directory, path), join(built, basename(path)));
      await mkdir(join(target, ".."), { recursive: true });
      await rename(built, target);
      return target;
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
}
