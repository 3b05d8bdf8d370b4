import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SHF_EXECINSTR } from "../../../src/elf/constants.js";
import { matchUnit } from "../../../src/match/match-unit.js";
import type { UnitMatch } from "../../../src/match/types.js";
import { compileObject, GCC, KERNEL_LIKE_FLAGS } from "../../support/compile-object.js";
import { FakeKernel, TEXT_START } from "../../support/fake-kernel.js";

const UNIT = { path: "kernel/unit.o", target: "vmlinux" };

const SOURCE = `
extern int printk(const char *, ...);
extern int shared;
static int counter;
static inline int *once(void) { static int key; return &key; }
struct entry { int kind; int (*op)(int); const char *name; };
static const struct entry table[2];
static __attribute__((noinline)) int plain(int x) { counter += x; return printk("plain %d\\n", x) + counter; }
static __attribute__((noinline)) int other(int x) { return x > 3 ? plain(x * shared) : printk("other %s\\n", table[x].name); }
static const struct entry table[2] = { { 1, plain, "first" }, { 2, other, "second" } };
int tail(int x) { return other(x + 1); }
int *numbered(void) { return once(); }
int entry(int x) { int i, sum = 0; for (i = 0; i < x; i++) { sum += table[i & 1].op(x); if (sum > 1000) printk("big\\n"); } return sum; }
`;

/** As a whole kernel is compiled: short jumps between functions, and other alignment. */
const PLAIN_FLAGS = [...KERNEL_LIKE_FLAGS, "-falign-functions=1"];

function loadKernel(source = SOURCE, flags?: string[]): FakeKernel {
  const kernel = new FakeKernel();
  kernel.load(compileObject(source, "run.o", GCC, flags), TEXT_START);
  return kernel;
}

function mismatchOf(match: UnitMatch, name: string) {
  if (match.kind !== "mismatch") throw new Error("it matched");
  const found = match.mismatches.find((mismatch) => mismatch.function === name);
  if (found === undefined) throw new Error(`no mismatch of ${name}: ${match.mismatches.map((mismatch) => mismatch.function).join()}`);
  return found;
}

function requireMatched(match: UnitMatch) {
  if (match.kind !== "matched") throw new Error(match.mismatches.map(({ function: name, reason }) => `${name}: ${reason}`).join("; "));
  return match;
}

describe("a unit that runs as it was compiled", () => {
  const pre = compileObject(SOURCE, "unit.o");

  it("matches, and tells the address of every symbol it uses", () => {
    const kernel = loadKernel();
    const { functions, symbols, statistics } = requireMatched(matchUnit(pre, UNIT, kernel));
    expect([...functions.keys()].sort()).toEqual(["entry", "numbered", "other", "plain", "tail"]);
    expect(statistics).toEqual({ functions: 5, matched: 5, skipped: [], skippedBytes: 0 });
    for (const name of ["plain", "other", "entry", "counter", "table", "shared", "printk"]) {
      expect([name, symbols.get(name)]).toEqual([name, kernel.addrOf(name)]);
    }
  });

  it("matches where the compiler's number of a static is another one, and another variable has its address, as one of no size lets it", () => {
    const kernel = loadKernel();
    const at = kernel.symbols.findIndex(({ name }) => /^key\.\d+$/.test(name));
    const [numbered] = kernel.symbols.splice(at, 1);
    if (numbered === undefined) throw new Error("no numbered static");
    kernel.define(numbered.name, 0xffffffff82000e00n, "b");
    for (const name of ["busy", "key.77", "last"]) kernel.define(name, numbered.addr, "b");
    requireMatched(matchUnit(pre, UNIT, kernel));
    kernel.symbols.splice(
      kernel.symbols.findIndex(({ name }) => name === "key.77"),
      1,
    );
    expect(mismatchOf(matchUnit(pre, UNIT, kernel), "numbered").reason).toContain("where the source says key.");
  });

  it("matches when it was compiled without -ffunction-sections, with shorter jumps and other padding", () => {
    const kernel = loadKernel(SOURCE, PLAIN_FLAGS);
    const { functions } = requireMatched(matchUnit(pre, UNIT, kernel));
    // The tail call of a function in the same section takes two bytes instead of five.
    const size = pre.symbols.find(({ name }) => name === "tail")?.size ?? 0;
    expect(functions.get("tail")?.size).toBe(size - 3);
  });

  it("puts the trampoline at the start of a function that ftrace does not know", () => {
    const { functions } = requireMatched(matchUnit(pre, UNIT, loadKernel()));
    const entry = functions.get("entry");
    expect([entry?.site?.kind, entry?.site?.offset, entry?.site?.bytes.length]).toEqual(["jump", 0, 5]);
  });

  it("finds the functions of a module by its name", () => {
    const kernel = new FakeKernel();
    kernel.define("printk", 0xffffffff82300000n);
    kernel.load(compileObject(SOURCE, "run.o"), 0xffffffffc0100000n, "mod");
    expect(matchUnit(pre, { path: "drivers/mod.o", target: "mod" }, kernel).kind).toBe("matched");
    expect(mismatchOf(matchUnit(pre, UNIT, kernel), "entry").reason).toBe("the running kernel has no function of that name");
  });
});

