import { describe, expect, test } from "vitest";
import { KERNEL_ARCHITECTURE } from "../../../src/arch/architectures.js";
import { parseKallsyms } from "../../../src/kernel/kallsyms.js";
import { completeSymbols, lacksVariables, type CompletedSymbols } from "../../../src/kernel/system-map.js";

/** As it was linked. */
const MAP = `0000000000000000 D __per_cpu_start
0000000000000020 d cpu_state
ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff81000010 t helper
ffffffff81000030 t helper
ffffffff81000040 T entry
ffffffff82000000 D init_task
ffffffff82000040 b state
ffffffff82000080 b state
ffffffff83000000 B _end
`;
/** As it runs, 0x1c00000 further up: its functions, and a module's. */
const FUNCTIONS = `ffffffff82c00000 T _text
ffffffff82c00000 T _stext
ffffffff82c00010 t helper
ffffffff82c00030 t helper
ffffffff82c00040 T entry
ffffffffc0000000 t helper\t[mod]
`;

const complete = (text: string, map: string): CompletedSymbols | string =>
  completeSymbols(Buffer.from(text), Buffer.from(map), KERNEL_ARCHITECTURE.memory.kernelMapAddr);

describe("a kernel's own table", () => {
  test.each([
    ["of functions only lacks variables", FUNCTIONS, true],
    ["of all lacks none", `${FUNCTIONS}ffffffff83c00000 D init_task\n`, false],
    ["with a variable of that name in a module lacks them", `${FUNCTIONS}ffffffffc0001000 d init_task\t[mod]\n`, true],
    ["of a few symbols is not spoken of", "ffffffff81000000 T _text\n", false],
  ])("%s", (_, text, lacks) => {
    expect(lacksVariables(parseKallsyms(text))).toBe(lacks);
  });
});

describe("with its System.map it has", () => {
  test("its variables, where they are since boot, and each function once", () => {
    const { symbols } = complete(FUNCTIONS, MAP) as CompletedSymbols;
    expect(lacksVariables(symbols)).toBe(false);
    expect(symbols.named("init_task")).toEqual([{ name: "init_task", addr: 0xffffffff83c00000n, type: "D", module: undefined }]);
    expect(symbols.named("state").map(({ addr }) => addr)).toEqual([0xffffffff83c00040n, 0xffffffff83c00080n]);
    expect(symbols.named("helper").map(({ addr, module }) => [addr, module])).toEqual([
      [0xffffffff82c00010n, undefined],
      [0xffffffff82c00030n, undefined],
      [0xffffffffc0000000n, "mod"],
    ]);
    expect(symbols.at(0xffffffff83c00090n)?.name).toBe("state");
  });

  test("the variables of each processor where they are, as its own table would call them", () => {
    const { symbols } = complete(FUNCTIONS, MAP) as CompletedSymbols;
    expect(symbols.named("cpu_state")).toEqual([{ name: "cpu_state", addr: 0x20n, type: "A", module: undefined }]);
  });

  test("the same where it lies where it was linked, or where the table's last line has no end", () => {
    const unmoved = MAP.split("\n").filter((line) => line.startsWith("ffffffff81"));
    const { symbols } = complete(unmoved.join("\n"), MAP) as CompletedSymbols;
    expect(symbols.named("init_task")[0]?.addr).toBe(0xffffffff82000000n);
    expect(symbols.named("entry").length).toBe(1);
  });
});

describe("another System.map is not taken", () => {
  test.each([
    ["a distribution's stub", "ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n", /it has no _stext/],
    ["nothing", "", /it has no _stext/],
    ["of another build", MAP.replace("81000040 T entry", "81000050 T entry"), /it has entry at another place/],
    ["of a kernel that has one of two", MAP.replace("ffffffff81000030 t helper\n", ""), /it has helper at another place/],
  ])("%s", (_, map, words) => {
    expect(complete(FUNCTIONS, map)).toMatch(words);
  });

  test("for a table that it has no function of", () => {
    expect(complete("ffffffff81000000 A _stext\n", MAP)).toMatch(/none of the running kernel's functions/);
  });
});
