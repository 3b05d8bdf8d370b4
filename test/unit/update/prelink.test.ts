import { describe, expect, it } from "vitest";
import {
  R_X86_64_64,
  R_X86_64_PC32,
  R_X86_64_PLT32,
  SHF_ALLOC,
  SHF_EXECINSTR,
  STB_GLOBAL,
  STB_LOCAL,
  STB_WEAK,
  STT_OBJECT,
} from "../../../src/elf/constants.js";
import { AbsoluteAddress, UNDEFINED, homeSection, type ElfObject, type ElfRelocation, type ElfSymbol } from "../../../src/elf/model.js";
import { parseObject } from "../../../src/elf/parse-object.js";
import { writeObject } from "../../../src/elf/write-object.js";
import type { RunKernel, RunSymbol } from "../../../src/match/run-kernel.js";
import type { ManifestTarget, ManifestWrite } from "../../../src/update/manifest.js";
import { KSPLICE_ABI } from "../../../src/update/part-section.js";
import { prelinkCore, prelinkTarget, type MatchedUnit } from "../../../src/update/prelink.js";
import { makeFunction, makeObject, makeSection, makeUndefined } from "../../support/elf-builder.js";

const NEWEST = 0xffffffff81000100n;

function kernelWith(symbols: readonly RunSymbol[]): RunKernel {
  const sorted = [...symbols].sort((a, b) => (a.addr < b.addr ? -1 : 1));
  return {
    symbolsNamed: (name) => symbols.filter((symbol) => symbol.name === name),
    symbolAt: (addr) => sorted.filter((symbol) => symbol.addr <= addr).at(-1),
    read: () => undefined,
    newestCode: (addr) => addr,
    holdsCodeOf: (target, module) => (module ?? "vmlinux") === target,
    moduleSections: () => undefined,
  };
}

const symbol = (name: string, addr: bigint, module?: string): RunSymbol => ({ name, addr, type: "t", module });