describe("a unit that runs otherwise", () => {
  const pre = compileObject(SOURCE, "unit.o");

  it("is a mismatch where an instruction differs, shown from both sides", () => {
    const kernel = loadKernel(SOURCE.replace("sum > 1000", "sum > 1001"));
    const mismatch = mismatchOf(matchUnit(pre, UNIT, kernel), "entry");
    expect(mismatch.pre).toMatch(/^cmp \$0x3e8,/);
    expect(mismatch.run).toMatch(/^cmp \$0x3e9,/);
    expect(mismatch.reason).toBe("the instructions differ");
    expect(mismatch.likelyCause).toMatch(/the source is not the version/);
    expect(mismatch.addr).toBe(kernel.addrOf("entry"));
  });

  it("is a mismatch where a string differs", () => {
    const kernel = loadKernel(SOURCE.replace("other %s", "OTHER %s"));
    expect(mismatchOf(matchUnit(pre, UNIT, kernel), "other").reason).toBe(
      'the source has the string "other %s\\n", the running kernel has "OTHER %s\\n"',
    );
  });

  it("is a mismatch where read-only data differs", () => {
    const kernel = loadKernel(SOURCE.replace("{ 2, other,", "{ 3, other,"));
    expect(mismatchOf(matchUnit(pre, UNIT, kernel), "entry").reason).toMatch(/^the contents of table differ at offset 0x18/);
  });

  it("is a mismatch where another function is called", () => {
    const kernel = loadKernel(
      SOURCE.replace('printk("big\\n")', 'vprintk("big\\n")').replace(
        "extern int printk",
        "extern int vprintk(const char *, ...); extern int printk",
      ),
    );
    expect(mismatchOf(matchUnit(pre, UNIT, kernel), "entry").reason).toMatch(/\(vprintk\) where the source says printk/);
  });

  it("says so if a breakpoint stands in the code", () => {
    const kernel = loadKernel();
    kernel.poke(kernel.addrOf("entry"), [0xcc]);
    expect(mismatchOf(matchUnit(pre, UNIT, kernel), "entry").likelyCause).toBe("a kprobe or another breakpoint is set here");
  });

  it.each([
    ["compiled the same way", undefined],
    ["compiled without -ffunction-sections", PLAIN_FLAGS],
  ])("is a mismatch for any flipped bit of a function, %s", (_name, flags) => {
    const kernel = loadKernel(SOURCE, flags);
    const matched = [...requireMatched(matchUnit(pre, UNIT, kernel)).functions.values()];
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 0, max: 7 }), (which, where, bit) => {
        const func = matched[which % matched.length];
        if (func === undefined) throw new Error("no function");
        const addr = func.addr + BigInt(where % func.size);
        kernel.flipBit(addr, bit);
        try {
          expect(matchUnit(pre, UNIT, kernel).kind).toBe("mismatch");
        } finally {
          kernel.flipBit(addr, bit);
        }
      }),
      { numRuns: 400 },
    );
    expect(matchUnit(pre, UNIT, kernel).kind).toBe("matched");
  });
});

