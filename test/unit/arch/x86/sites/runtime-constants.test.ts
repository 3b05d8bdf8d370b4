import { describe, expect, it } from "vitest";
import { matchUnit } from "../../../../../src/match/match-unit.js";
import { findRuntimeConstant } from "../../../../../src/arch/x86/sites/runtime-constants.js";
import type { UnitMatch } from "../../../../../src/match/types.js";
import { BOOT_CONSTANT_MACROS, bootConstants, bytesOf } from "../../../../support/boot-constants.js";
import { compileObject, GCC, KERNEL_LIKE_FLAGS } from "../../../../support/compile-object.js";
import { FakeKernel, TEXT_START } from "../../../../support/fake-kernel.js";

const UNIT = { path: "fs/unit.o", target: "vmlinux" };
const LIMIT = 0x00007ffffffff000n;
const BITS = 14n;
const LIMIT_ADDR = 0xffffffff83000000n;
const BITS_ADDR = LIMIT_ADDR + 8n;

const SOURCE = `${BOOT_CONSTANT_MACROS}
__attribute__((noinline)) int below(unsigned long x) { return x <= RUNTIME_PTR(limit); }
__attribute__((noinline)) int last(unsigned long x) { return RUNTIME_SHIFT(x, bits) == RUNTIME_SHIFT(x + 1, bits); }
int both(unsigned long x) { return x > RUNTIME_PTR(limit) ? (int)RUNTIME_SHIFT(x, bits) : last(x); }
int tail(unsigned long x) { return below(x + 1); }
`;
/** As a whole kernel is compiled: a short jump in tail(), so that instructions are compared. */
const PLAIN_FLAGS = [...KERNEL_LIKE_FLAGS, "-falign-functions=1"];

type Values = Readonly<Record<string, bigint | readonly bigint[]>>;
const BOOTED: Values = { runtime_ptr_limit: LIMIT, runtime_shift_bits: BITS };

function run(values: Values, options: { variables?: boolean; source?: string; flags?: readonly string[] } = {}): UnitMatch {
  const flags = options.flags ?? [...KERNEL_LIKE_FLAGS, "-ffunction-sections"];
  const kernel = new FakeKernel();
  if (options.variables !== false) {
    kernel.define("limit", LIMIT_ADDR, "D");
    kernel.place(LIMIT_ADDR, bytesOf(LIMIT, 8));
    kernel.define("bits", BITS_ADDR, "d");
    kernel.place(BITS_ADDR, bytesOf(BITS, 4));
  }
  const source = options.source ?? SOURCE;
  kernel.load(bootConstants(compileObject(source, "run.o", GCC, [...flags]), values), TEXT_START);
  return matchUnit(compileObject(source, "pre.o"), UNIT, kernel);
}

function constantsOf(match: UnitMatch): Record<string, bigint> {
  if (match.kind !== "matched") throw new Error(match.mismatches.map(({ function: name, reason }) => `${name}: ${reason}`).join("; "));
  return Object.fromEntries(match.runtimeConstants);
}

function reasonOf(match: UnitMatch): string {
  return match.kind === "matched" ? "matched" : match.mismatches.map(({ function: name, reason }) => `${name}: ${reason}`).join("; ");
}

describe("constants that the kernel set at boot", () => {
  const expected = { runtime_ptr_limit: LIMIT, runtime_shift_bits: BITS };

  it("are read out of the running code", () => {
    expect(constantsOf(run(BOOTED))).toEqual(expected);
  });

  it("are read where they are a mask of four bytes", () => {
    const source = SOURCE.replace("return below(x + 1);", "return below(x + RUNTIME_MASK((unsigned)x, size));");
    const values = { ...BOOTED, runtime_mask_size: 0x1ffn };
    for (const flags of [undefined, PLAIN_FLAGS])
      expect(constantsOf(run(values, flags === undefined ? { source } : { source, flags }))).toEqual({
        ...expected,
        runtime_mask_size: 0x1ffn,
      });
  });

  it("are read where code is compared by its instructions", () => {
    const source = SOURCE.replace("return below(x + 1);", "return below(x + RUNTIME_PTR(top));");
    const top = 0x1122334455667788n;
    expect(constantsOf(run({ ...BOOTED, runtime_ptr_top: top }, { source, flags: PLAIN_FLAGS }))).toEqual({
      ...expected,
      runtime_ptr_top: top,
    });
  });

  it("are read where the kernel lists no variable of that name, if all code has the same value", () => {
    expect(constantsOf(run({ runtime_ptr_limit: 0x5000n, runtime_shift_bits: 3n }, { variables: false }))).toEqual({
      runtime_ptr_limit: 0x5000n,
      runtime_shift_bits: 3n,
    });
  });

  it.each([
    ["the variable's value", { ...BOOTED, runtime_ptr_limit: LIMIT + 1n }, {}, /^below: the instructions differ; both/],
    ["the variable's value, where it is one byte", { ...BOOTED, runtime_shift_bits: 15n }, {}, /^last: the instructions differ; both/],
    [
      "the value of the other uses in the function",
      { ...BOOTED, runtime_shift_bits: [3n, 4n, 3n] },
      { variables: false },
      /last: runtime_shift_bits is 0x4 here, and 0x3 at offset/,
    ],
    [
      "the value of the other functions",
      { ...BOOTED, runtime_ptr_limit: [0x5000n, 0x6000n] },
      { variables: false },
      /both: it has 0x6000 for runtime_ptr_limit, while below has 0x5000/,
    ],
  ])("must have %s", (_name, values: Values, options, reason) => {
    expect(reasonOf(run(values, options))).toMatch(reason);
  });
});

describe("a constant inside an alternative", () => {
  /** The alternative is the instruction with the immediate; its replacement is nothing. */
  const source = `${BOOT_CONSTANT_MACROS}
    #define ALTERNATIVE_PTR(name) ({ unsigned long value; asm("3: mov %1,%0\\n1:\\n.pushsection runtime_ptr_" #name ",\\"a\\"\\n.long 1b - %c2 - .\\n.popsection\\n" \\
      ".pushsection .altinstr_replacement,\\"ax\\"\\n2:\\n.popsection\\n.pushsection .altinstructions,\\"a\\"\\n.long 3b - ., 2b - .\\n.short 1\\n.byte 1b - 3b, 0\\n.popsection" : "=r"(value) : "i"(0x0123456789abcdefUL), "i"(8)); value; })
    int both(unsigned long x) { return x > RUNTIME_PTR(limit) || x == ALTERNATIVE_PTR(limit); }`;

  it("counts like any other", () => {
    expect(constantsOf(run({ runtime_ptr_limit: LIMIT }, { source }))).toEqual({ runtime_ptr_limit: LIMIT });
  });

  it("must have the same value as the others", () => {
    const values = { runtime_ptr_limit: [0x5000n, 0x6000n] };
    expect(reasonOf(run(values, { source, variables: false }))).not.toBe("matched");
  });
});

describe("the name of a constant's table", () => {
  it.each([
    ["runtime_ptr_USER_PTR_MAX", { variable: "USER_PTR_MAX", size: 8 }],
    ["runtime_shift_d_hash_shift", { variable: "d_hash_shift", size: 1 }],
    ["runtime_mask___futex_mask", { variable: "__futex_mask", size: 4 }],
    ["runtime_table_x", undefined],
    [".text.runtime_ptr_x", undefined],
    ["runtime_ptr_", undefined],
  ])("%s", (name, expected) => {
    expect(findRuntimeConstant(name)).toEqual(expected && { table: name, ...expected });
  });
});
