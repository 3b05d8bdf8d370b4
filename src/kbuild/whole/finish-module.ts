import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { readBytesIfThere, readTextIfThere, writeWhole } from "../../host/files.js";
import { makeKernel, MODULE_FLAGS, withBuildLock } from "../make.js";
import type { PreparedBuild } from "../types.js";
import type { WholeObject } from "./compile-whole.js";
import { moduleNotLinked } from "./refusals.js";

export interface FinishedModule {
  readonly bytes: Uint8Array;
  /** What it exports, as modpost writes it down: CRC, name, and the rest of the line without the owner's path, sorted. */
  readonly exports: readonly string[];
}

/**
 * Makes a module of its objects: kbuild links them, runs objtool over the whole where it does that, has modpost write `.modinfo`, `__versions`
 * and the tables of exports, and links the result. It is told that it builds an external module whose objects come ready-made (`NAME.o_shipped`): so all
 * steps are its own, whatever the version, and nothing is compiled twice.
 * @param stem where kbuild makes the module, for its name
 * @throws Refusal `module-not-linked` with kbuild's own words: a symbol that nobody exports, say
 */
export async function finishModule(build: PreparedBuild, stem: string, objects: readonly WholeObject[]): Promise<FinishedModule> {
  const name = basename(stem);
  await mkdir(join(build.cacheDir, "tmp"), { recursive: true });
  const directory = await mkdtemp(join(build.cacheDir, "tmp", "whole-"));
  try {
    // A module that is an object itself is not linked of objects first: the order of some tables would be another one, and objtool has run.
    const isObject = objects.length === 1 && objects[0]?.path === `${stem}.o`;
    const files = objects.map((_, index) => (isObject ? `${name}.o` : `ksplice-object-${String(index)}.o`));
    // Kbuild's own rule for such files does not find them where it builds an external module in its directory (7.3): to make, `./%` fits anything, and so not what other rules make.
    const rules = files.map((file) => `$(obj)/${file}: $(src)/${file}_shipped\n\tcat $< > $@\n`);
    const parts = isObject ? "" : `${name}-y := ${files.join(" ")}\n`;
    await writeWhole(join(directory, "Kbuild"), `obj-m := ${name}.o\n${parts}${rules.join("")}`);
    for (const [index, object] of objects.entries()) {
      await writeWhole(join(directory, `${files[index] ?? ""}_shipped`), object.bytes);
      // Where modpost looks for the versions of what an object exports; it wants the file of every object.
      await writeWhole(join(directory, `.${files[index] ?? ""}.cmd`), `\n${object.versions}`);
    }
    // Types are left out: there is no vmlinux here to make split BTF against.
    const args = [`M=${directory}`, "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"];
    const result = await withBuildLock(build.cacheDir, () => makeKernel({ ...build, source: build.tree.source }, args, MODULE_FLAGS));
    const bytes = await readBytesIfThere(join(directory, `${name}.ko`));
    if (result.exitCode !== 0 || bytes === undefined) {
      const words = result.stderr.replaceAll(`${directory}/`, "").trimEnd();
      throw moduleNotLinked(
        name,
        words.replaceAll(/ksplice-object-(\d+)\.o/g, (text, index: string) => objects[Number(index)]?.path ?? text),
      );
    }
    return { bytes: Uint8Array.from(bytes), exports: exportLines((await readTextIfThere(join(directory, "Module.symvers"))) ?? "") };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What a kernel's own `Module.symvers` says of a module's exports, in the form of {@link FinishedModule.exports}. */
export async function shippedExports(build: PreparedBuild, stem: string): Promise<string[]> {
  return exportLines(await readFile(join(build.outDir, "Module.symvers"), "utf8"), stem);
}

function exportLines(text: string, owner?: string): string[] {
  return text
    .split("\n")
    .map((line) => line.split("\t"))
    .filter(([crc, , path]) => crc !== undefined && path !== undefined && (owner === undefined || path === owner))
    .map(([crc = "", name = "", , ...rest]) => [name, crc, ...rest].join(" ").trimEnd())
    .sort();
}