describe("a static name that several units have", () => {
  const HELPER = "static __attribute__((noinline)) int helper(int *p) { *p += 1; return *p * 3; }\n";
  const pre = compileObject(`${HELPER} int first(int *p) { return helper(p) + 7; }`, "unit.o");

  it("is settled by a function that calls it", () => {
    const kernel = new FakeKernel();
    kernel.load(compileObject(`${HELPER} int before(int *p) { return helper(p) + 1; }`, "a.o"), TEXT_START);
    kernel.load(pre, TEXT_START + 0x10000n);
    kernel.load(compileObject(`${HELPER} int after(int *p) { return helper(p) + 2; }`, "b.o"), TEXT_START + 0x20000n);
    expect(kernel.symbolsNamed("helper")).toHaveLength(3);
    const { functions } = requireMatched(matchUnit(pre, UNIT, kernel));
    expect(functions.get("helper")?.addr).toBe(kernel.symbolsNamed("helper")[1]?.addr);
  });

  it("is settled by its neighbours where no code refers to it", () => {
    const source = `int low(int x) { return x + 11; } ${HELPER} int high(int x) { return x + 13; } int (*hook)(int *) = helper;`;
    const unit = compileObject(source, "unit.o", GCC, [
      ...KERNEL_LIKE_FLAGS,
      "-ffunction-sections",
      "-fdata-sections",
      "-fno-toplevel-reorder",
    ]);
    const kernel = new FakeKernel();
    kernel.load(compileObject(`${HELPER} int before(int *p) { return helper(p) + 1; }`, "a.o"), TEXT_START);
    kernel.load(unit, TEXT_START + 0x10000n);
    kernel.load(compileObject(`${HELPER} int after(int *p) { return helper(p) + 2; }`, "b.o"), TEXT_START + 0x20000n);
    const { functions } = requireMatched(matchUnit(unit, UNIT, kernel));
    expect(functions.get("helper")?.addr).toBe(kernel.symbolsNamed("helper")[1]?.addr);
  });
});

describe("a piece of an inlined function that nothing refers to", () => {
  const piece = (value: number) =>
    `static __attribute__((used, noinline, section(".text.unlikely.piece"))) int piece(void) { return ${String(value)}; }\n`;
  const load = (...values: number[]): FakeKernel => {
    const kernel = new FakeKernel();
    values.forEach((value, index) => {
      const unit = compileObject(`${piece(value)} int f${String(index)}(int x) { return x + ${String(index)}; }`, "run.o");
      kernel.load(unit, TEXT_START + BigInt(index) * 0x10000n);
    });
    return kernel;
  };
  const pre = compileObject(`${piece(5)} int f1(int x) { return x + 1; }`, "unit.o");

  it("is left alone where several units have the same", () => {
    const match = requireMatched(matchUnit(pre, UNIT, load(5, 5, 5)));
    expect(match.functions.has("piece")).toBe(false);
    expect(match.statistics.skipped).toEqual(["piece"]);
  });

  it("is left alone too where only initialization code refers to it", () => {
    const source = `${piece(5)} int f1(int x) { return x + 1; } __attribute__((section(".init.text"))) int setup(void) { return piece(); }`;
    expect(requireMatched(matchUnit(compileObject(source, "unit.o"), UNIT, load(5, 5, 5))).statistics.skipped).toContain("piece");
  });

  it("is left alone where others of its name are not the same besides", () => {
    expect(requireMatched(matchUnit(pre, UNIT, load(5, 6, 5))).statistics.skipped).toEqual(["piece"]);
  });

  it("is left alone where running code refers to what stands right behind it", () => {
    // Where a branch's field counts from its end, the number in it is that of a place in the piece.
    const next = 'static __attribute__((used, noinline, section(".text.unlikely.piece"))) int next(int x) { return x * 3; }\n';
    const source = `${piece(5)}${next} int f1(int x) { return next(x) + 1; }`;
    const kernel = load(5, 5);
    const unit = compileObject(source, "unit.o", GCC, [...KERNEL_LIKE_FLAGS, "-fno-toplevel-reorder", "-falign-functions=1"]);
    kernel.load(unit, TEXT_START + 0x50000n);
    // Its own has no symbol, so that its neighbours tell nothing.
    kernel.symbols.splice(
      kernel.symbols.findLastIndex(({ name }) => name === "piece"),
      1,
    );
    const { functions, statistics } = requireMatched(matchUnit(unit, UNIT, kernel));
    expect([functions.has("next"), statistics.skipped]).toEqual([true, ["piece"]]);
  });

  it("is left alone where a weak definition that lost refers to it, and nothing else", () => {
    const source = `${piece(5)} int f1(int x) { return x + 1; } __attribute__((weak)) int overridden(int x) { return piece() * x; } int f2(int x) { return x * 9; }`;
    const unit = compileObject(source, "unit.o", GCC, [...KERNEL_LIKE_FLAGS, "-ffunction-sections", "-fno-toplevel-reorder"]);
    const kernel = load(5, 5);
    kernel.load(unit, TEXT_START + 0x50000n);
    const weak = kernel.symbols.findIndex(({ name }) => name === "overridden");
    kernel.symbols.splice(weak, 1);
    kernel.load(compileObject("int overridden(int x) { return x * 1000; }", "arch.o"), TEXT_START + 0x100000n);
    expect([...requireMatched(matchUnit(unit, UNIT, kernel)).statistics.skipped].sort()).toEqual(["overridden", "piece"]);
  });

  it("is matched where one of that name is the same", () => {
    expect(requireMatched(matchUnit(pre, UNIT, load(6, 5, 7))).functions.has("piece")).toBe(true);
  });

  it("is a mismatch where none is", () => {
    expect(matchUnit(pre, UNIT, load(6, 7, 8)).kind).toBe("mismatch");
  });
});

