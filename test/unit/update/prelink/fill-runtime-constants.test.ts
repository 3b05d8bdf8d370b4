import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Refusal } from "../../../../src/diagnostics.js";
import { diffObjects } from "../../../../src/diff/diff-objects.js";
import { extractNewCode } from "../../../../src/diff/extract/extract-new-code.js";
import { R_X86_64_64, R_X86_64_PC32 } from "../../../../src/arch/machine/x86-64.js";
import { SHF_ALLOC, SHF_EXECINSTR, STT_SECTION } from "../../../../src/elf/constants.js";
import { type ElfObject, type ElfRelocation } from "../../../../src/elf/model.js";
import { parseObject } from "../../../../src/elf/parse-object.js";
import { writeObject } from "../../../../src/elf/write-object.js";
import { matchUnit } from "../../../../src/match/match-unit.js";
import type { MatchedUnit } from "../../../../src/update/match/unit-matches.js";
import { fillRuntimeConstants } from "../../../../src/update/prelink/fill-runtime-constants.js";
import { BOOT_CONSTANT_MACROS, bootConstants, bytesOf } from "../../../support/boot-constants.js";
import { compileObject } from "../../../support/compile-object.js";
import { makeFunction, makeObject, makeSection } from "../../../support/elf-builder.js";
import { FakeKernel, TEXT_START } from "../../../support/fake-kernel.js";

const LIMIT = 0x00007ffffffff000n;
const VARIABLE = 0xffffffff83000000n;
const PTR = "runtime_ptr_limit";
const SHIFT = "runtime_shift_bits";

/** A module with one function: an 8-byte immediate at 3, a 1-byte one at 14, and nothing but 0x90 besides; `tables` lists what it keeps. */
function module(tables: readonly (typeof PTR | typeof SHIFT)[]): ElfObject {
  const text = makeSection(".text.f", new Uint8Array(20).fill(0x90), { flags: SHF_ALLOC | SHF_EXECINSTR });
  const symbol = makeFunction("f", text);
  const sections = tables.map((name) =>
    makeSection(name, [0, 0, 0, 0], { relocations: [{ offset: 0, type: R_X86_64_PC32, symbol, addend: name === PTR ? 3 : 14 }] }),
  );
  const labels = sections.map((home) => makeFunction("", home, { type: STT_SECTION }));
  return makeObject([text, ...sections], [...labels, symbol], "new/vmlinux.ko");
}

function matched(constants: Readonly<Record<string, bigint>>): MatchedUnit {
  return {
    kind: "matched",
    functions: new Map(),
    symbols: new Map(),
    globals: new Set(),
    runtimeConstants: new Map(Object.entries(constants)),
    statistics: { functions: 0, matched: 0, skipped: [], skippedBytes: 0 },
  };
}

function kernelWith(variables: readonly { name: string; bytes?: readonly number[]; module?: string }[]): FakeKernel {
  const kernel = new FakeKernel();
  variables.forEach(({ name, bytes, module: owner }, index) => {
    const addr = VARIABLE + BigInt(16 * index);
    kernel.define(name, addr, "d", owner);
    if (bytes !== undefined) kernel.place(addr, bytes);
  });
  return kernel;
}

/** The bytes of the function in hexadecimal. */
function fill(ko: ElfObject, units: readonly MatchedUnit[], kernel = new FakeKernel()): string {
  fillRuntimeConstants(ko, new Map(units.map((unit, index) => [`${String(index)}.o`, unit])), kernel);
  return Buffer.from(ko.sections[0]?.data ?? []).toString("hex");
}

const NOPS = (count: number): string => "90".repeat(count);
const WITH_LIMIT = `${NOPS(3)}00f0ffffff7f0000${NOPS(9)}`;

describe("a constant gets its value", () => {
  it.each([
    ["from the code of the unit", PTR, [{ [PTR]: LIMIT }], [], WITH_LIMIT],
    ["from the code of another unit", PTR, [{}, { [PTR]: LIMIT }], [], WITH_LIMIT],
    ["from code rather than from the variable", PTR, [{ [PTR]: LIMIT }], [{ name: "limit", bytes: bytesOf(1n, 8) }], WITH_LIMIT],
    ["from the kernel's variable", PTR, [{}], [{ name: "limit", bytes: bytesOf(LIMIT, 8) }], WITH_LIMIT],
    ["of one byte from a wider variable", SHIFT, [{}], [{ name: "bits", bytes: [18, 0, 0, 0] }], `${NOPS(14)}12${NOPS(5)}`],
    [
      "from the kernel's variable, modules' own left aside",
      PTR,
      [{}],
      [
        { name: "limit", bytes: bytesOf(1n, 8), module: "other" },
        { name: "limit", bytes: bytesOf(LIMIT, 8) },
      ],
      WITH_LIMIT,
    ],
  ] as const)("%s", (_name, table, constants, variables, expected) => {
    expect(fill(module([table]), constants.map(matched), kernelWith(variables))).toBe(expected);
  });

  it("beside another one in the same function", () => {
    const values = [matched({ [PTR]: 0xff11011d6b600000n, [SHIFT]: 14n })];
    expect(fill(module([PTR, SHIFT]), values)).toBe(`${NOPS(3)}0000606b1d0111ff${NOPS(3)}0e${NOPS(5)}`);
  });

  it.each([
    [
      "no variable",
      [{}],
      [],
      "limit, a constant that the kernel set in its code at boot, and the running kernel has no variable of that name",
    ],
    ["two variables", [{}], [{ name: "limit" }, { name: "limit" }], "has 2 variables of that name"],
    ["a variable that cannot be read", [{}], [{ name: "limit" }], "cannot be read"],
    ["two values", [{ [PTR]: 1n }, { [PTR]: 2n }], [], "code has 2 values of it"],
  ] as const)("or is refused by name where there is %s", (_name, constants, variables, message) => {
    const attempt = (): string => fill(module([PTR]), constants.map(matched), kernelWith(variables));
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(Refusal);
  });
});

