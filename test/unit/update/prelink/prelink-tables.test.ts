import { describe, expect, it } from "vitest";
import type { RelocationType } from "../../../../src/arch/machine/elf-machine.js";
import { R_X86_64_64, R_X86_64_PC32 } from "../../../../src/arch/machine/x86-64.js";
import { STB_GLOBAL, STB_LOCAL, STT_OBJECT } from "../../../../src/elf/constants.js";
import type { ElfRelocation } from "../../../../src/elf/model.js";
import { parseObject } from "../../../../src/elf/parse-object.js";
import { writeObject } from "../../../../src/elf/write-object.js";
import type { RunKernel } from "../../../../src/run-kernel.js";
import type { ManifestTarget, ManifestWrite } from "../../../../src/update/file/manifest.js";
import { makeFunction, makeSection, makeUndefined } from "../../../support/elf-builder.js";
import { kernelWith, symbol, newCode, target, match, prelink, read } from "../../../support/prelink-samples.js";

describe("data that is overwritten", () => {
  const LIMITS = 0xffffffff82000040n;
  const entry: ManifestWrite = {
    name: "limits",
    preSymbol: "limits",
    offset: 4,
    size: 4,
    newSymbol: "new:a.o:limits",
    newOffset: 8,
    isConstant: true,
  };
  const memory: RunKernel = { ...kernelWith([]), read: (_, size) => Uint8Array.from({ length: size }, (__, index) => index) };

  /** As ksplice-create leaves it: an object with new bytes, and its alias. */
  const withObject = (relocations: ElfRelocation[] = [], size = 16): Uint8Array => {
    const ko = parseObject(newCode([]), "new.ko");
    const data = makeSection(".rodata.limits", new Uint8Array(size));
    data.relocations = relocations.map((relocation) => ({
      ...relocation,
      symbol: ko.symbols.find(({ name }) => name === "foo") ?? makeUndefined(""),
    }));
    ko.sections.push(data);
    for (const [name, bind] of [
      ["limits", STB_LOCAL],
      ["new:a.o:limits", STB_GLOBAL],
    ] as const)
      ko.symbols.push(makeFunction(name, data, { type: STT_OBJECT, bind }));
    return writeObject(ko);
  };
  const withWrites = (...writes: ManifestWrite[]): ManifestTarget => {
    const base = target();
    return { ...base, units: base.units.map((unit) => ({ ...unit, functions: [], writes })) };
  };
  const field = (type: RelocationType, offset: number): ElfRelocation => ({ offset, type, symbol: makeUndefined("foo"), addend: 0 });
  const prelinkData = (...writes: ManifestWrite[]) => prelink(withObject(), withWrites(...writes), match({ limits: LIMITS }), memory);

  it("has its address, its old bytes, and its new ones by their own symbol", () => {
    const ko = prelinkData(entry);
    expect(read(ko, ".ksplice_part").view.getUint32(20, true)).toBe(1);
    const { section, view } = read(ko, ".ksplice_writes");
    expect([section.size, view.getBigUint64(0, true), view.getBigUint64(32, true)]).toEqual([40, LIMITS + 4n, 4n]);
    expect(section.relocations.map(({ offset, type, symbol: { name }, addend }) => ({ offset, type, name, addend }))).toEqual([
      { offset: 8, type: R_X86_64_64, name: "limits", addend: 8 },
      { offset: 16, type: R_X86_64_64, name: "ksplice_old_bytes", addend: 0 },
      { offset: 24, type: R_X86_64_64, name: "ksplice_strings", addend: expect.any(Number) as number },
    ]);
    expect([...read(ko, ".ksplice_old_bytes").section.data]).toEqual([0, 1, 2, 3]);
    expect(ko.symbols.map(({ name }) => name)).not.toContain("new:a.o:limits");
  });

  it("comes without a function to redirect", () => {
    expect(read(prelinkData(entry), ".ksplice_part").view.getUint32(8, true)).toBe(0);
  });

  it("is cut where it is too large for one write", () => {
    const size = 65536 + 100;
    const ko = prelink(withObject([], size), withWrites({ ...entry, offset: 0, newOffset: 0, size }), match({ limits: LIMITS }), memory);
    const { section, view } = read(ko, ".ksplice_writes");
    expect([0, 40].map((at) => [view.getBigUint64(at, true), view.getBigUint64(at + 32, true)])).toEqual([
      [LIMITS, 65536n],
      [LIMITS + 65536n, 100n],
    ]);
    expect(section.relocations.filter(({ symbol: { name } }) => name !== "ksplice_strings").map(({ addend }) => addend)).toEqual([
      0, 0, 65536, 65536,
    ]);
  });

  it("pins the module that it lies in", () => {
    const run = { ...memory, symbolAt: () => symbol("limits", LIMITS, "ksplice_older_vmlinux") };
    const ko = prelink(withObject(), withWrites(entry), match({ limits: LIMITS }), run);
    expect(read(ko, ".ksplice_pins").section.size).toBe(16);
  });

  it.each([
    ["that matching did not find", withObject(), {}, memory, "matching did not find it"],
    ["that cannot be read", withObject(), { limits: LIMITS }, kernelWith([]), "its contents in the running kernel cannot be read"],
    ["of more new bytes than there are", withObject([], 10), { limits: LIMITS }, memory, "its new bytes are not in the update"],
    [
      "of fields that count from their own place",
      withObject([field(R_X86_64_PC32, 8)]),
      { limits: LIMITS },
      memory,
      "a field relative to their own place",
    ],
  ])("is refused %s", (_, bytes, matched, run, message) => {
    expect(() => prelink(bytes, withWrites(entry), match(matched), run)).toThrow(message);
  });
});

