import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { HOOK_KINDS } from "../../../../src/diff/atoms/hook-kinds.js";
import { SHF_ALLOC, SHF_EXECINSTR } from "../../../../src/elf/constants.js";
import { homeSection, type ElfSection } from "../../../../src/elf/model.js";
import { addPart, KSPLICE_ABI, MAX_WRITE_SIZE, type Part, type PartFunction } from "../../../../src/engine/core/part-section.js";
import { requireArchitecture } from "../../../../src/arch/architectures.js";
import { packageRoot } from "../../../../src/host/package-root.js";
import { GCC } from "../../../support/compile-object.js";
import { makeFunction, makeObject, makeSection, makeUndefined } from "../../../support/elf-builder.js";
import { temporaryDirectory } from "../../../support/temp-dir.js";

/** The header is C for the kernel: here the compiler says what it means. Each line of the program's output is a name and a number. */
function askHeader(expressions: readonly string[]): ReadonlyMap<string, number> {
  const dir = temporaryDirectory();
  mkdirSync(join(dir, "linux"));
  const types = "typedef unsigned char u8; typedef unsigned int u32; typedef unsigned long long u64;\n";
  writeFileSync(join(dir, "linux/types.h"), types);
  writeFileSync(join(dir, "linux/build_bug.h"), "#define static_assert(x) _Static_assert(x, #x)\n");
  const lines = expressions.map((expression) => `printf("%s=%ld\\n", ${JSON.stringify(expression)}, (long)(${expression}));`);
  writeFileSync(
    join(dir, "ask.c"),
    `#include <stdio.h>\n#include <stddef.h>\n#include "ksplice.h"\nint main(void) { ${lines.join("\n")} return 0; }\n`,
  );
  execFileSync(GCC ?? "gcc", ["-I", dir, "-I", join(packageRoot(), "kmod"), "-o", join(dir, "ask"), join(dir, "ask.c")]);
  const words = execFileSync(join(dir, "ask"), { encoding: "utf8" }).trim().split("\n");
  return new Map(words.map((line) => [line.slice(0, line.lastIndexOf("=")), Number(line.slice(line.lastIndexOf("=") + 1))]));
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  ksplice_part: [
    ...["abi", "nr_parts", "nr_functions", "nr_ranges", "nr_pins", "nr_writes", "nr_hooks", "flags"],
    ...["id", "description", "target", "digest", "functions", "ranges", "pins", "writes", "hooks"],
  ],
  ksplice_function: ["old_addr", "new_addr", "name", "old_size", "new_size", "site", "expect", "flags"],
  ksplice_range: ["start", "name", "size", "flags"],
  ksplice_pin: ["name", "text"],
  ksplice_write: ["addr", "new_bytes", "old_bytes", "name", "size"],
  ksplice_hook: ["kind", "ask"],
};

const header = askHeader([
  ...["KSPLICE_ABI", "KSPLICE_TRAMPOLINE", "KSPLICE_MAX_WRITE", "KSPLICE_UNLOADABLE", "KSPLICE_MAY_BE_BUSY", "KSPLICE_BY_FTRACE"],
  ...HOOK_KINDS.map((kind) => `KSPLICE_${kind.toUpperCase()}`),
  ...Object.entries(FIELDS).flatMap(([name, fields]) => fields.map((field) => `offsetof(struct ${name}, ${field})`)),
  ...Object.keys(FIELDS).map((name) => `sizeof(struct ${name})`),
]);
const say = (expression: string): number => header.get(expression) ?? Number.NaN;

/** A part whose every number is another one. */
function encode(): { at: (section: string, struct: string, index?: number) => Entry } {
  const text = makeSection(".text.new", new Array<number>(7).fill(0x90), { flags: SHF_ALLOC | SHF_EXECINSTR });
  const newSymbol = makeFunction("new", text);
  const ko = makeObject([text], [newSymbol, makeUndefined("ksplice_part")]);
  const place = { symbol: newSymbol, offset: 3 };
  const entry: PartFunction = {
    name: "first",
    oldAddr: 0xffffffff81000010n,
    oldSize: 21,
    newSymbol,
    site: { kind: "jump", offset: 4, bytes: Uint8Array.of(1, 2, 3, 4, 5) },
    mayBeBusy: false,
  };
  const part: Part = {
    ...{ id: "the-id", description: "the-description", target: "the-target", partCount: 11, isUnloadable: true },
    functions: [
      { ...entry, site: { kind: "ftrace", offset: 9, bytes: new Uint8Array(0) } },
      { ...entry, name: "second", oldAddr: 0xffffffff81000020n, mayBeBusy: true },
    ],
    ranges: [1, 2, 3].map((size) => ({ name: `range${size}`, start: 0xffffffff82000000n + BigInt(size), size, mayBeBusy: size === 3 })),
    pins: ["a", "b", "c", "d"].map((name, index) => ({ name, textAddr: 0xffffffffc0000000n + BigInt(index) })),
    writes: [1, 2, 3, 4, 5].map((size) => ({
      ...{ name: `write${size}`, addr: 0xffffffff83000000n + BigInt(size) },
      ...{ newBytes: place, oldBytes: new Uint8Array(size).fill(size) },
    })),
    hooks: HOOK_KINDS.slice(1, 7).map((kind) => ({ kind, function: place })),
  };
  const setDigest = addPart(ko, part);
  setDigest("d".repeat(64));
  return {
    at: (section, struct, index = 0) => new Entry(requireSection(ko.sections, section), struct, index * say(`sizeof(struct ${struct})`)),
  };
}

