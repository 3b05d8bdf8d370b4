import { defaultCacheDir } from "../../../src/host/cache-dir.js";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findSection } from "../../../src/elf/find-section.js";
import { VERSIONS_SECTION } from "../../../src/elf/module-versions.js";
import { STB_GLOBAL } from "../../../src/elf/constants.js";
import { AbsoluteAddress, UNDEFINED, type ElfObject } from "../../../src/elf/model.js";
import { parseObject } from "../../../src/elf/parse-object.js";
import { writeObject } from "../../../src/elf/write-object.js";
import { writeVersions } from "../../../src/kbuild/module/module-metadata.js";
import { withoutBuild } from "../../../src/kbuild/clean-source.js";
import { makeKernel, MODULE_FLAGS, withBuildLock } from "../../../src/kbuild/make.js";
import { openKernelTree } from "../../../src/tree/open-tree.js";
import { prepareBuild } from "../../../src/kbuild/prepare-build.js";
import { parseKallsyms, type SymbolTable } from "../../../src/kernel/kallsyms.js";
import type { RunKernel } from "../../../src/run-kernel.js";
import { prelinkCore } from "../../../src/update/prelink/prelink.js";
import type { Machine } from "../../../vm/machine.js";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const KMOD = fileURLToPath(new URL("../../../kmod", import.meta.url));

/** Built modules by name: the core (`ksplice`) and those of support/modules. */
export type BuiltModules = ReadonlyMap<string, Uint8Array>;

/** Builds the core and the test modules for a prepared tree. */
export async function buildCoreModules(treeDirectory: string): Promise<BuiltModules> {
  return await withCoreBuild(treeDirectory, { arguments: ["W=1"] }, async (directory) => {
    const files = (await readdir(directory, { recursive: true })).filter((file) => file.endsWith(".ko"));
    return new Map(
      await Promise.all(
        files.map(async (file): Promise<[string, Uint8Array]> => [file.replace(/.*\/|\.ko$/g, ""), await readFile(join(directory, file))]),
      ),
    );
  });
}

export interface CoreBuild {
  /** For make. */
  readonly arguments: readonly string[];
  /** Files put into the copy that is built, by their names from its top. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Builds the core and the test modules in a copy, and hands on where it is and what was said on standard error. A warning of the compiler is an error. */
export async function withCoreBuild<T>(
  treeDirectory: string,
  { arguments: further, files = {} }: CoreBuild,
  use: (directory: string, said: string) => Promise<T>,
): Promise<T> {
  const cacheDir = defaultCacheDir(process.env);
  const build = await prepareBuild(await withoutBuild(await openKernelTree(treeDirectory), cacheDir), { cacheDir });
  const directory = await mkdtemp(join(tmpdir(), "ksplice-core-test-"));
  try {
    await mkdir(join(directory, "modules"));
    await cp(KMOD, join(directory, "kmod"), { recursive: true });
    await cp(join(HERE, "modules"), join(directory, "modules"), { recursive: true });
    await writeFile(join(directory, "Kbuild"), "obj-m := kmod/ modules/\n");
    for (const [file, text] of Object.entries(files)) await writeFile(join(directory, file), text);
    const args = [
      `M=${directory}`,
      "KBUILD_MODPOST_WARN=1",
      "CONFIG_DEBUG_INFO_BTF_MODULES=",
      "KSPLICE_OWN_SHADOW=y",
      ...further,
      "modules",
    ];
    const result = await withBuildLock(build.cacheDir, () =>
      makeKernel({ ...build, source: build.tree.source }, args, [...MODULE_FLAGS, "-Werror"]),
    );
    if (result.exitCode !== 0) throw new Error(result.stderr);
    return await use(directory, result.stderr);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Loads modules into the guest, with the addresses of what its kernel does not export. */
export class ModuleLoader {
  readonly #machine: Machine;
  readonly #modules: BuiltModules;
  #symbols: SymbolTable | undefined;

  constructor(machine: Machine, modules: BuiltModules) {
    this.#machine = machine;
    this.#modules = modules;
  }

  /** @returns insmod's exit code and words */
  async load(name: string, parameters: readonly string[] = []): Promise<{ exitCode: number; stderr: string }> {
    return this.#machine.insertModule(name, await this.#prelink(name), parameters);
  }

  /** Puts a module that is not to be loaded yet into the guest. @returns its path there */
  async put(name: string): Promise<string> {
    const path = `/tmp/${name}.ko`;
    const input = await this.#prelink(name);
    await this.#machine.run(`cat >${path}`, { input });
    return path;
  }

  async unload(name: string): Promise<{ exitCode: number; stderr: string }> {
    return this.#machine.run(["rmmod", name]);
  }

  /** Bytes of a function of a test module. */
  sizeOf(module: string, name: string): number {
    const symbol = parseObject(this.#require(module), module).symbols.find((candidate) => candidate.name === name);
    if (symbol === undefined) throw new Error(`${module} has no ${name}`);
    return symbol.size;
  }

  /** Bytes from a symbol of the kernel to the next. */
  async sizeInKernel(name: string): Promise<number> {
    const symbols = await this.#readSymbols();
    const [symbol] = symbols.named(name);
    if (symbol === undefined) throw new Error(`the kernel has no ${name}`);
    let size = 1;
    while (symbols.at(symbol.addr + BigInt(size))?.addr === symbol.addr) size++;
    return size;
  }

  async #readSymbols(): Promise<SymbolTable> {
    return (this.#symbols ??= parseKallsyms((await this.#machine.run(["cat", "/proc/kallsyms"])).stdoutBytes));
  }

  async #prelink(name: string): Promise<Uint8Array> {
    return prelinkCore(this.#withVersions(name), symbolsOnly(await this.#readSymbols()));
  }

  /** What a module takes from others of these is left to the kernel's loader, which takes references: where kbuild does not tell of it, as in kernels without versions, the module is made to. */
  #withVersions(user: string): Uint8Array {
    const bytes = this.#require(user);
    if (findSection(bytes, VERSIONS_SECTION, user) !== undefined) return bytes;
    const module = parseObject(bytes, user);
    const defined = new Set([...this.#modules].flatMap(([name, other]) => (name === user ? [] : globalsOf(parseObject(other, name)))));
    const wanted = module.symbols.filter(({ home, name }) => home === UNDEFINED && defined.has(name));
    writeVersions(module, new Map(wanted.map(({ name }) => [name, 0])));
    return writeObject(module);
  }

  #require(name: string): Uint8Array {
    const bytes = this.#modules.get(name);
    if (bytes === undefined) throw new Error(`${name}.ko was not built`);
    return bytes;
  }
}

function globalsOf(module: ElfObject): string[] {
  return module.symbols.flatMap(({ name, home, bind }) =>
    bind === STB_GLOBAL && typeof home !== "string" && !(home instanceof AbsoluteAddress) ? [name] : [],
  );
}

/** Prelinking the core asks for names only. */
function symbolsOnly(symbols: SymbolTable): RunKernel {
  const unused = (): never => {
    throw new Error("only names are looked up here");
  };
  return {
    symbolsNamed: (name) => symbols.named(name),
    symbolAt: unused,
    symbolsStartingAt: unused,
    read: unused,
    newestCode: (addr) => addr,
    isReplacement: () => false,
    holdsCodeOf: (target, module) => (module ?? "vmlinux") === target,
    moduleSections: unused,
  };
}
