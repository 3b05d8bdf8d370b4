import { SHF_MERGE, STT_SECTION } from "../../src/elf/constants.js";
import { homeSection, type ElfObject, type ElfSymbol } from "../../src/elf/model.js";
import { writeObject } from "../../src/elf/write-object.js";
import type { KernelFacts } from "../../src/kernel/live/kernel-facts.js";
import type { RedirectedFunction } from "../../src/engine/core/ksplice-sysfs.js";
import type { LiveKernel } from "../../src/kernel/live/live-kernel.js";
import { FORMAT_VERSION, type ManifestFunction } from "../../src/update/file/manifest.js";
import { makeUpdate, type Update } from "../../src/update/file/update-file.js";
import { parseObject } from "../../src/elf/parse-object.js";
import { compileBytes, GCC, KERNEL_LIKE_FLAGS, SECTION_FLAGS } from "./compile-object.js";
import { makeObject, makeUndefined } from "./elf-builder.js";
import { FakeKernel, TEXT_START } from "./fake-kernel.js";
import { asLive, FACTS } from "./sample-fit.js";

/** Made-up kernels with an update applied, well or badly: what create, prelinking and the core do, done by hand. */

export const NEW_MODULE = "ksplice_fix_vmlinux";
const NEW_START = 0xffffffffc0800000n;

export interface SampleUnit {
  readonly path: string;
  /** C text before and after the patch. */
  readonly pre: string;
  readonly post: string;
  /** Names whose definitions in the patched source the update brings; none for a unit that is compared only. */
  readonly brought?: readonly string[];
  /** Of them the functions that replace others. Default: those that `pre` has too. */
  readonly functions?: readonly ManifestFunction[];
  /** Where new code of this unit finds a name instead of in the kernel's image. */
  readonly imports?: Readonly<Record<string, string>>;
  /** What the new code is cut out of, where it is not `post`. */
  readonly made?: string;
}

export interface AppliedOptions {
  /** Names that the core does not redirect although the manifest has them. */
  readonly forgotten?: readonly string[];
  readonly change?: (kernel: FakeKernel, core: RedirectedFunction[]) => void;
  readonly facts?: Partial<KernelFacts>;
}

const compiled = new Map<string, Uint8Array>();

/** A fresh object each time: loading and cutting change it. */
function compile(text: string, fileName: string): ElfObject {
  let bytes = compiled.get(text);
  if (bytes === undefined) compiled.set(text, (bytes = compileBytes(text, GCC ?? "gcc", [...KERNEL_LIKE_FLAGS, ...SECTION_FLAGS])));
  return parseObject(bytes, fileName);
}

export function replaces(name: string, newSymbol = `new:${name}`): ManifestFunction {
  return { name, preSymbol: name, newSymbol, preParts: [], interface: "same", mayBeBusy: false };
}

export interface AppliedSample {
  readonly update: Update;
  readonly kernel: LiveKernel;
  /** What the kernel is made of, for a snapshot of it. */
  readonly fake: FakeKernel;
  readonly facts: Partial<KernelFacts>;
}

/** Loads the units' old code and the update's new code, redirects what the manifest says, and makes the update. */
export function applySample(units: readonly SampleUnit[], options: AppliedOptions = {}): AppliedSample {
  const kernel = new FakeKernel();
  kernel.applied.set(NEW_MODULE, "vmlinux");
  const core: RedirectedFunction[] = [];
  units.forEach(({ pre, path }, index) => {
    kernel.load(compile(pre, path), TEXT_START + BigInt(index * 0x10000));
  });
  const manifestUnits = units.flatMap((unit, index) => {
    if (unit.brought === undefined) return [];
    const post = compile(unit.made ?? unit.post, unit.path);
    const imports = new Map(Object.entries(unit.imports ?? {}).map(([name, from]) => [name, addrOf(kernel, from)]));
    for (const { name, addr } of kernel.symbols) if (!imports.has(name)) imports.set(name, addr);
    kernel.load(cutOut(post, unit.brought), NEW_START + BigInt(index * 0x10000), NEW_MODULE, imports);
    const old = new Set(kernel.symbols.filter(({ module }) => module === undefined).map(({ name }) => name));
    const functions =
      unit.functions ??
      unit.brought.filter((name) => old.has(name) && isFunction(post, name)).map((name) => replaces(name, `new:${unit.path}:${name}`));
    return [{ unit, functions }];
  });
  for (const { functions } of manifestUnits) {
    for (const { name, newSymbol } of functions) {
      if (options.forgotten?.includes(name) === true) continue;
      const newAddr = kernel.addrOf(newSymbol.replace(/^new:.*:/, ""), NEW_MODULE);
      const oldAddr = kernel.addrOf(name);
      core.push({ name, oldAddr, oldSize: 16, newAddr, newSize: 16, siteOffset: 0, byFtrace: false, target: "vmlinux" });
    }
  }
  options.change?.(kernel, core);
  for (const { oldAddr, newAddr } of core) if (newAddr !== 0n) kernel.redirect(oldAddr, newAddr);
  const facts = {
    modules: [{ name: NEW_MODULE, addr: NEW_START, size: 4096, refcount: 0, state: "Live" }],
    updates: [{ id: "fix", stage: "applied", functions: core, writtenTargets: [] }],
    ...options.facts,
  };
  return { update: pack(units, manifestUnits), kernel: asLive(kernel, facts), fake: kernel, facts };
}

