import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { diffObjects } from "../../../../src/diff/diff-objects.js";
import { extractNewCode } from "../../../../src/diff/extract/extract-new-code.js";
import type { NewCode } from "../../../../src/diff/types.js";
import { SHF_LINK_ORDER, STB_GLOBAL, STB_LOCAL } from "../../../../src/elf/constants.js";
import { UNDEFINED, type ElfSection } from "../../../../src/elf/model.js";
import { parseObject } from "../../../../src/elf/parse-object.js";
import { writeObject } from "../../../../src/elf/write-object.js";
import { GCC, KERNEL_LIKE_FLAGS, SECTION_FLAGS, compileBytes, compileObject } from "../../../support/compile-object.js";
import { WARNING_WITH_TEXT } from "../../../support/warning-with-text.js";

function extract(pre: string, post: string, flags?: string[]): NewCode {
  const diff = diffObjects(compileObject(pre, "pre.o", undefined, flags), compileObject(post, "post.o", undefined, flags));
  expect(diff.refusals).toEqual([]);
  return extractNewCode(diff, { unit: "dir/unit.o" });
}

function sectionOf(code: NewCode, name: string): ElfSection {
  const section = code.object.sections.find((candidate) => candidate.name === name);
  if (section === undefined) throw new Error(`no section ${name} among ${code.object.sections.map((other) => other.name).join(" ")}`);
  return section;
}

const references = (section: ElfSection): string[] => section.relocations.map(({ symbol }) => symbol.name);

describe("what new code refers to", () => {
  it("an import is an undefined global symbol without a type", () => {
    const code = extract("static int n; int f(void) { return n++; }", "static int n; int f(void) { return n += 2; }");
    expect(code.imports).toEqual([{ name: "dir/unit.o:n", preSymbol: "n", symbol: "n" }]);
    expect(code.object.symbols.find(({ name }) => name === "dir/unit.o:n")).toMatchObject({
      home: UNDEFINED,
      bind: STB_GLOBAL,
      type: 0,
      size: 0,
    });
    expect(code.object.symbols.find(({ name }) => name === "f")).toMatchObject({ bind: STB_LOCAL });
  });

  it("the module is the patched one, not the update's", () => {
    const source = (value: string) => `extern int __this_module; int *f(int x) { return x > ${value} ? &__this_module : 0; }`;
    expect(extract(source("1"), source("2")).imports).toEqual([
      { name: "dir/unit.o:__this_module", preSymbol: "__this_module", symbol: "__this_module" },
    ]);
  });

  it("a warning with a text refers to its own entry of the new table", () => {
    const source = (value: string) => `${WARNING_WITH_TEXT}
      void gone(int x) { if (x) WARN(1, "gone", x); }
      void f(int x) { if (x > ${value}) WARN(3, "first", x); else WARN(3, "second", x); }
      void g(int x) { if (x < ${value}) WARN(3, "third", x); }`;
    const code = extract(source("1"), source("2"));
    const table = sectionOf(code, "__bug_table");
    expect(table.size).toBe(3 * 16);
    const owners = [".text.f", ".text.g"].flatMap((name) =>
      sectionOf(code, name).relocations.flatMap(({ symbol, addend, offset }) => {
        if (symbol.home !== table) return [];
        // The field ends the instruction, and what the entry says of it is where the next begins.
        const entry = symbol.value + addend + 4;
        const says = table.relocations.find((relocation) => relocation.offset === entry);
        expect([says?.symbol.home, (says?.symbol.value ?? 0) + (says?.addend ?? 0)]).toEqual([sectionOf(code, name), offset + 4]);
        return [`${name} ${String(entry)}`];
      }),
    );
    expect(owners.sort()).toEqual([".text.f 0", ".text.f 16", ".text.g 32"]);
  });

  it("a text is carried once, and whole, wherever the code points into it", () => {
    const source = (value: string) => `int out(const char *); int f(int x) {
      const char *text = "directory/file", *at = text + __builtin_strlen(text);
      while (at > text && at[-1] != (char)(x + ${value})) at--;
      return out(at); }`;
    const code = extract(source("0"), source("1"));
    const literals = sectionOf(code, ".rodata.literals");
    const text = "directory/file";
    const places = sectionOf(code, ".text.f").relocations.flatMap(({ symbol, addend, type }) =>
      symbol.home === literals ? [symbol.value + addend + (type.pcRelative ? 4 : 0)] : [],
    );
    expect(places.sort((a, b) => a - b)).toEqual([0, text.length]);
    expect(Buffer.from(literals.data).toString("latin1")).toBe(`${text}\0`);
  });

  it("static calls keep their plain names, whoever defines them", () => {
    const source = (value: string) =>
      `asm(".section .static_call.text,\\"ax\\"\\n.globl __SCT__tick\\n.type __SCT__tick, @function\\n__SCT__tick: ret\\n.size __SCT__tick, 1\\n.previous");
       extern int __SCT__tick(void); int f(void) { return __SCT__tick() + ${value}; }`;
    expect(extract(source("1"), source("2")).imports).toMatchObject([{ name: "__SCT__tick" }]);
  });

  it("of two flags in one function, the running one stays with the code it belongs to", () => {
    const once = (text: string) =>
      `({ static _Bool __attribute__((section(".data.once"))) done; if (!done) { done = 1; log_line("${text}"); } })`;
    const source = (body: string) => `int log_line(const char *text); int f(int x) { ${body} return x; }`;
    const code = extract(source(`if (x & 1) ${once("old")};`), source(`if (x & 8) ${once("new")}; if (x & 1) ${once("old")};`));
    const flags = references(sectionOf(code, ".text.f")).filter((name) => name.includes("done"));
    // The first test is the new one's; its flag is carried, the old one's is imported.
    expect(flags[0]).not.toContain("dir/unit.o:");
    expect(flags.some((name) => name.startsWith("dir/unit.o:done"))).toBe(true);
  });

  it("is refused for a difference that was refused", () => {
    const diff = diffObjects(
      compileObject("int n = 1; int *f(void) { return &n; }", "pre.o"),
      compileObject("int n = 2; int *f(void) { return &n; }", "post.o"),
    );
    expect(diff.verdict).toBe("refused");
    expect(() => extractNewCode(diff, { unit: "dir/unit.o" })).toThrow("refused difference");
  });
});

