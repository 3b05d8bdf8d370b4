import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseObject } from "../../elf/parse-object.js";
import { runTool } from "../../host/run-tool.js";
import { parseConfig } from "../../tree/kernel-config.js";
import { makeProduct, type Variant } from "../compile/make-product.js";
import { runObjtool } from "../compile/objtool.js";
import { commandOf, type UnitCommand } from "../compile/unit-command.js";
import { UnitIndex, type IndexedObject } from "../compile/unit-index.js";
import type { PreparedBuild } from "../types.js";
import { exportsOfAssembly, noExportVersions } from "./refusals.js";

/** An object of a module, made as kbuild makes it for the module itself. */
export interface WholeObject {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** What genksyms says of the symbols that it exports: lines `#SYMVER NAME CRC`, as kbuild keeps them for modpost. */
  readonly versions: string;
}

/** Flags of {@link UNIT_FLAGS} that make objects comparable piece by piece: a module is built without. */
const OF_UNITS: ReadonlySet<string> = new Set(["-ffunction-sections", "-fdata-sections"]);

/** How an object names what it exports: an entry of the table, or, since Linux 6.4, a mark for modpost. */
const EXPORT = /^__(?:ksymtab|export_symbol)_(.+)$/;

/**
 * Compiles an object with kbuild's own command, to the letter but for where it is put, and without debug information.
 * @throws Refusal `does-not-compile`; `module-exports-assembly`
 */
export async function compileWhole(build: PreparedBuild, object: IndexedObject, variant: Variant): Promise<WholeObject> {
  const command = await commandOf(await UnitIndex.of(build), object);
  const compile = command.compile.filter((word) => !OF_UNITS.has(word));
  const { objtool } = command;
  const bytes = await makeProduct(build, command, variant, {
    compile,
    key: [object.path, ...compile, "whole", ...(objtool ?? [])],
    finish: async (path) => {
      if (objtool !== undefined) await runObjtool(build, objtool, path, object.path);
      return await readFile(path);
    },
  });
  return { path: object.path, bytes, versions: await versionsOf({ build, object, command, variant }, bytes) };
}

interface Compiled {
  readonly build: PreparedBuild;
  readonly object: IndexedObject;
  readonly command: UnitCommand;
  readonly variant: Variant;
}

async function versionsOf({ build, object, command, variant }: Compiled, bytes: Uint8Array): Promise<string> {
  const { symbols } = parseObject(bytes, object.path);
  const exported = symbols.flatMap(({ name }) => EXPORT.exec(name)?.[1] ?? []);
  if (exported.length === 0 || !(await hasVersions(build))) return "";
  // Of assembly kbuild makes a C file of the prototypes.
  if (object.kind !== "c") throw exportsOfAssembly(object.path);
  const [program = "", ...words] = command.compile.filter((word) => word !== "-c" && !OF_UNITS.has(word));
  const compile = [program, "-E", "-D__GENKSYMS__", ...words];
  const text = await makeProduct(build, command, variant, {
    compile,
    key: [object.path, ...compile, "genksyms"],
    finish: async (path) => {
      const tool = join(build.outDir, "scripts/genksyms/genksyms");
      const result = await runTool(tool, ["-r", "/dev/null"], { input: await readFile(path), root: build.root });
      if (result.exitCode !== 0) throw noExportVersions(object.path, result.stderr.trimEnd());
      return Buffer.from(result.stdout);
    },
  });
  return Buffer.from(text).toString();
}

async function hasVersions(build: PreparedBuild): Promise<boolean> {
  return parseConfig(await readFile(join(build.outDir, "include/config/auto.conf"), "utf8")).has("MODVERSIONS");
}
