import { R_X86_64_PLT32, X86_64 } from "../../src/arch/machine/x86-64.js";
import { SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, STB_GLOBAL, STT_OBJECT } from "../../src/elf/constants.js";
import type { ElfObject } from "../../src/elf/model.js";
import { writeObject } from "../../src/elf/write-object.js";
import { CoreWriter } from "../../src/kernel/snapshot/core-writer.js";
import type { KernelFacts } from "../../src/kernel/live/kernel-facts.js";
import type { LiveKernel } from "../../src/kernel/live/live-kernel.js";
import { encodeFacts, NT_KSPLICE_FACTS, NT_KSPLICE_KALLSYMS, SNAPSHOT_OWNER } from "../../src/kernel/snapshot/snapshot-format.js";
import { FORMAT_VERSION, type Manifest, type ManifestTarget } from "../../src/update/file/manifest.js";
import { makeUpdate, type Update } from "../../src/update/file/update-file.js";
import { compileObject } from "./compile-object.js";
import { makeFunction, makeObject, makeSection, makeUndefined } from "./elf-builder.js";
import { FakeKernel, TEXT_START } from "./fake-kernel.js";
import { sampleUnit } from "./sample-update.js";

/** An update of one function of `kernel/unit.o` and one of a module's `drivers/mod.o`, and kernels that it fits. */

export const UNIT_SOURCE = `
extern int printk(const char *, ...);
static int counter;
int entry(int x) { counter += x; printk("x %d", x); return counter * 3; }
int other(int x) { return entry(x) + 1000; }
`;
export const MODULE_SOURCE = `
extern int kfree(int);
int mod_entry(int x) { return kfree(x + 5) + 7; }
`;
export const MODULE_START = 0xffffffffc0100000n;

export const FACTS: KernelFacts = {
  release: "6.1.0-47-amd64",
  machine: "x86_64",
  buildId: "ab".repeat(20),
  modules: [{ name: "mod", addr: MODULE_START, size: 4096, refcount: 0, state: "Live" }],
  coreVersion: undefined,
  updates: [],
  moduleSections: (module) => (module === "mod" ? new Map([[".text", MODULE_START]]) : undefined),
};

export function sampleKernel(unitSource = UNIT_SOURCE): FakeKernel {
  const kernel = new FakeKernel();
  kernel.load(compileObject(unitSource, "unit.o"), TEXT_START);
  kernel.load(compileObject(MODULE_SOURCE, "mod.o"), MODULE_START, "mod");
  kernel.define("text_mutex", 0xffffffff82000f00n, "D");
  return kernel;
}

export function asLive(kernel: FakeKernel, facts: Partial<KernelFacts> = {}): LiveKernel {
  return {
    ...FACTS,
    ...facts,
    symbolsNamed: (name) => kernel.symbolsNamed(name),
    allSymbols: () => kernel.symbols,
    symbolAt: (addr) => kernel.symbolAt(addr),
    symbolsStartingAt: (addr) => kernel.symbolsStartingAt(addr),
    read: (addr, size) => kernel.read(addr, size),
    newestCode: (addr) => kernel.newestCode(addr),
    isReplacement: (addr) => kernel.isReplacement(addr),
    holdsCodeOf: (target, module) => kernel.holdsCodeOf(target, module),
    close: () => undefined,
  };
}

/** The kernel as a snapshot. */
export function writeSnapshot(path: string, kernel: FakeKernel, facts: Partial<KernelFacts> = {}): void {
  const lines = kernel.symbols.map(
    ({ name, addr, type, module }) =>
      `${addr.toString(16).padStart(16, "0")} ${type} ${name}${module === undefined ? "" : `\t[${module}]`}\n`,
  );
  const writer = new CoreWriter(path);
  for (const { addr, bytes } of [...kernel.regions].sort((a, b) => (a.addr < b.addr ? -1 : 1))) writer.addMemory(addr, bytes);
  writer.addNotes([
    { owner: SNAPSHOT_OWNER, type: NT_KSPLICE_FACTS, content: encodeFacts({ ...FACTS, ...facts }) },
    { owner: SNAPSHOT_OWNER, type: NT_KSPLICE_KALLSYMS, content: Buffer.from(lines.join("")) },
  ]);
  writer.finish(X86_64.value);
}