/** `NAME`, or `MODULE:NAME`. */
function addrOf(kernel: FakeKernel, place: string): bigint {
  const [name = "", module] = place.split(":").reverse();
  return kernel.addrOf(name, module);
}

function isFunction(object: ElfObject, name: string): boolean {
  return object.symbols.some((symbol) => symbol.name === name && symbol.type === 2);
}

function pack(units: readonly SampleUnit[], changed: readonly { unit: SampleUnit; functions: readonly ManifestFunction[] }[]): Update {
  const files = new Map<string, Uint8Array>([
    ["patch", new Uint8Array(0)],
    ["ksplice.ko", new Uint8Array(0)],
    ["new/vmlinux.ko", new Uint8Array(0)],
  ]);
  for (const { path, pre, post, brought } of units) {
    if (brought !== undefined) files.set(`pre/${path}`, writeObject(compile(pre, path)));
    files.set(`post/${path}`, writeObject(compile(post, path)));
  }
  const rest = { writes: [], imports: [], changed: [], new: [], removed: [], moved: [], left: [], added: [], data: [], hooks: [] };
  return makeUpdate(
    {
      format: FORMAT_VERSION,
      id: "fix",
      description: "a fix",
      created: "2026-01-02T03:04:05Z",
      kernel: { release: FACTS.release, machine: "x86_64", compiler: "gcc-12" },
      after: [],
      cves: [],
      core: "ksplice.ko",
      targets: [
        {
          name: "vmlinux",
          module: NEW_MODULE,
          file: "new/vmlinux.ko",
          exports: [],
          units: changed.map(({ unit: { path }, functions }) => ({
            path,
            pre: `pre/${path}`,
            post: `post/${path}`,
            functions: [...functions],
            ...rest,
          })),
        },
      ],
      notes: [],
      layouts: [],
      checked: units.filter(({ brought }) => brought === undefined).map(({ path }) => ({ path, target: "vmlinux", post: `post/${path}` })),
    },
    files,
  );
}

/** The named definitions of an object by themselves; what they use besides is undefined. */
function cutOut(object: ElfObject, names: readonly string[]): ElfObject {
  const named = (symbol: ElfSymbol): boolean => names.includes(symbol.name) && homeSection(symbol) !== undefined;
  const kept = new Set(object.symbols.filter(named).map(homeSection));
  for (const section of object.sections) if ((section.flags & SHF_MERGE) !== 0) kept.add(section);
  const undefinedSymbols = new Map<string, ElfSymbol>();
  const outside = (name: string): ElfSymbol => {
    const symbol = undefinedSymbols.get(name) ?? makeUndefined(name);
    undefinedSymbols.set(name, symbol);
    return symbol;
  };
  const sections = object.sections.filter((section) => kept.has(section));
  for (const section of sections) {
    section.relocations = section.relocations.map((relocation) => {
      const home = homeSection(relocation.symbol);
      if (home === undefined) return { ...relocation, symbol: outside(relocation.symbol.name) };
      if (kept.has(home)) return relocation;
      const meant = object.symbols.find((symbol) => homeSection(symbol) === home && symbol.type !== STT_SECTION && symbol.value === 0);
      return { ...relocation, symbol: outside(meant?.name ?? home.name) };
    });
  }
  const own = object.symbols.filter((symbol) => {
    const home = homeSection(symbol);
    return home !== undefined && kept.has(home);
  });
  return makeObject(sections, [...own, ...undefinedSymbols.values()], object.fileName);
}