describe("hooks", () => {
  const withHooks = (...sections: [name: string, addends: number[]][]): Uint8Array => {
    const ko = parseObject(newCode([]), "new.ko");
    const text = ko.sections.find(({ name }) => name === ".text.foo");
    const section = ko.symbols.find(({ home }) => home === text) ?? makeUndefined("");
    for (const [name, addends] of sections) {
      const table = makeSection(name, new Uint8Array(addends.length * 8), { align: 8 });
      table.relocations = addends.map((addend, index) => ({ offset: index * 8, type: R_X86_64_64, symbol: section, addend }));
      ko.sections.push(table);
      ko.symbols.push(makeFunction(`hook_${name}`, table, { type: STT_OBJECT }));
    }
    return writeObject(ko);
  };

  it("become a table by kind, and their sections go", () => {
    const bytes = withHooks(
      [".ksplice_hooks.post_apply", [16]],
      [".ksplice_hooks.pre_apply", [0, 8]],
      [".ksplice_hooks.fail_reverse", [24]],
    );
    const ko = prelink(bytes, target(), match(), kernelWith([]));
    expect(read(ko, ".ksplice_part").view.getUint32(24, true)).toBe(4);
    const { section, view } = read(ko, ".ksplice_hook_table");
    expect([0, 16, 32, 48].map((at) => view.getUint32(at, true))).toEqual([0, 0, 3, 9]);
    expect(section.relocations.map(({ offset, addend }) => [offset, addend])).toEqual([
      [8, 0],
      [24, 8],
      [40, 16],
      [56, 24],
    ]);
    expect(ko.sections.filter(({ name }) => name.startsWith(".ksplice_hooks"))).toEqual([]);
    expect(ko.symbols.filter(({ name }) => name.startsWith("hook_"))).toEqual([]);
  });

  it("are pointers and nothing else", () => {
    const ko = parseObject(withHooks([".ksplice_hooks.apply", [0]]), "new.ko");
    const table = ko.sections.find(({ name }) => name === ".ksplice_hooks.apply");
    Object.assign(table ?? {}, { data: new Uint8Array(12), size: 12 });
    expect(() => prelink(writeObject(ko), target(), match(), kernelWith([]))).toThrow("something else than pointers to functions");
  });
});
