import { describe, expect, it } from "vitest";
import type { DataRequest } from "../../../src/match/find-data.js";
import { matchUnit } from "../../../src/match/match-unit.js";
import type { Mismatch } from "../../../src/match/types.js";
import { compileObject } from "../../support/compile-object.js";
import { FakeKernel, TEXT_START } from "../../support/fake-kernel.js";

const UNIT = { path: "kernel/unit.o", target: "vmlinux" };

const SOURCE = `
struct ops { int (*op)(int); long weight; const char *name; };
static __attribute__((noinline)) int plain(int x) { return x + 1; }
int other(int x) { return plain(x) * 3; }
const unsigned int limits[] = { 10, 20, 30, 40 };
const struct ops constant_ops = { plain, 7, "seven" };
const struct ops *chosen = &constant_ops;
struct ops live = { other, 5, "live" };
long zeros[4];
int weigh(int x) { static struct ops inner = { plain, 9, "inner" }; inner.weight += x; return inner.weight; }
`;

/** In another file of the kernel: an object of the same name with other contents. */
const NAMESAKE = `static const unsigned int limits[] = { 1, 2, 3, 4 }; int use(int i) { return limits[i]; }`;

const pre = compileObject(SOURCE, "unit.o");
const whole = (symbol: string): DataRequest => ({ symbol });
const fields = (symbol: string, ...offsets: number[]): DataRequest => ({
  symbol,
  fields: offsets.map((offset) => ({ offset, size: 8 })),
});

function kernelOf(source = SOURCE): FakeKernel {
  const kernel = new FakeKernel();
  kernel.load(compileObject(source, "run.o"), TEXT_START);
  return kernel;
}

function addrIn(kernel: FakeKernel, request: DataRequest): bigint | undefined {
  const match = matchUnit(pre, UNIT, kernel, { data: [request] });
  if (match.kind === "mismatch") throw new Error(match.mismatches.map(({ function: name, reason }) => `${name}: ${reason}`).join("; "));
  return match.symbols.get(request.symbol);
}

function mismatchIn(kernel: FakeKernel, request: DataRequest): Mismatch | undefined {
  const match = matchUnit(pre, UNIT, kernel, { data: [request] });
  return match.kind === "mismatch" ? match.mismatches[0] : undefined;
}

describe("data that an update overwrites is found", () => {
  it.each([
    ["a constant that no function refers to", whole("limits")],
    ["a constant with relocated fields", whole("constant_ops")],
    ["a pointer in data that may change", fields("chosen", 0)],
    ["a pointer to a function", fields("live", 0)],
    ["a pointer to a string", fields("live", 16)],
    ["an object without contents in the file", fields("zeros", 8)],
  ])("%s", (_, request) => {
    const kernel = kernelOf();
    expect(addrIn(kernel, request)).toBe(kernel.addrOf(request.symbol));
  });

  it("by what matched code refers to, where the compiler numbered its name", () => {
    const kernel = kernelOf();
    const name = pre.symbols.find((symbol) => symbol.name.startsWith("inner."))?.name ?? "";
    expect(addrIn(kernel, fields(name, 0))).toBe(kernel.addrOf(name));
  });

  it("by its contents, where the target has several of its name", () => {
    const kernel = kernelOf();
    kernel.load(compileObject(NAMESAKE, "namesake.o"), TEXT_START + 0x100000n);
    expect(addrIn(kernel, whole("limits"))).toBe(kernel.addrOf("limits"));
  });

  it("whatever its other fields hold, where only one counts", () => {
    const kernel = kernelOf();
    kernel.poke(kernel.addrOf("live") + 8n, [99]);
    expect(addrIn(kernel, fields("live", 0, 16))).toBe(kernel.addrOf("live"));
  });

  it("in a module, among the module's names", () => {
    const kernel = new FakeKernel();
    kernel.load(compileObject(SOURCE, "run.o"), 0xffffffffc0100000n, "mod");
    kernel.load(compileObject(NAMESAKE, "namesake.o"), TEXT_START);
    const match = matchUnit(pre, { path: "drivers/mod.o", target: "mod" }, kernel, { data: [whole("limits")] });
    expect(match.kind === "matched" && match.symbols.get("limits")).toBe(kernel.addrOf("limits", "mod"));
  });
});

describe("data that is not what the source says is a mismatch", () => {
  it("of a plain byte, with its offset and both contents", () => {
    const kernel = kernelOf();
    kernel.poke(kernel.addrOf("limits") + 8n, [31]);
    expect(mismatchIn(kernel, whole("limits"))).toEqual({
      function: "limits",
      addr: kernel.addrOf("limits"),
      offset: 8,
      pre: "1e 00 00 00 28 00 00 00",
      run: "1f 00 00 00 28 00 00 00",
      reason: "the contents of limits differ at offset 0x8",
    });
  });

  it("of a pointer, with what it should point to", () => {
    const kernel = kernelOf();
    const addr = kernel.addrOf("live");
    kernel.poke(addr, [...(kernel.read(kernel.addrOf("constant_ops"), 8) ?? [])]);
    const mismatch = mismatchIn(kernel, fields("live", 0));
    expect(mismatch).toMatchObject({ function: "live", addr, offset: 0, pre: "other", run: `0x${kernel.addrOf("plain").toString(16)}` });
    expect(mismatch?.reason).toContain("where the source says other, which is at");
  });

  it("of a string behind a pointer", () => {
    const kernel = kernelOf(SOURCE.replace('"live"', '"life"'));
    expect(mismatchIn(kernel, fields("live", 16))?.reason).toBe(
      'in live+0x10: the source has the string "live", the running kernel has "life"',
    );
    expect(mismatchIn(kernel, fields("live", 0))).toBeUndefined();
  });

  it("even if it need not be found", () => {
    const kernel = kernelOf();
    kernel.poke(kernel.addrOf("limits") + 8n, [31]);
    expect(mismatchIn(kernel, { ...whole("limits"), isOptional: true })?.reason).toContain("differ at offset 0x8");
  });

  it("but not if it need not be found, and nothing tells which it is", () => {
    const kernel = kernelOf();
    kernel.load(compileObject(NAMESAKE.replace("1, 2, 3, 4", "10, 20, 30, 40"), "namesake.o"), TEXT_START + 0x100000n);
    expect(mismatchIn(kernel, { ...whole("limits"), isOptional: true })).toBeUndefined();
    expect(mismatchIn(kernelOf(SOURCE.replaceAll("limits", "bounds")), { ...whole("limits"), isOptional: true })).toBeUndefined();
  });

  it("if two objects have its name and its contents", () => {
    const kernel = kernelOf();
    kernel.load(compileObject(NAMESAKE.replace("1, 2, 3, 4", "10, 20, 30, 40"), "namesake.o"), TEXT_START + 0x100000n);
    expect(mismatchIn(kernel, whole("limits"))?.reason).toBe("2 objects of that name have these contents, and nothing tells which it is");
  });

  it.each([
    ["nobody has its name", whole("limits"), SOURCE.replaceAll("limits", "bounds"), "the running kernel has no data of that name"],
    ["the unit does not define it", whole("nothing"), SOURCE, "the unit does not define it"],
  ])("if %s", (_, request, source, reason) => {
    expect(mismatchIn(kernelOf(source), request)).toMatchObject({ function: request.symbol, addr: undefined, reason });
  });
});
