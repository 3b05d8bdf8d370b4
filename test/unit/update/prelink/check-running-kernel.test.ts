import { describe, expect, it } from "vitest";
import { parseObject } from "../../../../src/elf/parse-object.js";
import type { LiveKernel } from "../../../../src/kernel/live/live-kernel.js";
import { checkRunningKernel } from "../../../../src/update/prelink/check-running-kernel.js";
import { findReferences } from "../../../../src/update/prelink/find-references.js";
import type { ManifestTarget } from "../../../../src/update/file/manifest.js";
import { GCC, KERNEL_LIKE_FLAGS, SECTION_FLAGS, compileBytes } from "../../../support/compile-object.js";
import { match, target } from "../../../support/prelink-samples.js";
import { FakeKernel, TEXT_START } from "../../../support/fake-kernel.js";
import { asLive } from "../../../support/sample-fit.js";

const SOURCE = `
#define apart __attribute__((noinline, noclone))
apart int gone(int x) { asm volatile(""); return x * 9; }
apart int calls(int x) { return gone(x) + 1; }
apart int jumps(int x) { return gone(x + 3); }
apart int branches(int x) { if (x > 3) return gone(x); return x; }
int (*held)(int) = gone;
struct ops { int (*run)(int); };
const struct ops table = { gone };
apart int compares(int (*f)(int)) { return f == gone; }
apart int looks(struct ops *ops) { return ops->run == gone ? 3 : 4; }
apart void stores(struct ops *ops) { ops->run = gone; }
int (*given(void))(int) { return gone; }
apart int other(int x) { return x ^ 0x1000; }
`;
const REFERRERS = ["branches", "calls", "compares", "given", "held", "jumps", "looks", "stores", "table"];

function kernel(): { fake: FakeKernel; live: LiveKernel } {
  const fake = new FakeKernel();
  fake.load(parseObject(compileBytes(SOURCE, GCC ?? "gcc", [...KERNEL_LIKE_FLAGS, ...SECTION_FLAGS]), "unit.o"), TEXT_START);
  const end = TEXT_START + BigInt(fake.regions[0]?.bytes.length ?? 0);
  fake.define("_text", TEXT_START);
  fake.define("_etext", end);
  fake.define("_end", end);
  return { fake, live: asLive(fake, { modules: [], moduleSections: () => undefined }) };
}

const name = (live: LiveKernel, addr: bigint): string => live.symbolAt(addr)?.name ?? "?";

describe("references to a function in the running kernel", () => {
  it("are found in code, calls, jumps and addresses alike, and in data", () => {
    const { fake, live } = kernel();
    const found = findReferences([fake.addrOf("gone")], live);
    expect(found.map(({ addr }) => name(live, addr)).sort()).toEqual(REFERRERS);
  });

  it("there are none to the middle of one, nor to what nobody uses", () => {
    const { fake, live } = kernel();
    expect(findReferences([fake.addrOf("gone") + 1n, fake.addrOf("other")], live)).toEqual([]);
  });

  it("are left out where four bytes only look like a displacement: decoded from its start, the function holds another constant there", () => {
    const fake = new FakeKernel();
    // gone: ret; constant: movabs of e8 and what would lead to `gone`, ret; caller: call gone, ret
    const bytes = Buffer.from(["c3", "48b80000e80000000000c3", "e800000000c3", "cc".repeat(16)].join(""), "hex");
    const [constant, caller, end] = [TEXT_START + 1n, TEXT_START + 12n, TEXT_START + BigInt(bytes.length)];
    bytes.writeInt32LE(-10, 6);
    bytes.writeInt32LE(-17, 13);
    fake.place(TEXT_START, bytes);
    const symbols = { _text: TEXT_START, gone: TEXT_START, constant, caller, _etext: end, _end: end };
    for (const [symbol, addr] of Object.entries(symbols)) fake.define(symbol, addr);
    const live = asLive(fake, { modules: [], moduleSections: () => undefined });
    expect(findReferences([TEXT_START], live).map(({ addr }) => addr)).toEqual([caller + 1n]);
  });

  it("are left out of memory that was given back", () => {
    const { fake, live } = kernel();
    fake.define("__init_begin", TEXT_START);
    fake.define("__init_end", fake.addrOf("_end"));
    fake.symbols.splice(
      fake.symbols.findIndex((symbol) => symbol.name === "_etext"),
      1,
      { name: "_etext", addr: TEXT_START, type: "T", module: undefined },
    );
    expect(findReferences([fake.addrOf("gone")], live)).toEqual([]);
  });
});