describe("exit code", () => {
  const unit = compileObject(
    'int run(int x) { return x + 1; } __attribute__((section(".exit.text"))) int leave(int x) { return x + 2; }',
    "unit.o",
  );

  it.each([
    ["mod", ["leave", "run"], []],
    ["vmlinux", ["run"], ["leave"]],
  ])("of %s", (target, functions, skipped) => {
    const kernel = new FakeKernel();
    kernel.load(unit, TEXT_START, target === "vmlinux" ? undefined : target);
    const match = requireMatched(matchUnit(unit, { path: "unit.o", target }, kernel));
    expect([[...match.functions.keys()].sort(), match.statistics.skipped]).toEqual([functions, skipped]);
  });
});

describe("a weak definition", () => {
  const source =
    "int first(int x) { return x + 5; } __attribute__((weak)) int overridden(int x) { return x; } int last(int x) { return x * 9; }";
  const unit = compileObject(source, "unit.o", GCC, [...KERNEL_LIKE_FLAGS, "-ffunction-sections", "-fno-toplevel-reorder"]);

  it.each([
    ["other code", "return x * 1000;"],
    ["the very same code", "return x;"],
  ])("that lost against %s is left alone, and listed", (_name, body) => {
    const kernel = new FakeKernel();
    kernel.load(unit, TEXT_START);
    const weak = kernel.symbols.findIndex(({ name }) => name === "overridden");
    kernel.symbols.splice(weak, 1);
    kernel.load(compileObject(`int overridden(int x) { ${body} }`, "arch.o"), TEXT_START + 0x100000n);
    const { symbols, functions, statistics } = requireMatched(matchUnit(unit, UNIT, kernel));
    expect([statistics.skipped, functions.has("overridden")]).toEqual([["overridden"], false]);
    expect(symbols.get("overridden")).toBe(kernel.addrOf("overridden"));
  });

  it("that won and was changed is a mismatch", () => {
    const kernel = new FakeKernel();
    kernel.load(unit, TEXT_START);
    kernel.poke(kernel.addrOf("overridden"), [0x31, 0xc0]);
    expect(mismatchOf(matchUnit(unit, UNIT, kernel), "overridden").function).toBe("overridden");
  });
});

describe("a function that an update has replaced", () => {
  const source =
    "int callee(int); __attribute__((noinline)) int patched(int x) { return callee(x) + 40; } int caller(int x) { return patched(x) * 5; }";
  const first = compileObject(source.replace("40", "30"), "first.o");
  const second = compileObject(source, "second.o");

  it("is matched where it runs now, and called where it was", () => {
    const kernel = new FakeKernel();
    kernel.load(first, TEXT_START);
    kernel.load(
      compileObject("int callee(int); int patched(int x) { return callee(x) + 40; }", "new.o"),
      0xffffffffc0200000n,
      "ksplice_abc",
    );
    const oldAddr = kernel.addrOf("patched");
    const newAddr = kernel.addrOf("patched", "ksplice_abc");
    kernel.redirect(oldAddr, newAddr);
    const { functions, symbols } = requireMatched(matchUnit(second, UNIT, kernel));
    expect(functions.get("patched")?.addr).toBe(newAddr);
    expect(symbols.get("patched")).toBe(oldAddr);
    expect(mismatchOf(matchUnit(first, UNIT, kernel), "patched").addr).toBe(newAddr);
  });
});

describe("code that does not stay", () => {
  it("is left alone: init and exit text", () => {
    const source = '__attribute__((section(".init.text"))) int setup(int x) { return x; } int stays(int x) { return x + 2; }';
    const unit = compileObject(source, "unit.o");
    const kernel = new FakeKernel();
    const kept = unit.sections.filter((section) => (section.flags & SHF_EXECINSTR) === 0 || section.name === ".text.stays");
    kernel.load({ ...unit, sections: kept }, TEXT_START);
    const { statistics, functions } = requireMatched(matchUnit(unit, UNIT, kernel));
    expect([statistics.skipped, [...functions.keys()]]).toEqual([["setup"], ["stays"]]);
  });
});