export interface SampleOptions {
  /** What the new code of `entry` calls besides printk. */
  readonly calls?: readonly string[];
  /** Those of them that the kernel exports. */
  readonly exported?: readonly string[];
  readonly targets?: readonly ("vmlinux" | "mod")[];
  /** Variables that the new code brings. */
  readonly variables?: readonly string[];
  /** What the manifest has otherwise. */
  readonly manifest?: Partial<Pick<Manifest, "id" | "after" | "cves" | "effective" | "created">>;
}

export function sampleUpdate({
  calls = [],
  exported = [],
  variables = [],
  targets = ["vmlinux", "mod"],
  manifest = {},
}: SampleOptions = {}): Update {
  const { id = "fix" } = manifest;
  const parts = {
    vmlinux: {
      part: part(id, "vmlinux", "kernel/unit.o", "entry", ["printk", ...calls]),
      source: UNIT_SOURCE,
      calls: ["printk", ...calls],
    },
    mod: { part: part(id, "mod", "drivers/mod.o", "mod_entry", ["kfree"]), source: MODULE_SOURCE, calls: ["kfree"] },
  };
  const files = new Map<string, Uint8Array>([
    ["patch", new Uint8Array(0)],
    ["ksplice.ko", writeObject(makeObject([], [makeUndefined("text_mutex")], "ksplice.ko"))],
  ]);
  for (const name of targets) {
    const { part: target, source, calls: callees } = parts[name];
    const [unit] = target.units;
    if (unit === undefined) throw new Error("no unit");
    files.set(unit.pre, writeObject(compileObject(source, "pre.o")));
    files.set(unit.post, writeObject(compileObject(source, "post.o")));
    files.set(target.file, writeObject(newCode(unit.path, unit.functions[0]?.name ?? "", callees, exported, variables)));
  }
  return makeUpdate(
    {
      format: FORMAT_VERSION,
      id: "fix",
      description: "a fix",
      created: "2026-01-02T03:04:05Z",
      kernel: { release: FACTS.release, machine: "x86_64", buildId: "ab".repeat(20), compiler: "gcc-12" },
      after: [],
      cves: [],
      core: "ksplice.ko",
      targets: targets.map((name) => parts[name].part),
      notes: [],
      layouts: [],
      checked: [],
      ...manifest,
    },
    files,
  );
}

function part(id: string, name: string, path: string, func: string, calls: readonly string[]): ManifestTarget {
  const functions = [
    { name: func, preSymbol: func, newSymbol: `new:${path}:${func}`, preParts: [], interface: "same" as const, mayBeBusy: false },
  ];
  const imports = calls.map((callee) => ({ name: callee, symbol: callee }));
  const units = [sampleUnit(path, { functions, imports })];
  return { name, module: `ksplice_${id}_${name}`, file: `new/${name}.ko`, exports: [], units };
}

function newCode(
  path: string,
  func: string,
  calls: readonly string[],
  exported: readonly string[],
  variables: readonly string[],
): ElfObject {
  const text = makeSection(`.text.${func}`, new Uint8Array(64).fill(0x90), { flags: SHF_ALLOC | SHF_EXECINSTR });
  const callees = calls.map((name) => makeUndefined(name));
  text.relocations = callees.map((symbol, index) => ({ offset: 5 * index + 1, type: R_X86_64_PLT32, symbol, addend: -4 }));
  const versions = makeSection("__versions", new Uint8Array(64 * exported.length));
  exported.forEach((name, index) => {
    versions.data.set(new TextEncoder().encode(name), 64 * index + 8);
  });
  const data = makeSection(".data", new Uint8Array(8 * variables.length), { flags: SHF_ALLOC | SHF_WRITE });
  const objects = variables.map((name, index) => makeFunction(name, data, { type: STT_OBJECT, value: 8 * index, size: 8 }));
  const own = [...objects, makeFunction(func, text), makeFunction(`new:${path}:${func}`, text, { bind: STB_GLOBAL })];
  return makeObject(
    [text, versions, ...(variables.length === 0 ? [] : [data])],
    [...own, makeUndefined("ksplice_part"), makeUndefined("ksplice_register"), ...callees],
    "new.ko",
  );
}
