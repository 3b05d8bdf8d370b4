import { describe, expect, it } from "vitest";
import { matchUnit } from "../../../src/match/match-unit.js";
import { compileObject } from "../../support/compile-object.js";
import { FakeKernel, TEXT_START } from "../../support/fake-kernel.js";

/** Two static keys, as the kernel's asm goto has them; no code refers to either. */
const SOURCE = `
struct key { int count; void *entries; };
static struct key first_key = { 1 }; static struct key second_key = { 2 };
#define BRANCH(key, flag) ({ __label__ yes; int taken = 0; \\
  asm goto("1: .byte 0x0f,0x1f,0x44,0,0\\n .pushsection __jump_table, \\"aw\\"\\n .balign 8\\n .long 1b - ., %l[yes] - .\\n .quad %c0 + %c1 - .\\n .popsection" \\
    : : "i" (key), "i" (flag) : : yes); if (0) { yes: taken = 1; } taken; })
int one(int x) { return BRANCH(&first_key, 1) ? x * 3 : x + 1; }
int two(int x) { return BRANCH(&second_key, 0) ? x * 5 : x + 2; }
`;

describe("static keys that only the jump table names", () => {
  const pre = compileObject(SOURCE, "unit.o");

  it("have their addresses from the running kernel's jump table, in whatever order that is", () => {
    const kernel = new FakeKernel();
    kernel.load(pre, TEXT_START);
    // The table's own place, as the linker script names it.
    const table = pre.sections.find(({ name }) => name === "__jump_table");
    const bytes = findTable(kernel, table?.size ?? 0);
    kernel.define("__start___jump_table", bytes);
    kernel.define("__stop___jump_table", bytes + BigInt(table?.size ?? 0));
    const match = matchUnit(pre, { path: "unit.o", target: "vmlinux" }, kernel);
    if (match.kind !== "matched") throw new Error(match.mismatches[0]?.reason);
    expect(match.symbols.get("first_key")).toBe(kernel.addrOf("first_key"));
    expect(match.symbols.get("second_key")).toBe(kernel.addrOf("second_key"));
  });

  /** Finds the loaded table by its first entry: a code address that is `one`'s. */
  function findTable(kernel: FakeKernel, size: number): bigint {
    const one = kernel.addrOf("one");
    for (let addr = TEXT_START; addr < TEXT_START + 0x1000n; addr += 8n) {
      const bytes = kernel.read(addr, size);
      if (bytes === undefined) break;
      const code = addr + BigInt(new DataView(bytes.buffer).getInt32(0, true));
      const second = addr + 16n + BigInt(new DataView(bytes.buffer).getInt32(16, true));
      if (code >= one && code < one + 16n && second >= kernel.addrOf("two") && second < kernel.addrOf("two") + 16n) return addr;
    }
    throw new Error("the table was not loaded");
  }
});