describe("tables", () => {
  it("ORC entries stay in step with their places", () => {
    const entry = (name: string, value: string) =>
      `asm(".section .orc_unwind_ip,\\"a\\"\\n.long ${name} - .\\n.long ${name} + 1 - .\\n.section .orc_unwind,\\"a\\"\\n.short ${value}, 0, 0\\n.short ${value} + 1, 0, 0\\n.previous");`;
    const source = (value: string) =>
      `int a(int x) { return x; } int b(int x) { return x * ${value}; } ${entry("a", "16")} ${entry("b", "32")}`;
    const code = extract(source("7"), source("9"));
    expect(references(sectionOf(code, ".orc_unwind_ip"))).toEqual(["b", "b"]);
    expect([...sectionOf(code, ".orc_unwind").data]).toEqual([32, 0, 0, 0, 0, 0, 33, 0, 0, 0, 0, 0]);
  });

  it("a table ordered by its text is made for each text section, and names it", () => {
    const flags = [...KERNEL_LIKE_FLAGS, ...SECTION_FLAGS, "-fpatchable-function-entry=16,16"];
    const source = (value: string) =>
      `int a(int x) { return x + ${value}; } int b(int x) { return x - ${value}; } int c(int x) { return x; }`;
    const code = extract(source("7"), source("9"), flags);
    const tables = code.object.sections.filter(({ name }) => name === "__patchable_function_entries");
    expect(tables.map(({ linkedTo, size }) => [linkedTo?.name, size])).toEqual([
      [".text.a", 8],
      [".text.b", 8],
    ]);
    expect(tables.every(({ flags: bits }) => (bits & SHF_LINK_ORDER) !== 0)).toBe(true);
    // The padding in front of the function comes along.
    expect(code.object.symbols.find(({ name }) => name === "a")?.value).toBe(16);
  });
});

describe("old and new code in one program", () => {
  const PRE = `
    typedef int (*handler)(int);
    static int calls;
    __attribute__((noinline)) static int weight(int x) { return x * 2; }
    __attribute__((noinline)) int total(int x) { calls++; return weight(x) + 1; }
    handler pick(void) { return weight; }
    int count(void) { return calls; }
    const char *greet(int x) { switch (x) { case 0: return "zero"; case 1: return "one"; case 2: return "two"; case 3: return "three"; case 4: return "four"; } return "many"; }`;
  const POST = PRE.replace("x * 2", "x * 3")
    .replace("return weight(x) + 1", "static int extra = 40; extra++; return weight(x) + extra")
    .replace("return weight; }", "calls += 100; return weight; }")
    .replace('"two"', '"TWO"');
  const MAIN = `
    #include <stdio.h>
    extern int total(int), count(void), new_total(int); typedef int (*handler)(int);
    extern handler pick(void), new_pick(void); extern const char *new_greet(int);
    int main(void) {
      printf("%d %d ", total(5), new_total(5)); printf("%d ", new_total(5));
      printf("%d ", pick() == new_pick()); printf("%d ", count());
      printf("%s %s %s", new_greet(1), new_greet(2), new_greet(9));
      return 0;
    }`;

  it("share their state, and call each other as they should", () => {
    const flags = ["-O2", "-std=gnu11", "-fno-pic", "-fcf-protection=none", "-fno-common", ...SECTION_FLAGS];
    const pre = compileBytes(PRE, GCC ?? "gcc", flags);
    const diff = diffObjects(parseObject(pre, "pre.o"), parseObject(compileBytes(POST, GCC ?? "gcc", flags), "post.o"));
    expect(diff.refusals).toEqual([]);
    const { object, functions } = extractNewCode(diff, { unit: "u" });
    expect(functions.map(({ name }) => name).sort()).toEqual(["greet", "pick", "total", "weight"]);

    // What the prelinker does on a target: imports get the old code's addresses. Here the linker does, by name.
    for (const symbol of object.symbols) {
      if (symbol.home === UNDEFINED) symbol.name = symbol.name.replace("u:", "");
      else if (functions.some(({ newSymbol }) => newSymbol === symbol.name))
        Object.assign(symbol, { name: `new_${symbol.name}`, bind: STB_GLOBAL });
    }
    const old = parseObject(pre, "pre.o");
    for (const symbol of old.symbols) if (symbol.type === 1 || symbol.type === 2) symbol.bind = STB_GLOBAL;

    const dir = mkdtempSync(join(tmpdir(), "ksplice-extract-"));
    try {
      writeFileSync(join(dir, "main.c"), MAIN);
      writeFileSync(join(dir, "old.o"), writeObject(old));
      writeFileSync(join(dir, "new.o"), writeObject(object));
      execFileSync(GCC ?? "gcc", ["-no-pie", "-o", "program", "main.c", "old.o", "new.o"], { cwd: dir, stdio: "pipe" });
      // total: old 5*2+1, new 5*3+41, then 5*3+42. calls: three, and 100 by new_pick.
      expect(execFileSync(join(dir, "program"), { encoding: "utf8" })).toBe("11 56 57 1 103 one TWO many");
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
