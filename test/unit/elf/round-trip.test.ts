import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SHDR_SIZE } from "../../../src/elf/constants.js";
import { ElfFormatError } from "../../../src/elf/elf-format-error.js";
import { UNDEFINED } from "../../../src/elf/model.js";
import { parseObject } from "../../../src/elf/parse-object.js";
import { writeObject } from "../../../src/elf/write-object.js";

const SOURCE = `
static int counter; int shared = 3; extern int other(int);
static __attribute__((noinline)) int helper(int x) { switch (x) { case 1: return other(5); case 2: return other(9); case 3: return 77; case 4: return other(x); case 5: return 9; default: return counter++; } }
int entry(int x) { static const char *names[] = {"a", "b"}; return helper(x) + names[x][0] + shared; }
int weak_one(void) __attribute__((weak)); int weak_one(void) { return 1; }
int common_one;
`;

let dir: string;
let bytes: Uint8Array;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "ksplice-elf-"));
  writeFileSync(join(dir, "a.c"), SOURCE);
  execFileSync("gcc", ["-O2", "-fcommon", "-ffunction-sections", "-fdata-sections", "-c", "-o", join(dir, "a.o"), join(dir, "a.c")]);
  bytes = new Uint8Array(readFileSync(join(dir, "a.o")));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

describe("an object that the compiler wrote", () => {
  it("is the same model after writing and parsing again", () => {
    const first = parseObject(bytes, "a.o");
    const second = parseObject(writeObject(first), "a.o");
    // The writer sorts local symbols to the front, as the compiler does: the order must survive too.
    expect(second).toEqual(first);
  });

  it("is written to the same bytes each time", () => {
    const written = writeObject(parseObject(bytes, "a.o"));
    expect(writeObject(parseObject(written, "a.o"))).toEqual(written);
  });

  it("has no symbol without a name and a home: a kernel would look for it", () => {
    // As clang's linker leaves it: a symbol for a section that is only for linkers, and that is not read.
    writeFileSync(join(dir, "b.s"), '.globl f\nf: ret\n.section .llvm_addrsig,"e",@0x6fff4c03\n.byte 1\n');
    execFileSync("gcc", ["-c", "-o", join(dir, "b1.o"), join(dir, "b.s")]);
    execFileSync("ld", ["-r", "-o", join(dir, "b.o"), join(dir, "b1.o")]);
    const { sections, symbols } = parseObject(writeObject(parseObject(new Uint8Array(readFileSync(join(dir, "b.o"))), "b.o")), "b.o");
    expect(sections.map(({ name }) => name)).not.toContain(".llvm_addrsig");
    expect(symbols.map(({ name }) => name)).toContain("f");
    expect(symbols.filter(({ name, home }) => name === "" && home === UNDEFINED)).toEqual([]);
  });

  it("is still an object to the linker after writing", () => {
    writeFileSync(join(dir, "b.o"), writeObject(parseObject(bytes, "a.o")));
    execFileSync("ld", ["-r", "-o", join(dir, "c.o"), join(dir, "b.o")]);
    const disassemble = (file: string): string =>
      execFileSync("objdump", ["-dr", "--no-show-raw-insn", join(dir, file)], { encoding: "utf8" }).replace(/^.*file format.*$/m, "");
    expect(disassemble("b.o")).toBe(disassemble("a.o"));
  });

  it("keeps static, weak and common symbols apart", () => {
    const { symbols } = parseObject(bytes, "a.o");
    const byName = (name: string) => symbols.find((symbol) => symbol.name === name);
    expect(byName("helper")).toMatchObject({ bind: 0, type: 2 });
    expect(byName("weak_one")).toMatchObject({ bind: 2 });
    expect(byName("common_one")).toMatchObject({ home: "common" });
    expect(byName("other")).toMatchObject({ home: "undefined", bind: 1 });
  });
});

/** @param align of the first section. Bytes. */
function withAlignment(align: bigint): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const view = new DataView(copy.buffer);
  const header = Number(view.getBigUint64(40, true)) + SHDR_SIZE;
  view.setBigUint64(header + 48, align, true);
  return copy;
}

describe("bad input", () => {
  it.each([
    ["nothing", () => new Uint8Array(0), "truncated"],
    ["a script", () => new TextEncoder().encode("#!/bin/sh\n".repeat(20)), "not an ELF file"],
    ["half an object", () => bytes.slice(0, bytes.length / 2), "x.o: "],
    ["an executable", () => Uint8Array.from(bytes, (value, index) => (index === 16 ? 2 : value)), "not a relocatable object"],
    ["another machine", () => Uint8Array.from(bytes, (value, index) => (index === 18 ? 183 : value)), "not an x86-64 object"],
    ["an alignment that is no power of two", () => withAlignment(24n), "implausible alignment"],
    ["an alignment that would take 4 GiB of memory to write", () => withAlignment(1n << 32n), "implausible alignment"],
  ])("%s is refused by name", (_, make, message) => {
    expect(() => parseObject(make(), "x.o")).toThrow(ElfFormatError);
    expect(() => parseObject(make(), "x.o")).toThrow(message);
  });

  it("is not written where gaps for alignment make it too large", () => {
    const object = parseObject(bytes, "a.o");
    for (const section of object.sections) section.align = 1 << 29;
    expect(() => writeObject(object)).toThrow(ElfFormatError);
  });

  it("of any length never throws anything but a format error", () => {
    for (let length = 0; length < bytes.length; length += 37) {
      expect(() => parseObject(bytes.slice(0, length), "cut.o")).toThrow(ElfFormatError);
    }
  });
});
