import { describe, expect, it } from "vitest";
import { R_X86_64_64, R_X86_64_PC32 } from "../../../../src/arch/machine/x86-64.js";
import { STB_WEAK } from "../../../../src/elf/constants.js";
import { AbsoluteAddress, UNDEFINED, homeSection } from "../../../../src/elf/model.js";
import { parseObject } from "../../../../src/elf/parse-object.js";
import { writeObject } from "../../../../src/elf/write-object.js";
import type { RunKernel, RunSymbol } from "../../../../src/run-kernel.js";
import type { ManifestTarget } from "../../../../src/update/file/manifest.js";
import { KSPLICE_ABI } from "../../../../src/engine/core/part-section.js";
import { prelinkCore } from "../../../../src/update/prelink/prelink.js";
import { type MatchedUnit } from "../../../../src/update/match/unit-matches.js";
import { makeObject, makeSection, makeUndefined } from "../../../support/elf-builder.js";
import { kernelWith, symbol, newCode, target, match, prelink, homeOf, read, NEWEST } from "../../../support/prelink-samples.js";

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

  it("from its own module, where another has the same object", () => {
    const module: ManifestTarget = { ...target([{ name: "helper", symbol: "helper" }]), name: "two" };
    const elsewhere = new Map([["a.o one", match({ helper: 0x1000n })]]);
    const run = kernelWith([symbol("helper", 0x1000n, "one"), symbol("helper", 0x2000n, "two")]);
    for (const own of [match(), match({ helper: 0x2000n })]) {
      const ko = prelink(newCode([makeUndefined("helper")]), module, own, run, elsewhere);
      expect(homeOf(ko, "helper")).toEqual(new AbsoluteAddress(0x2000n));
    }
  });

  it("from another unit of its target that was matched", () => {
    const elsewhere = new Map([["b.o vmlinux", match({ helper: 0x1000n })]]);
    const run = kernelWith([symbol("helper", 0x1000n), symbol("helper", 0x2000n)]);
    const ko = prelink(newCode([makeUndefined("helper")]), target([{ name: "helper", symbol: "helper" }]), match(), run, elsewhere);
    expect(homeOf(ko, "helper")).toEqual(new AbsoluteAddress(0x1000n));
  });

  it("from the update that brought it, where later ones replaced it", () => {
    const [first, second, third] = [0x7000n, 0x3000n, 0x5000n];
    const versions = [first, second, third].map((addr, index) => symbol("helper", addr, `ksplice_${index}_vmlinux`));
    const run: RunKernel = {
      ...kernelWith(versions),
      newestCode: (addr) => (addr === first || addr === second ? third : addr),
      isReplacement: (addr) => addr === second || addr === third,
      holdsCodeOf: () => true,
    };
    const ko = prelink(newCode([makeUndefined("helper")]), target([{ name: "helper", symbol: "helper" }]), match(), run);
    expect(homeOf(ko, "helper")).toEqual(new AbsoluteAddress(first));
  });

  it("from what another module exports, where neither its own nor the kernel has one", () => {
    const module: ManifestTarget = { ...target([{ name: "helper", symbol: "helper" }]), name: "kvm_amd" };
    const exported: RunSymbol = { ...symbol("helper", 0x1000n, "kvm"), type: "T" };
    const entry = symbol("__ksymtab_helper", 0x4000n, "kvm");
    const run = kernelWith([exported, entry, symbol("helper", 0x2000n, "third")]);
    expect(homeOf(prelink(newCode([makeUndefined("helper")]), module, match(), run), "helper")).toEqual(new AbsoluteAddress(0x1000n));
    // One that is not exported, and the kernel's image, which no module exports to.
    for (const [target, symbols] of [
      [module, [exported]],
      [{ ...module, name: "vmlinux" }, [exported, entry]],
    ] as const)
      expect(() => prelink(newCode([makeUndefined("helper")]), target, match(), kernelWith(symbols))).toThrow();
    const withOwn = kernelWith([exported, entry, symbol("helper", 0x3000n, "kvm_amd")]);
    expect(homeOf(prelink(newCode([makeUndefined("helper")]), module, match(), withOwn), "helper")).toEqual(new AbsoluteAddress(0x3000n));
  });

  it("not from a static one of that name in another unit", () => {
    const elsewhere = new Map([["b.o vmlinux", match({ helper: 0x1000n }, [])]]);
    const run = kernelWith([{ ...symbol("helper", 0x2000n), type: "T" }, symbol("helper", 0x1000n)]);
    const ko = prelink(newCode([makeUndefined("helper")]), target([{ name: "helper", symbol: "helper" }]), match(), run, elsewhere);
    expect(homeOf(ko, "helper")).toEqual(new AbsoluteAddress(0x2000n));
  });

  it("not at all where the units refer to several things by one name", () => {
    const elsewhere = new Map([["b.o vmlinux", match({ helper: 0x1000n })]]);
    const wanted = target([{ name: "helper", symbol: "helper" }]);
    expect(() => prelink(newCode([makeUndefined("helper")]), wanted, match({ helper: 0x2000n }), kernelWith([]), elsewhere)).toThrow(
      "refer to several things by that name: 0x1000, 0x2000",
    );
  });

  it("not out of memory that was given back after boot, unless the running code does the same", () => {
    const run = kernelWith([symbol("__init_begin", 0x5000n), symbol("__init_end", 0x6000n), symbol("setup", 0x5100n)]);
    const wanted = target([{ name: "setup", symbol: "setup" }]);
    expect(() => prelink(newCode([makeUndefined("setup")]), wanted, match(), run)).toThrow("it is gone from memory");
    expect(homeOf(prelink(newCode([makeUndefined("setup")]), wanted, match({ setup: 0x5100n }), run), "setup")).toEqual(
      new AbsoluteAddress(0x5100n),
    );
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

describe("a function of the running kernel whose address new code takes", () => {
  const HELPER = 0xffffffff81002000n;
  const ENDBR = [0xf3, 0x0f, 0x1e, 0xfa, 0x90, 0x90, 0x90, 0x90];
  const [SEALED, SEALED_LATER] = [
    [0x66, 0x0f, 0x1f, 0x00, ...ENDBR.slice(4)],
    [0x0f, 0x1f, 0x40, 0xd6, ...ENDBR.slice(4)],
  ];
  const run = (entry: readonly number[]) => ({
    ...kernelWith([symbol("helper", HELPER)]),
    read: (addr: bigint) => (addr === HELPER ? Uint8Array.from(entry) : undefined),
  });
  const wanted = target([{ name: "helper", symbol: "helper" }]);
  /** A table of operations that holds the function. */
  const holding = (): Uint8Array => {
    const ko = parseObject(newCode([makeUndefined("helper")]), "new.ko");
    const helper = ko.symbols.find(({ name }) => name === "helper");
    const ops = makeSection(".rodata.ops", new Uint8Array(8));
    if (helper !== undefined) ops.relocations = [{ offset: 0, type: R_X86_64_64, symbol: helper, addend: 0 }];
    return writeObject({ ...ko, sections: [...ko.sections, ops] });
  };

  it.each([
    ["is refused where it is sealed", SEALED],
    ["is refused where it is sealed as later kernels do", SEALED_LATER],
  ])("%s", (_, entry) => {
    expect(() => prelink(holding(), wanted, match(), run(entry))).toThrow("is sealed against that");
  });

  it("passes where somebody took it before, and where it is only called", () => {
    expect(homeOf(prelink(holding(), wanted, match(), run(ENDBR)), "helper")).toEqual(new AbsoluteAddress(HELPER));
    const calling = prelink(newCodeWithCall(), wanted, match(), run(SEALED));
    expect(homeOf(calling, "helper")).toEqual(new AbsoluteAddress(HELPER));
  });
});

/** The bytes of `newCode` are no calls. */
function newCodeWithCall(): Uint8Array {
  const ko = parseObject(newCode([makeUndefined("helper")]), "new.ko");
  const text = ko.sections.find(({ name }) => name === ".text.foo");
  if (text !== undefined) text.data[0] = 0xe8;
  return writeObject(ko);
}

describe("the part that the core reads", () => {
  it("is defined, and lists function, site and expected bytes", () => {
    const ko = prelink(newCode([]), target(), match(), kernelWith([]));
    const part = read(ko, ".ksplice_part");
    expect(homeOf(ko, "ksplice_part")).toBe(part.section);
    expect(part.section.size).toBe(104);
    expect([0, 4, 8, 12, 16, 20, 24, 28].map((at) => part.view.getUint32(at, true))).toEqual([KSPLICE_ABI, 1, 1, 0, 0, 0, 0, 1]);
    const functions = read(ko, ".ksplice_functions");
    expect(functions.section.size).toBe(48);
    expect(functions.view.getBigUint64(0, true)).toBe(NEWEST);
    expect([24, 28, 32].map((at) => functions.view.getUint32(at, true))).toEqual([64, 40, 5]);
    expect([...functions.section.data.subarray(36, 41)]).toEqual([1, 2, 3, 4, 5]);
    const [newAddr] = functions.section.relocations;
    expect(newAddr).toMatchObject({ offset: 8, type: R_X86_64_64 });
    expect(newAddr?.symbol.name).toBe("foo.ksplice_id");
  });

  it("has the cold piece of a replaced function as a range", () => {
    const ko = prelink(newCode([]), target([], ["foo.cold"]), match(), kernelWith([symbol("foo.cold", 0xffffffff81fff000n)]));
    const { view } = read(ko, ".ksplice_ranges");
    expect(view.getBigUint64(0, true)).toBe(0xffffffff81fff000n);
    expect(view.getUint32(16, true)).toBe(12);
  });

  it("pins its target, and each module whose code or data is used, where they are", () => {
    const run = {
      ...kernelWith([symbol("theirs", 0x5000n, "other"), symbol("foo", NEWEST, "ksplice_older_vmlinux")]),
      modules: [{ name: "other", addr: 0x4000n, size: 4096, refcount: 0, state: "Live" }],
    };
    const wanted = { ...target([{ name: "x", symbol: "x" }]), name: "patched" };
    const ko = prelink(newCode([makeUndefined("x")]), wanted, match({ x: 0x5004n }), run);
    const { section, view } = read(ko, ".ksplice_pins");
    const strings = read(ko, ".ksplice_strings").section.data;
    const names = section.relocations.map(({ addend }) => new TextDecoder().decode(strings.subarray(addend, strings.indexOf(0, addend))));
    expect(names).toEqual(["ksplice_older_vmlinux", "other", "patched"]);
    expect([8, 24, 40].map((at) => view.getBigUint64(at, true))).toEqual([0n, 0x4000n, 0n]);
  });

  it("has a digest that an address changes, and nothing else", () => {
    const digest = (addr: bigint): string => {
      const ko = prelink(newCode([makeUndefined("x")]), target([{ name: "x", symbol: "x" }]), match({ x: addr }), kernelWith([]));
      const place = read(ko, ".ksplice_part").section.relocations.find(({ offset }) => offset === 56);
      const strings = read(ko, ".ksplice_strings").section.data;
      return new TextDecoder().decode(strings.subarray(place?.addend, (place?.addend ?? 0) + 64));
    };
    expect(digest(0x5004n)).toMatch(/^[0-9a-f]{64}$/);
    expect(digest(0x5004n)).toBe(digest(0x5004n));
    expect(digest(0x5008n)).not.toBe(digest(0x5004n));
  });

  it("refuses a function without room for a trampoline", () => {
    const short: MatchedUnit = {
      ...match(),
      functions: new Map([["foo", { name: "foo", addr: NEWEST, size: 4, site: undefined }]]),
    };
    expect(() => prelink(newCode([]), target(), short, kernelWith([]))).toThrow("foo cannot be redirected");
  });

  it.each([
    ["whose name another definition has in the running kernel", ["foo"], "not-in-kernel"],
    ["that is not found there", [], "unresolved-symbol"],
  ])("refuses a function %s", (_, skipped, code) => {
    const matched = { ...match(), functions: new Map(), statistics: { ...match().statistics, skipped } };
    expect(() => prelink(newCode([]), target(), matched, kernelWith([]))).toThrow(expect.objectContaining({ code }));
  });

  it("leaves no alias in the symbol table", () => {
    const ko = prelink(newCode([]), target(), match(), kernelWith([]));
    expect(ko.symbols.map((candidate) => candidate.name).filter((name) => name.startsWith("new:"))).toEqual([]);
    expect(homeSection(ko.symbols.find((candidate) => candidate.name === "foo.ksplice_id") ?? makeUndefined(""))?.name).toBe(".text.foo");
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
