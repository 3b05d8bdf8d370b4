import { KERNEL_ARCHITECTURE } from "../../arch/architectures.js";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseObject } from "../../elf/parse-object.js";
import { writeObject } from "../../elf/write-object.js";
import { homeSection } from "../../elf/model.js";
import { MODULE_NAME_LEN } from "../../elf/module-versions.js";
import { declareImports, renameModule } from "./module-metadata.js";
import { parseModuleSymvers } from "./module-symvers.js";
import { addExportTables, findLicenceStyle, type ModuleExport } from "./export-table.js";
import { requireProgram } from "../../host/refusals.js";
import { cannotLink, moduleNameTooLong } from "./refusals.js";
import { runTool } from "../../host/run-tool.js";
import type { PreparedBuild } from "../types.js";

export interface LinkRequest {
  /** The template as {@link buildKernelModules} made it. */
  readonly template: Uint8Array;
  readonly objects: readonly { readonly unit: string; readonly bytes: Uint8Array }[];
  /** What the module offers to others. Symbols that the kernel has exported already are left out: nothing may be exported twice. */
  readonly exports?: readonly ModuleExport[];
  /** What other modules, which are loaded before, offer to it besides the kernel. */
  readonly offered?: readonly ModuleExport[];
  /** At most 55 characters. */
  readonly moduleName: string;
  readonly build: PreparedBuild;
}

/** Sections of the template that would be wrong or useless in what is linked from it. */
const DROPPED: ReadonlySet<string> = new Set([".note.gnu.build-id", ".comment", ".note.GNU-stack"]);

/**
 * Links the new code of one target with the template into a module of its own, relocatable and with its imports undefined.
 * The same input gives the same bytes.
 * @throws Refusal with the linker's own words
 */
export async function linkNewCode(request: LinkRequest): Promise<Uint8Array> {
  const { build, moduleName } = request;
  if (moduleName.length >= MODULE_NAME_LEN) throw moduleNameTooLong(moduleName, MODULE_NAME_LEN - 1);
  const module = parseObject(await link(request), `${moduleName}.ko`);
  module.symbols = module.symbols.filter((symbol) => !DROPPED.has(homeSection(symbol)?.name ?? ""));
  module.sections = module.sections.filter((section) => !DROPPED.has(section.name));
  renameModule(module, moduleName);
  const exported = parseModuleSymvers(await readFile(join(build.outDir, "Module.symvers"), "utf8"));
  declareImports(module, exported, request.offered);
  addExportTables(
    module,
    (request.exports ?? []).filter(({ name }) => !exported.has(name)),
    findLicenceStyle(await readFile(linkerScript(build), "utf8")),
  );
  return writeObject(module);
}

function linkerScript(build: PreparedBuild): string {
  return join(build.outDir, "scripts/module.lds");
}

async function link(request: LinkRequest): Promise<Uint8Array> {
  const { build } = request;
  await mkdir(join(build.cacheDir, "tmp"), { recursive: true });
  const directory = await mkdtemp(join(build.cacheDir, "tmp", "link-"));
  try {
    const inputs = ["template.o", ...request.objects.map((_, index) => `${index}.o`)];
    await writeFile(join(directory, "template.o"), request.template);
    for (const [index, object] of request.objects.entries()) await writeFile(join(directory, `${index}.o`), object.bytes);
    // kbuild's own script sorts the tables that the kernel expects sorted, and discards what is for its tools only.
    const script = linkerScript(build);
    const args = [
      "-r",
      "-m",
      KERNEL_ARCHITECTURE.tools.linkerEmulation,
      "-z",
      "noexecstack",
      "--build-id=none",
      "-T",
      script,
      "-o",
      "module.o",
      ...inputs,
    ];
    const result = await runTool("ld", args, { cwd: directory, root: build.root });
    if (result.notFound) throw requireProgram("ld", "binutils");
    if (result.exitCode !== 0) throw cannotLink(request.moduleName, nameInputs(result.stderr, request));
    return await readFile(join(directory, "module.o"));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The linker speaks of its input files: say which units they are. */
function nameInputs(words: string, request: LinkRequest): string {
  return words.replaceAll(/\b(\d+)\.o\b/g, (text, index: string) => request.objects[Number(index)]?.unit ?? text).trimEnd();
}
