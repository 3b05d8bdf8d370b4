import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diffObjects } from "../../../src/diff/diff-objects.js";
import { extractNewCode } from "../../../src/diff/extract/extract-new-code.js";
import { STT_FUNC } from "../../../src/elf/constants.js";
import { homeSection, type ElfObject } from "../../../src/elf/model.js";
import { parseObject } from "../../../src/elf/parse-object.js";
import { writeObject } from "../../../src/elf/write-object.js";
import { GCC, KERNEL_LIKE_FLAGS, SECTION_FLAGS, compileBytes } from "../../support/compile-object.js";

const SOURCE = `
  int log_line(const char *format, ...); extern int work(int);
  static int state; static const int weights[] = { 3, 1, 4, 1, 5 }; int shared = 7;
  __attribute__((noinline)) static int helper(int x) { static int calls; calls++; return work(x) + weights[x & 3] + calls; }
  __attribute__((noinline)) static int scaled(int x, int factor) { return work(x * factor) + factor; }
  int first(int x) { state += x; return helper(x) + scaled(x, 3); }
  int second(int x) { if (__builtin_expect(x < 0, 0)) { log_line("negative %d", x); return -1; } return helper(x + 1) * shared; }
  int third(int x) { switch (x) { case 0: return work(1); case 1: return work(7); case 2: return work(2); case 3: return work(9); case 4: return 5; } return scaled(x, 3); }
  int (*pick(void))(int) { return helper; }
  #define __sched __attribute__((section(".sched.text")))
  __attribute__((noinline)) static int __sched inner(int x) { return work(x) ^ state; }
  int __sched outer(int x) { return inner(x) * 2 + inner(x + 1); }
`;
const bytes = compileBytes(SOURCE, GCC ?? "gcc", [...KERNEL_LIKE_FLAGS, ...SECTION_FLAGS]);
const parse = (name: string): ElfObject => parseObject(new Uint8Array(bytes), name);
const functions = parse("unit.o").symbols.filter(({ type }) => type === STT_FUNC);

/** A byte of a function that no relocation covers and no other atom's branch. */
function flipByte(object: ElfObject, name: string, seed: number): boolean {
  const symbol = object.symbols.find((candidate) => candidate.name === name);
  const section = symbol === undefined ? undefined : homeSection(symbol);
  if (symbol === undefined || section === undefined) return false;
  const at = symbol.value + (seed % symbol.size);
  if (section.relocations.some(({ offset }) => at >= offset && at < offset + 8)) return false;
  section.data = new Uint8Array(section.data);
  section.data[at] = (section.data[at] ?? 0) ^ 1;
  return true;
}

describe("comparing two objects", () => {
  it("an object does not differ from itself", () => {
    expect(diffObjects(parse("pre.o"), parse("post.o"))).toMatchObject({ verdict: "no-change", refusals: [], notes: [] });
  });

  it.each([
    ["the entry of another function", "first"],
    ["the middle of its own entry", "3f"],
  ])("code that refers to %s of a table is refused, by name", (_, place) => {
    const entry =
      '.pushsection __bug_table,\\"aw\\"\\n2: .long 1b - .\\n.long text - .\\n3: .long text - .\\n.word 7\\n.word 1\\n.popsection';
    const source = `const char text[] = "text"; void report(void *entry);
      void owner(void) { asm volatile("1: nop\\n${entry.replace("2:", "first:")}"); }
      void warn(void) { void *entry; asm volatile("lea ${place}(%%rip), %0\\n1:\\n${entry}" : "=r"(entry)); report(entry); }`;
    const compiled = (): ElfObject => parseObject(compileBytes(source, GCC ?? "gcc", [...KERNEL_LIKE_FLAGS, ...SECTION_FLAGS]), "unit.o");
    expect(() => diffObjects(compiled(), compiled())).toThrow(expect.objectContaining({ code: "refers-to-table" }) as Error);
    expect(() => diffObjects(compiled(), compiled())).toThrow("warn in unit.o refers to __bug_table");
  });

  it("the order of sections and symbols does not count", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...parse("x").sections.keys()], { minLength: parse("x").sections.length }), (order) => {
        const post = parse("post.o");
        post.sections = order.flatMap((index) => post.sections[index] ?? []);
        post.symbols.reverse();
        expect(diffObjects(parse("pre.o"), parseObject(writeObject(post), "post.o")).verdict).toBe("no-change");
      }),
      { numRuns: 30 },
    );
  });

  it("a byte that differs changes its function, and no other outside of a shared section", () => {
    fc.assert(
      fc.property(fc.constantFrom(...functions), fc.nat(10_000), (symbol, seed) => {
        const post = parse("post.o");
        // What a changed byte does to the branches of a section that holds several functions is anyone's guess.
        fc.pre(homeSection(symbol)?.name !== ".sched.text");
        fc.pre(flipByte(post, symbol.name, seed));
        const diff = diffObjects(parse("pre.o"), post);
        expect(diff.verdict).toBe("changed");
        expect(diff.functions.changed.map(({ name }) => name)).toEqual([symbol.name.replace(/\.cold$/, "")]);
        const code = extractNewCode(diff, { unit: "unit.o" });
        expect(() => parseObject(writeObject(code.object), "new.o")).not.toThrow();
        // Nothing but calls, imports and copies: the new code defines no symbol that is not carried.
        expect(code.functions.map(({ newSymbol }) => newSymbol)).toEqual([symbol.name.replace(/\.cold$/, "")]);
      }),
      { numRuns: 60 },
    );
  });

  it("a section that holds several functions is compared function by function", () => {
    const post = parse("post.o");
    const outer = post.symbols.find(({ name }) => name === "outer");
    const section = outer === undefined ? undefined : homeSection(outer);
    if (outer === undefined || section === undefined) throw new Error("outer is not there");
    section.data = new Uint8Array(section.data);
    section.data[outer.value + outer.size - 1] = 0xcc; // ret
    expect(diffObjects(parse("pre.o"), post).functions.changed.map(({ name }) => name)).toEqual(["outer"]);
  });
});