describe("the memory of the kernel's image that is searched for stored pointers", () => {
  /** Symbols by page, and a pointer to `gone` at the start of each page. */
  const PAGES = ["_etext", "gap", "__start_rodata", "__end_rodata", "_sdata", "__init_begin", "__init_end", "__brk_base", "_end"];

  it("is what the kernel has not given back, between its code, its constants and its data, and at its end", () => {
    const fake = new FakeKernel();
    const [gone, image] = [TEXT_START, TEXT_START + 0x1000n];
    fake.define("_text", gone);
    fake.define("gone", gone);
    fake.place(gone, [0xc3, ...new Array<number>(0xfff).fill(0xcc)]);
    PAGES.forEach((page, index) => {
      fake.define(page, image + BigInt(0x1000 * index));
    });
    const bytes = new DataView(new ArrayBuffer(0x1000 * (PAGES.length - 1)));
    for (let at = 0; at < bytes.byteLength; at += 0x1000) bytes.setBigUint64(at, gone, true);
    fake.place(image, new Uint8Array(bytes.buffer));
    const live = asLive(fake, { modules: [], moduleSections: () => undefined });
    expect(findReferences([gone], live).map(({ addr }) => name(live, addr))).toEqual(["__start_rodata", "_sdata", "__init_end"]);
  });
});

describe("what describes a module's functions", () => {
  const [TEXT, LIST, BSS] = [0xffffffffc0000000n, 0xffffffffc0000100n, 0xffffffffc0000200n];
  const SYMBOLS = BSS + 0x40n;
  const GONE = TEXT + 0x20n;

  /** A module of a function and a symbol table behind its data. */
  function moduleKernel(sections: readonly [string, bigint][]): { fake: FakeKernel; live: LiveKernel } {
    const fake = new FakeKernel();
    const image = new DataView(new ArrayBuffer(0x300));
    const put = (at: bigint, value: bigint): void => {
      image.setBigUint64(Number(at - TEXT), value, true);
    };
    put(LIST + 8n, GONE);
    // What would be a call of it, were it code.
    put(LIST + 0x20n, (BigInt.asUintN(32, GONE - (LIST + 0x25n)) << 8n) | 0xe8n);
    [TEXT, GONE].forEach((addr, index) => {
      const entry = SYMBOLS + 24n * BigInt(index);
      put(entry, 0x0003_00_02_00000163n);
      put(entry + 8n, addr);
      put(entry + 16n, 0x20n);
    });
    fake.place(TEXT, new Uint8Array(image.buffer));
    fake.define("first", TEXT, "t", "m");
    fake.define("gone", GONE, "t", "m");
    fake.define("last", BSS, "b", "m");
    const modules = [{ name: "m", addr: TEXT, size: 0x300 }] as unknown as LiveKernel["modules"];
    return { fake, live: asLive(fake, { modules, moduleSections: () => new Map(sections) }) };
  }

  it.each<[name: string, sections: [string, bigint][], places: bigint[]]>([
    [
      "a list for tracing and the symbol table are no callers",
      [
        [".text", TEXT],
        ["__mcount_loc", LIST],
        [".bss", BSS],
      ],
      [],
    ],
    [
      "a table of the module's own is one",
      [
        [".text", TEXT],
        [".data", LIST],
        [".bss", BSS],
      ],
      [LIST + 8n],
    ],
    [
      "so is what looks like symbols before the end",
      [
        [".text", TEXT],
        ["__mcount_loc", LIST],
        [".data", BSS],
        [".bss", SYMBOLS + 0x80n],
      ],
      [SYMBOLS + 32n],
    ],
  ])("%s", (_, sections, places) => {
    const { live } = moduleKernel(sections);
    expect(findReferences([GONE], live).map(({ addr }) => addr)).toEqual(places);
  });
});

