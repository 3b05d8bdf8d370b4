import { R_X86_64_PLT32 } from "../../src/arch/machine/x86-64.js";
import { SHF_ALLOC, SHF_EXECINSTR, STB_GLOBAL } from "../../src/elf/constants.js";
import type { ElfObject, ElfSymbol } from "../../src/elf/model.js";
import { parseObject } from "../../src/elf/parse-object.js";
import { writeObject } from "../../src/elf/write-object.js";
import { unitKey } from "../../src/kbuild/types.js";
import type { RunKernel, RunSymbol } from "../../src/run-kernel.js";
import type { ManifestTarget } from "../../src/update/file/manifest.js";
import { prelinkTarget } from "../../src/update/prelink/prelink.js";
import { type MatchedUnit, type UnitMatches } from "../../src/update/match/unit-matches.js";
import { makeFunction, makeObject, makeSection, makeUndefined } from "./elf-builder.js";
import { sampleUnit } from "./sample-update.js";

/** Modules as ksplice-create leaves them, kernels and matches, for tests of prelinking. */

export const NEWEST = 0xffffffff81000100n;

export function kernelWith(symbols: readonly RunSymbol[]): RunKernel {
  const sorted = [...symbols].sort((a, b) => (a.addr < b.addr ? -1 : 1));
  return {
    symbolsNamed: (name) => symbols.filter((symbol) => symbol.name === name),
    symbolAt: (addr) => sorted.filter((symbol) => symbol.addr <= addr).at(-1),
    symbolsStartingAt: (addr) => symbols.filter((symbol) => symbol.addr === addr),
    read: () => undefined,
    newestCode: (addr) => addr,
    isReplacement: () => false,
    holdsCodeOf: (target, module) => (module ?? "vmlinux") === target,
    moduleSections: () => undefined,
  };
}

export const symbol = (name: string, addr: bigint, module?: string): RunSymbol => ({ name, addr, type: "t", module });

/** A module as ksplice-create leaves it: one replacement, with its alias, that calls `callees`; `exported` ones have a CRC. */
export function newCode(callees: readonly ElfSymbol[], exported: readonly string[] = []): Uint8Array {
  const text = makeSection(
    ".text.foo",
    Array.from({ length: 40 }, () => 0x90),
    { flags: SHF_ALLOC | SHF_EXECINSTR },
  );
  text.relocations = callees.map((callee, index) => ({ offset: 5 * index + 1, type: R_X86_64_PLT32, symbol: callee, addend: -4 }));
  const versions = makeSection("__versions", new Uint8Array(64 * exported.length));
  exported.forEach((name, index) => {
    versions.data.set(new TextEncoder().encode(name), 64 * index + 8);
  });
  return writeObject(
    makeObject(
      [text, versions],
      [makeFunction("foo", text), makeFunction("new:a.o:foo", text, { bind: STB_GLOBAL }), makeUndefined("ksplice_part"), ...callees],
      "new.ko",
    ),
  );
}

export function target(imports: ManifestTarget["units"][number]["imports"] = [], preParts: string[] = []): ManifestTarget {
  return {
    name: "vmlinux",
    module: "ksplice_id_vmlinux",
    file: "new/vmlinux.ko",
    exports: [],
    units: [
      sampleUnit("a.o", {
        functions: [{ name: "foo", preSymbol: "foo", newSymbol: "new:a.o:foo", preParts, interface: "same", mayBeBusy: false }],
        imports,
      }),
    ],
  };
}

/** @param globals those of the symbols that have external linkage */
export function match(symbols: Record<string, bigint> = {}, globals: readonly string[] = Object.keys(symbols)): MatchedUnit {
  const siteBytes = Uint8Array.of(1, 2, 3, 4, 5);
  return {
    kind: "matched",
    functions: new Map([
      ["foo", { name: "foo", addr: NEWEST, size: 64, site: { kind: "jump", offset: 5, bytes: siteBytes } }],
      ["foo.cold", { name: "foo.cold", addr: 0xffffffff81fff000n, size: 12, site: undefined }],
    ]),
    symbols: new Map(Object.entries(symbols)),
    globals: new Set(globals),
    runtimeConstants: new Map(),
    statistics: { functions: 1, matched: 1, skipped: [], skippedBytes: 0 },
  };
}

export const identity = { id: "id", description: "a fix", partCount: 1, exports: new Set<string>(), below: [] as string[] };

/** @param elsewhere matches of further units, by unitKey */
export function prelink(
  bytes: Uint8Array,
  to: ManifestTarget,
  matched: MatchedUnit,
  run: RunKernel,
  elsewhere: UnitMatches = new Map(),
): ElfObject {
  const matches = new Map([...elsewhere, [unitKey({ path: "a.o", target: to.name }), matched]]);
  return parseObject(prelinkTarget(bytes, to, identity, matches, { modules: [], ...run }).bytes, "out.ko");
}

export const homeOf = (ko: ElfObject, name: string) => ko.symbols.find((candidate) => candidate.name === name)?.home;

export const read = (ko: ElfObject, name: string) => {
  const section = ko.sections.find((candidate) => candidate.name === name);
  if (section === undefined) throw new Error(`no ${name}`);
  return { section, view: new DataView(section.data.buffer, section.data.byteOffset, section.data.byteLength) };
};