describe("the tables of constants", () => {
  it("are gone afterwards, and so are their symbols", () => {
    const ko = module([PTR, SHIFT]);
    fill(ko, [matched({ [PTR]: 1n, [SHIFT]: 1n })]);
    expect([ko.sections.map(({ name }) => name), ko.symbols.map(({ name }) => name)]).toEqual([[".text.f"], ["f"]]);
  });

  it("leave the file that the module was read from as it was", () => {
    const file = writeObject(module([PTR]));
    const before = Uint8Array.from(file);
    fill(parseObject(file, "new.ko"), [matched({ [PTR]: LIMIT })]);
    expect(file).toEqual(before);
  });

  it.each([
    ["past the end of the code", (entry: ElfRelocation) => (entry.addend = 13)],
    ["before its start", (entry: ElfRelocation) => (entry.addend = -1)],
    ["by an address of 8 bytes", (entry: ElfRelocation) => (entry.type = R_X86_64_64)],
  ])("must not point %s", (_name, spoil) => {
    const ko = module([PTR]);
    ko.sections[1]?.relocations.forEach(spoil);
    expect(() => fill(ko, [matched({ [PTR]: LIMIT })])).toThrow("which is no place in its code");
  });

  it("must have a relocation for each entry, or a placeholder would stay", () => {
    const ko = module([PTR]);
    Object.assign(ko.sections[1] ?? {}, { data: new Uint8Array(8), size: 8 });
    expect(() => fill(ko, [matched({ [PTR]: LIMIT })])).toThrow("has 8 bytes and 1 relocations");
  });
});

describe("from the source to the module that is loaded", () => {
  const PRE = `${BOOT_CONSTANT_MACROS}
    struct bucket { void *first; };
    int allowed(unsigned long x) { return x <= RUNTIME_PTR(limit); }
    struct bucket *find(unsigned x) { return (struct bucket *)RUNTIME_PTR(table) + RUNTIME_SHIFT(x, bits); }
    int unused(int x) { return x; }`;
  const POST = PRE.replace("return x <= RUNTIME_PTR(limit);", "return x && x <= RUNTIME_PTR(limit);")
    .replace("RUNTIME_SHIFT(x, bits);", "RUNTIME_SHIFT(x ^ 5, bits);")
    .replace("return x; }", "return x > RUNTIME_PTR(top); }");
  const TABLE = 0xff11000012340000n;
  const TOP = 0x0000123456789000n;

  it("each immediate holds what the running kernel's code or variable has", () => {
    const kernel = new FakeKernel();
    kernel.define("top", VARIABLE, "d");
    kernel.place(VARIABLE, bytesOf(TOP, 8));
    const booted = bootConstants(compileObject(PRE, "run.o"), { [PTR]: LIMIT, runtime_ptr_table: TABLE, [SHIFT]: 14n });
    kernel.load(booted, TEXT_START);
    const pre = compileObject(PRE, "pre.o");
    const match = matchUnit(pre, { path: "unit.o", target: "vmlinux" }, kernel);
    if (match.kind !== "matched") throw new Error(match.mismatches[0]?.reason);

    const { object } = extractNewCode(diffObjects(pre, compileObject(POST, "post.o")), { unit: "unit.o" });
    const ko = link(object);
    fillRuntimeConstants(ko, new Map([["unit.o", match]]), kernel);
    expect(ko.sections.filter(({ name }) => name.startsWith("runtime_"))).toEqual([]);
    const listing = disassemble(ko);
    const operands = (name: string): string[] => (listing.split(`<${name}>:`)[1]?.split("\n\n")[0] ?? "").match(/\$0x[0-9a-f]+/g) ?? [];
    expect(operands("allowed")).toContain("$0x7ffffffff000");
    expect(operands("find")).toEqual(expect.arrayContaining(["$0xff11000012340000", "$0xe", "$0x5"]));
    expect(operands("unused")).toContain("$0x123456789000");
    expect(listing).not.toMatch(/\$0x123456789abcdef|shr +\$0xc,/);
  });

  /** As new code is linked into its module. */
  function link(object: ElfObject): ElfObject {
    return inFolder((dir) => {
      writeFileSync(join(dir, "new.o"), writeObject(object));
      execFileSync("ld", ["-r", "-m", "elf_x86_64", "-o", "linked.o", "new.o"], { cwd: dir });
      return parseObject(new Uint8Array(readFileSync(join(dir, "linked.o"))), "linked.o");
    });
  }

  function disassemble(object: ElfObject): string {
    return inFolder((dir) => {
      writeFileSync(join(dir, "filled.o"), writeObject(object));
      return execFileSync("objdump", ["-d", "--no-show-raw-insn", "filled.o"], { cwd: dir, encoding: "utf8" });
    });
  }

  function inFolder<T>(work: (dir: string) => T): T {
    const dir = mkdtempSync(join(tmpdir(), "ksplice-constants-"));
    try {
      return work(dir);
    } finally {
      rmSync(dir, { recursive: true });
    }
  }
});