/** The manifest of a unit that removes `gone`, or changes what it takes, and replaces some functions. */
function updateOf(
  fake: FakeKernel,
  how: "left" | "callable" | "other",
  replaced: readonly string[],
  added: readonly string[] = [],
  busy: readonly string[] = [],
) {
  const [unit] = target().units;
  if (unit === undefined) throw new Error("no unit");
  const entry = (symbol: string, kind: "same" | "other") => ({
    name: symbol,
    preSymbol: symbol,
    newSymbol: `new:a.o:${symbol}`,
    preParts: [],
    interface: kind,
    mayBeBusy: busy.includes(symbol),
  });
  const functions = [...replaced.map((symbol) => entry(symbol, "same")), ...(how === "other" ? [entry("gone", "other")] : [])];
  const left = how === "other" ? [] : [{ preSymbol: "gone", preParts: [], mayBeCalled: how === "callable" }];
  const manifest: ManifestTarget = { ...target(), units: [{ ...unit, functions, left, added: [...added] }] };
  const place = (symbol: string) => ({
    name: symbol,
    addr: fake.addrOf(symbol),
    size: 8,
    site: { kind: "jump" as const, offset: 5, bytes: new Uint8Array(5) },
  });
  const size = (symbol: string): number => {
    const addrs = fake.symbols.map(({ addr }) => addr).sort((a, b) => (a < b ? -1 : 1));
    const addr = fake.addrOf(symbol);
    return Number((addrs.find((other) => other > addr) ?? addr) - addr);
  };
  const functionsOf = new Map([...replaced, "gone"].map((symbol) => [symbol, { ...place(symbol), size: size(symbol) }]));
  return { targets: [manifest], matches: new Map([["a.o vmlinux", { ...match(), functions: functionsOf }]]) };
}

const FUNCTIONS = ["branches", "calls", "compares", "given", "jumps", "looks", "stores"];

describe("an update", () => {
  it.each([
    ["removes what others refer to", "left", [], "still-referred"],
    ["removes what data refers to, though all code that does is replaced", "left", FUNCTIONS, "still-referred"],
    ["removes what may be called on", "callable", [], undefined],
    ["changes what a function takes that others call", "other", [], "still-referred"],
  ] as const)("%s", (_, how, replaced, code) => {
    const { fake, live } = kernel();
    const check = (): void => {
      checkRunningKernel(updateOf(fake, how, replaced), live);
    };
    if (code === undefined) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code }));
  });

  it("passes where all that refers to it is replaced", () => {
    const { fake, live } = kernel();
    for (const data of ["held", "table"]) fake.poke(fake.addrOf(data), [0, 0, 0, 0, 0, 0, 0, 0]);
    expect(() => {
      checkRunningKernel(updateOf(fake, "left", FUNCTIONS), live);
    }).not.toThrow();
    expect(() => {
      checkRunningKernel(updateOf(fake, "left", FUNCTIONS.slice(1)), live);
    }).toThrow(/branches\+0x[0-9a-f]+ of the running kernel still refers to it/);
  });

  it("does not pass where threads may stay in the old code of one that is", () => {
    const { fake, live } = kernel();
    for (const data of ["held", "table"]) fake.poke(fake.addrOf(data), [0, 0, 0, 0, 0, 0, 0, 0]);
    expect(() => {
      checkRunningKernel(updateOf(fake, "other", FUNCTIONS, [], ["calls"]), live);
    }).toThrow(/calls\+0x[0-9a-f]+ of the running kernel calls it in the old way/);
  });

  it("may remove a weak definition that had lost: who calls that name means another one", () => {
    const { fake, live } = kernel();
    const update = updateOf(fake, "left", []);
    const lost = { ...match(), functions: new Map(), symbols: new Map([["gone", fake.addrOf("gone")]]) };
    const skipped = (names: string[]) => new Map([["a.o vmlinux", { ...lost, statistics: { ...lost.statistics, skipped: names } }]]);
    expect(() => {
      checkRunningKernel({ ...update, matches: skipped(["gone"]) }, live);
    }).not.toThrow();
    expect(() => {
      checkRunningKernel({ ...update, matches: skipped([]) }, live);
    }).toThrow(expect.objectContaining({ code: "still-referred" }));
  });

  it("must not define a name that the running kernel has", () => {
    const { fake, live } = kernel();
    const check = (name: string) => () => {
      checkRunningKernel(updateOf(fake, "callable", [], [name]), live);
    };
    expect(check("other")).toThrow(expect.objectContaining({ code: "name-taken" }));
    expect(check("fresh")).not.toThrow();
    fake.define("hidden", TEXT_START + 0x100n, "t");
    expect(check("hidden"), "a static one of that name is another thing").not.toThrow();
  });
});