function requireSection(sections: readonly ElfSection[], name: string): ElfSection {
  const section = sections.find((candidate) => candidate.name === name);
  if (section === undefined) throw new Error(`no section ${name}`);
  return section;
}

/** One structure, its fields found where the header has them. */
class Entry {
  constructor(
    readonly section: ElfSection,
    readonly struct: string,
    readonly start: number,
  ) {}

  #at(field: string): number {
    return this.start + say(`offsetof(struct ${this.struct}, ${field})`);
  }

  u32(field: string): number {
    return new DataView(this.section.data.buffer, this.section.data.byteOffset).getUint32(this.#at(field), true);
  }

  u64(field: string): bigint {
    return new DataView(this.section.data.buffer, this.section.data.byteOffset).getBigUint64(this.#at(field), true);
  }

  bytes(field: string, size: number): number[] {
    return [...this.section.data.subarray(this.#at(field), this.#at(field) + size)];
  }

  /** What a pointer points to: the text that stands there, or the symbol and the offset. */
  pointer(field: string): string {
    const found = this.section.relocations.find(({ offset }) => offset === this.#at(field));
    if (found === undefined) throw new Error(`no pointer at ${field}`);
    const home = homeSection(found.symbol);
    if (home?.name !== ".ksplice_strings") return `${found.symbol.name}+${found.addend}`;
    return new TextDecoder().decode(home.data.subarray(found.addend, home.data.indexOf(0, found.addend)));
  }
}

describe("what user space writes, read as kmod/ksplice.h has it", () => {
  it("has the header's numbers", () => {
    expect(KSPLICE_ABI).toBe(say("KSPLICE_ABI"));
    expect(MAX_WRITE_SIZE).toBe(say("KSPLICE_MAX_WRITE"));
    expect(requireArchitecture("x86_64").trampoline.size).toBe(say("KSPLICE_TRAMPOLINE"));
    expect(HOOK_KINDS.map((kind) => say(`KSPLICE_${kind.toUpperCase()}`))).toEqual(HOOK_KINDS.map((_, index) => index));
  });

  it("is a part", () => {
    const part = encode().at(".ksplice_part", "ksplice_part");
    const numbers = ["abi", "nr_parts", "nr_functions", "nr_ranges", "nr_pins", "nr_writes", "nr_hooks"].map((field) => part.u32(field));
    expect(numbers).toEqual([KSPLICE_ABI, 11, 2, 3, 4, 5, 6]);
    expect(part.u32("flags")).toBe(say("KSPLICE_UNLOADABLE"));
    expect(["id", "description", "target"].map((field) => part.pointer(field))).toEqual(["the-id", "the-description", "the-target"]);
    expect(part.pointer("digest")).toBe("d".repeat(64));
    expect(["functions", "ranges", "pins", "writes", "hooks"].map((field) => part.pointer(field))).toEqual(
      ["functions", "ranges", "pins", "writes", "hook_table"].map((name) => `ksplice_${name}+0`),
    );
  });

  it("has functions, ranges, pins, writes and hooks", () => {
    const { at } = encode();
    const entry = at(".ksplice_functions", "ksplice_function", 1);
    expect([entry.u64("old_addr"), entry.pointer("new_addr"), entry.pointer("name")]).toEqual([0xffffffff81000020n, "new+0", "second"]);
    expect([entry.u32("old_size"), entry.u32("new_size"), entry.u32("site")]).toEqual([21, 7, 4]);
    expect([...entry.bytes("expect", 5), ...entry.bytes("flags", 1)]).toEqual([1, 2, 3, 4, 5, say("KSPLICE_MAY_BE_BUSY")]);
    const byFtrace = at(".ksplice_functions", "ksplice_function", 0);
    expect(byFtrace.u32("site")).toBe(9);
    expect([...byFtrace.bytes("expect", 5), ...byFtrace.bytes("flags", 1)]).toEqual([0, 0, 0, 0, 0, say("KSPLICE_BY_FTRACE")]);

    const range = at(".ksplice_ranges", "ksplice_range", 2);
    expect([range.u64("start"), range.u32("size"), range.u32("flags"), range.pointer("name")]).toEqual([
      0xffffffff82000003n,
      3,
      say("KSPLICE_MAY_BE_BUSY"),
      "range3",
    ]);
    expect(at(".ksplice_ranges", "ksplice_range", 1).u32("flags")).toBe(0);

    const pin = at(".ksplice_pins", "ksplice_pin", 3);
    expect([pin.pointer("name"), pin.u64("text")]).toEqual(["d", 0xffffffffc0000003n]);

    const write = at(".ksplice_writes", "ksplice_write", 3);
    expect([write.u64("addr"), write.u64("size"), write.pointer("name")]).toEqual([0xffffffff83000004n, 4n, "write4"]);
    expect([write.pointer("new_bytes"), write.pointer("old_bytes")]).toEqual(["new+3", "ksplice_old_bytes+6"]);

    const hook = at(".ksplice_hook_table", "ksplice_hook", 5);
    expect([hook.u64("kind"), hook.pointer("ask")]).toEqual([6n, "new+3"]);
  });

  it("leaves what is reserved at 0", () => {
    const { data } = encode().at(".ksplice_functions", "ksplice_function").section;
    const [from, size] = [say("offsetof(struct ksplice_function, expect)") + 8, say("sizeof(struct ksplice_function)")];
    expect(data.subarray(from, size).every((byte) => byte === 0)).toBe(true);
  });
});
