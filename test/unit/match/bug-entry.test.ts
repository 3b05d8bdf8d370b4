import { describe, expect, it } from "vitest";
import { matchUnit } from "../../../src/match/match-unit.js";
import type { UnitMatch } from "../../../src/match/types.js";
import { compileObject, GCC, KERNEL_LIKE_FLAGS } from "../../support/compile-object.js";
import { FakeKernel, TEXT_START } from "../../support/fake-kernel.js";
import { WARNING_WITH_TEXT } from "../../support/warning-with-text.js";

const UNIT = { path: "kernel/unit.o", target: "vmlinux" };
const ENTRY_SIZE = 16;

interface Texts {
  readonly first: string;
  readonly second: string;
  readonly flags: number;
}

const TEXTS: Texts = { first: "first %d", second: "second %d", flags: 3 };

const source = ({ first, second, flags }: Texts): string => `${WARNING_WITH_TEXT}
  void one(int x) { if (x > 1) WARN(${String(flags)}, "${first}", x); }
  void two(int x) { if (x > 2) { WARN(1, "${second}", x); WARN(1, "third %d", x + 1); } }`;

/** A kernel with this source, compiled otherwise than the unit is, as a whole kernel is; and where its table is. */
function running(texts: Partial<Texts> = {}): { kernel: FakeKernel; table: bigint } {
  const object = compileObject(source({ ...TEXTS, ...texts }), "run.o", GCC, [...KERNEL_LIKE_FLAGS, "-falign-functions=1"]);
  const table = object.sections.find(({ name }) => name === "__bug_table");
  if (table === undefined) throw new Error("no table");
  object.symbols.push({ name: "table_start", bind: 1, type: 1, other: 0, home: table, value: 0, size: table.size });
  const kernel = new FakeKernel();
  kernel.load(object, TEXT_START);
  return { kernel, table: kernel.addrOf("table_start") };
}

const match = (kernel: FakeKernel): UnitMatch => matchUnit(compileObject(source(TEXTS), "unit.o"), UNIT, kernel);

const reasonFor = (found: UnitMatch): string | undefined => (found.kind === "mismatch" ? found.mismatches[0]?.reason : undefined);

describe("code that refers to its entry of the bug table", () => {
  it("matches where the entry is of the same instruction and says the same", () => {
    expect(match(running().kernel).kind).toBe("matched");
  });

  it("matches after the kernel has warned once, and where the line is another one", () => {
    const { kernel, table } = running();
    kernel.poke(table + 12n, [99, 0, 3 | 4]);
    expect(match(kernel).kind).toBe("matched");
  });

  it.each([
    ["another text", { second: "fourth %d" }, 'the source has the string "second %d", the running kernel has "fourth %d"'],
    ["other flags", { flags: 1 }, "the flags of the warning are 3, those of the running kernel's 1"],
  ])("does not match with %s", (_, texts, reason) => {
    expect(reasonFor(match(running(texts).kernel))).toContain(reason);
  });

  it("does not match where the entry is that of another instruction, though it says the same", () => {
    const { kernel, table } = running();
    const [first, third] = [0n, 2n].map((index) => kernel.read(table + index * BigInt(ENTRY_SIZE), 4) ?? new Uint8Array());
    kernel.poke(table, [...(third ?? [])]);
    expect(reasonFor(match(kernel))).toBeDefined();
    kernel.poke(table, [...(first ?? [])]);
    expect(match(kernel).kind).toBe("matched");
  });

  it("does not match where the entry cannot be read", () => {
    const { kernel, table } = running();
    const read = kernel.read.bind(kernel);
    kernel.read = (addr, size) => (addr >= table && addr < table + 48n ? undefined : read(addr, size));
    expect(reasonFor(match(kernel))).toContain("__bug_table cannot be read");
  });
});