/** A module as ksplice-create leaves it: one replacement, with its alias, that calls `callees`; `exported` ones have a CRC. */
function newCode(callees: readonly ElfSymbol[], exported: readonly string[] = []): Uint8Array {
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

function target(imports: ManifestTarget["units"][number]["imports"] = [], preParts: string[] = []): ManifestTarget {
  return {
    name: "vmlinux",
    module: "ksplice_id_vmlinux",
    file: "new/vmlinux.ko",
    exports: [],
    units: [
      {
        path: "a.o",
        pre: "pre/a.o",
        functions: [{ name: "foo", preSymbol: "foo", newSymbol: "new:a.o:foo", preParts }],
        writes: [],
        imports,
        changed: [],
        new: [],
        removed: [],
        data: [],
        hooks: [],
      },
    ],
  };
}

function match(symbols: Record<string, bigint> = {}): MatchedUnit {
  const siteBytes = Uint8Array.of(1, 2, 3, 4, 5);
  return {
    kind: "matched",
    functions: new Map([
      ["foo", { name: "foo", addr: NEWEST, size: 64, siteOffset: 5, siteBytes }],
      ["foo.cold", { name: "foo.cold", addr: 0xffffffff81fff000n, size: 12, siteOffset: undefined, siteBytes: new Uint8Array(0) }],
    ]),
    symbols: new Map(Object.entries(symbols)),
    runtimeConstants: new Map(),
    statistics: { functions: 1, matched: 1, skipped: [], skippedBytes: 0 },
  };
}

const identity = { id: "id", description: "a fix", partCount: 1, exports: new Set<string>() };

function prelink(bytes: Uint8Array, to: ManifestTarget, matched: MatchedUnit, run: RunKernel): ElfObject {
  return parseObject(prelinkTarget(bytes, to, identity, new Map([["a.o", matched]]), run), "out.ko");
}

const homeOf = (ko: ElfObject, name: string) => ko.symbols.find((candidate) => candidate.name === name)?.home;

const read = (ko: ElfObject, name: string) => {
  const section = ko.sections.find((candidate) => candidate.name === name);
  if (section === undefined) throw new Error(`no ${name}`);
  return { section, view: new DataView(section.data.buffer, section.data.byteOffset, section.data.byteLength) };
};

describe("an import gets its address", () => {
  const cases: [
    string,
    {
      callee: string;
      entry: ManifestTarget["units"][number]["imports"][number];
      matched: Record<string, bigint>;
      run: RunSymbol[];
      expected: bigint;
    },
  ][] = [
    [
      "from matching, under the pre symbol's name",
      {
        callee: "a.o:state.4",
        entry: { name: "a.o:state.4", symbol: "state", preSymbol: "state.4" },
        matched: { "state.4": 0x1000n },
        run: [symbol("state.4", 0x2000n)],
        expected: 0x1000n,
      },
    ],
    [
      "from matching, under the plain name",
      {
        callee: "helper",
        entry: { name: "helper", symbol: "helper" },
        matched: { helper: 0x1000n },
        run: [symbol("helper", 0x2000n), symbol("helper", 0x3000n)],
        expected: 0x1000n,
      },
    ],
    [
      "from kallsyms, where the name is unambiguous",
      { callee: "helper", entry: { name: "helper", symbol: "helper" }, matched: {}, run: [symbol("helper", 0x2000n)], expected: 0x2000n },
    ],
    [
      "from kallsyms, other modules' symbols left aside",
      {
        callee: "helper",
        entry: { name: "helper", symbol: "helper" },
        matched: {},
        run: [symbol("helper", 0x2000n), symbol("helper", 0x9000n, "other")],
        expected: 0x2000n,
      },
    ],
  ];
  it("of the patched module, where each update's module has one of that name too", () => {
    const module: ManifestTarget = {
      ...target([{ name: "a.o:__this_module", symbol: "__this_module", preSymbol: "__this_module" }]),
      name: "i2c_dev",
    };
    const run = kernelWith([symbol("__this_module", 0x7000n, "i2c_dev"), symbol("__this_module", 0x9000n, "ksplice_x_i2c_dev")]);
    const ko = prelink(newCode([makeUndefined("a.o:__this_module")]), module, match(), run);
    expect(homeOf(ko, "a.o:__this_module")).toEqual(new AbsoluteAddress(0x7000n));
  });

  it.each(cases)("%s", (_, { callee, entry, matched, run, expected }) => {
    const ko = prelink(newCode([makeUndefined(callee)]), target([entry]), match(matched), kernelWith(run));
    expect(homeOf(ko, callee)).toEqual(new AbsoluteAddress(expected));
  });

  it("not at all if the kernel exports it: the loader does that", () => {
    const ko = prelink(
      newCode([makeUndefined("kfree")], ["kfree"]),
      target([{ name: "kfree", symbol: "kfree" }]),
      match({ kfree: 0x1000n }),
      kernelWith([]),
    );
    expect(homeOf(ko, "kfree")).toBe(UNDEFINED);
  });

  it.each([
    ["unknown", [], "has no symbol of that name"],
    ["ambiguous", [symbol("helper", 0x2000n), symbol("helper", 0x3000n)], "has 2 symbols of that name"],
  ])("and a name that is %s is refused", (_, run, message) => {
    expect(() =>
      prelink(newCode([makeUndefined("helper")]), target([{ name: "helper", symbol: "helper" }]), match(), kernelWith(run)),
    ).toThrow(message);
  });
});

/** `TYPE NAME@ADDRESS[ MODULE]`, the address in hexadecimal. */
function parseSymbol(text: string): RunSymbol {
  const [, type = "", name = "", addr = "", module] = /^(\S) (\S+)@(\S+)(?: (\S+))?$/.exec(text) ?? [];
  return { name, addr: BigInt(`0x${addr}`), type, module };
}

describe("a name that matching does not know is found in the kernel's table", () => {
  const HOLDERS: ReadonlyMap<string, string> = new Map([
    ["ksplice_a_vmlinux", "vmlinux"],
    ["ksplice_b_vmlinux", "vmlinux"],
    ["ksplice_a_mod", "mod"],
  ]);
  /** 100 is replaced by a00, and that by b00. */
  const NEWEST_CODE: ReadonlyMap<bigint, bigint> = new Map([
    [0x100n, 0xb00n],
    [0xa00n, 0xb00n],
  ]);

  function find(where: string, isOwn: boolean, symbols: readonly string[]): bigint | string {
    const run: RunKernel = {
      ...kernelWith(symbols.map(parseSymbol)),
      newestCode: (addr) => NEWEST_CODE.get(addr) ?? addr,
      holdsCodeOf: (name, module) => (module ?? "vmlinux") === name || (module !== undefined && HOLDERS.get(module) === name),
    };
    const entry = isOwn ? { name: "a.o:f", symbol: "f", preSymbol: "f" } : { name: "f", symbol: "f" };
    const bytes = newCode([makeUndefined(entry.name)]);
    const linked = (): ElfObject => prelink(bytes, { ...target([entry]), name: where }, match(), run);
    try {
      const home = homeOf(linked(), entry.name);
      return home instanceof AbsoluteAddress ? home.addr : "not bound";
    } catch (error) {
      return error instanceof Error ? error.message.replace(/^.* and the running kernel has /, "") : String(error);
    }
  }

  it.each<[string, string, string[], bigint | string]>([
    ["the global one, not a static one", "vmlinux", ["t f@300", "T f@200"], 0x200n],
    ["the global one, not several static ones", "vmlinux", ["t f@300", "d f@400", "T f@200"], 0x200n],
    ["a weak one, which is global too", "vmlinux", ["t f@300", "W f@200"], 0x200n],
    ["a weak object", "vmlinux", ["t f@300", "V f@200"], 0x200n],
    ["a per-CPU variable", "vmlinux", ["d f@300", "A f@200"], 0x200n],
    ["two global names of one place", "vmlinux", ["T f@200", "W f@200"], 0x200n],
    ["two global ones", "vmlinux", ["T f@200", "T f@300"], "2 symbols of that name"],
    ["the only one, though it is static: the patch may change that", "vmlinux", ["t f@200"], 0x200n],
    ["two static ones", "vmlinux", ["t f@200", "t f@300"], "2 symbols of that name"],
    ["none", "vmlinux", [], "no symbol of that name"],
    ["nothing of a module that is not the target", "vmlinux", ["T f@200 other"], "no symbol of that name"],
    ["vmlinux's, not another module's", "vmlinux", ["T f@300 other", "T f@200"], 0x200n],
    ["what an earlier update brought", "vmlinux", ["t f@900 ksplice_a_vmlinux"], 0x900n],
    [
      "what an earlier update brought, or a static one of that name",
      "vmlinux",
      ["t f@900 ksplice_a_vmlinux", "t f@200"],
      "2 symbols of that name",
    ],
    ["the function itself, not its replacements", "vmlinux", ["t f@a00 ksplice_a_vmlinux", "t f@b00 ksplice_b_vmlinux", "t f@100"], 0x100n],
    ["the module's own, exported", "mod", ["T f@200 mod", "T f@300"], 0x200n],
    ["the module's own, exported, not a static one of it", "mod", ["t f@400 mod", "T f@200 mod"], 0x200n],
    ["the module's own, not exported, and static ones of vmlinux", "mod", ["t f@200 mod", "t f@300"], 0x200n],
    ["the module's own, which may be static, or vmlinux's global one", "mod", ["t f@200 mod", "T f@300"], "2 symbols of that name"],
    ["vmlinux's global one", "mod", ["t f@300", "T f@200"], 0x200n],
    ["vmlinux's, static, the only one", "mod", ["t f@200"], 0x200n],
    ["vmlinux's, static, two", "mod", ["t f@200", "t f@300"], "2 symbols of that name"],
    ["what an earlier update of the module brought", "mod", ["t f@900 ksplice_a_mod", "t f@300"], 0x900n],
    ["nothing that an earlier update of another target brought", "mod", ["t f@900 ksplice_a_vmlinux"], "no symbol of that name"],
  ])("external: %s", (_, where, symbols, expected) => {
    expect(find(where, false, symbols)).toBe(expected);
  });

  it.each<[string, string, string[], bigint | string]>([
    ["in the target", "vmlinux", ["t f@200", "T f@300 mod"], 0x200n],
    ["in the target, a module", "mod", ["t f@200 mod", "T f@300", "t f@400 other"], 0x200n],
    ["in the target, not in what an update brought", "mod", ["d f@200 mod", "d f@900 ksplice_a_mod"], 0x200n],
    ["in what an earlier update brought", "mod", ["t f@900 ksplice_a_mod", "T f@300"], 0x900n],
    ["not in vmlinux for a module", "mod", ["T f@300"], "no symbol of that name"],
    ["not in another module", "vmlinux", ["t f@300 mod"], "no symbol of that name"],
    ["not if it is ambiguous, global or not", "vmlinux", ["T f@200", "t f@300"], "2 symbols of that name"],
  ])("of the unit's own: %s", (_, where, symbols, expected) => {
    expect(find(where, true, symbols)).toBe(expected);
  });
});

describe("the part that the core reads", () => {
  it("is defined, and lists function, site and expected bytes", () => {
    const ko = prelink(newCode([]), target(), match(), kernelWith([]));
    const part = read(ko, ".ksplice_part");
    expect(homeOf(ko, "ksplice_part")).toBe(part.section);
    expect(part.section.size).toBe(96);
    expect([0, 4, 8, 12, 16, 20, 24, 28].map((at) => part.view.getUint32(at, true))).toEqual([KSPLICE_ABI, 1, 1, 0, 0, 0, 0, 0]);
    const functions = read(ko, ".ksplice_functions");
    expect(functions.section.size).toBe(64);
    expect(functions.view.getBigUint64(0, true)).toBe(NEWEST);
    expect([24, 28, 32].map((at) => functions.view.getUint32(at, true))).toEqual([64, 40, 5]);
    expect([...functions.section.data.subarray(40, 45)]).toEqual([1, 2, 3, 4, 5]);
    const [newAddr] = functions.section.relocations;
    expect(newAddr).toMatchObject({ offset: 8, type: R_X86_64_64 });
    expect(newAddr?.symbol.name).toBe("foo");
  });

  it("has the cold piece of a replaced function as a range", () => {
    const ko = prelink(newCode([]), target([], ["foo.cold"]), match(), kernelWith([symbol("foo.cold", 0xffffffff81fff000n)]));
    const { view } = read(ko, ".ksplice_ranges");
    expect(view.getBigUint64(0, true)).toBe(0xffffffff81fff000n);
    expect(view.getBigUint64(8, true)).toBe(12n);
  });

  it("pins each module whose code or data is used", () => {
    const run = kernelWith([symbol("theirs", 0x5000n, "other"), symbol("foo", NEWEST, "ksplice_older_vmlinux")]);
    const ko = prelink(newCode([makeUndefined("x")]), target([{ name: "x", symbol: "x" }]), match({ x: 0x5004n }), run);
    const { section } = read(ko, ".ksplice_pins");
    const strings = read(ko, ".ksplice_strings").section.data;
    const names = section.relocations.map(({ addend }) => new TextDecoder().decode(strings.subarray(addend, strings.indexOf(0, addend))));
    expect(names).toEqual(["ksplice_older_vmlinux", "other"]);
  });

  it("refuses a function without room for a trampoline", () => {
    const short: MatchedUnit = {
      ...match(),
      functions: new Map([["foo", { name: "foo", addr: NEWEST, size: 4, siteOffset: undefined, siteBytes: new Uint8Array(0) }]]),
    };
    expect(() => prelink(newCode([]), target(), short, kernelWith([]))).toThrow("foo cannot be redirected");
  });

  it("leaves no alias in the symbol table", () => {
    const ko = prelink(newCode([]), target(), match(), kernelWith([]));
    expect(ko.symbols.map((candidate) => candidate.name).filter((name) => name.startsWith("new:"))).toEqual([]);
    expect(homeSection(ko.symbols.find((candidate) => candidate.name === "foo") ?? makeUndefined(""))?.name).toBe(".text.foo");
  });
});

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
  const field = (type: number, offset: number): ElfRelocation => ({ offset, type, symbol: makeUndefined("foo"), addend: 0 });
  const prelinkData = (...writes: ManifestWrite[]) => prelink(withObject(), withWrites(...writes), match({ limits: LIMITS }), memory);

  it("has its address, its old bytes, and its new ones by their own symbol", () => {
    const ko = prelinkData(entry);
    expect(read(ko, ".ksplice_part").view.getUint32(20, true)).toBe(1);
    const { section, view } = read(ko, ".ksplice_writes");
    expect([section.size, view.getBigUint64(0, true), view.getUint32(32, true)]).toEqual([48, LIMITS + 4n, 4]);
    expect([view.getUint32(36, true), view.getBigUint64(40, true)]).toEqual([0, 0n]);
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
    expect([0, 48].map((at) => [view.getBigUint64(at, true), view.getUint32(at + 32, true)])).toEqual([
      [LIMITS, 65536],
      [LIMITS + 65536n, 100],
    ]);
    expect(section.relocations.filter(({ symbol: { name } }) => name !== "ksplice_strings").map(({ addend }) => addend)).toEqual([
      0, 0, 65536, 65536,
    ]);
  });

  it("pins the module that it lies in", () => {
    const run = { ...memory, symbolAt: () => symbol("limits", LIMITS, "ksplice_older_vmlinux") };
    const ko = prelink(withObject(), withWrites(entry), match({ limits: LIMITS }), run);
    expect(read(ko, ".ksplice_pins").section.size).toBe(8);
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

describe("a constant that the kernel sets at boot", () => {
  it("is in the code, and the table that listed it is not in the module", () => {
    const ko = parseObject(newCode([]), "new.ko");
    const foo = ko.symbols.find(({ name }) => name === "foo") ?? makeUndefined("foo");
    ko.sections.push(
      makeSection("runtime_ptr_limit", [0, 0, 0, 0], { relocations: [{ offset: 0, type: R_X86_64_PC32, symbol: foo, addend: 7 }] }),
    );
    const matched: MatchedUnit = { ...match(), runtimeConstants: new Map([["runtime_ptr_limit", 0x7ffffffff000n]]) };
    const linked = prelink(writeObject(ko), target(), matched, kernelWith([]));
    expect(linked.sections.map(({ name }) => name)).not.toContain("runtime_ptr_limit");
    const text = linked.sections.find(({ name }) => name === ".text.foo");
    expect([...(text?.data.subarray(6, 16) ?? [])]).toEqual([0x90, 0x00, 0xf0, 0xff, 0xff, 0xff, 0x7f, 0x00, 0x00, 0x90]);
  });
});

describe("the core", () => {
  it("gets unexported symbols from vmlinux only; a weak one may be missing", () => {
    const text = makeSection(".text", new Uint8Array(16));
    const core = writeObject(
      makeObject([text], [makeUndefined("text_mutex"), makeUndefined("nice_to_have", { bind: STB_WEAK })], "ksplice.ko"),
    );
    const ko = parseObject(prelinkCore(core, kernelWith([symbol("text_mutex", 0x4000n), symbol("text_mutex", 0x9000n, "fake")])), "out.ko");
    expect(homeOf(ko, "text_mutex")).toEqual(new AbsoluteAddress(0x4000n));
    expect(homeOf(ko, "nice_to_have")).toBe(UNDEFINED);
  });

  it("is refused where the kernel lacks what it needs", () => {
    const core = writeObject(makeObject([], [makeUndefined("text_mutex")], "ksplice.ko"));
    expect(() => prelinkCore(core, kernelWith([]))).toThrow("text_mutex");
  });
});
