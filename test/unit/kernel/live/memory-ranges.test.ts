import { describe, expect, it } from "vitest";
import { parseKallsyms } from "../../../../src/kernel/kallsyms.js";
import { chooseRanges } from "../../../../src/kernel/live/memory-ranges.js";
import type { LoadedModule } from "../../../../src/kernel/live/modules.js";

/** A range or segment: `START-END`, in hexadecimal, above 0xffffffff00000000. */
const parse = (text: string): { startAddr: bigint; endAddr: bigint } => {
  const [startAddr = 0n, endAddr = 0n] = text.split("-").map((half) => BigInt(`0xffffffff${half}`));
  return { startAddr, endAddr };
};

interface Case {
  /** `ADDR NAME[ MODULE]` */
  readonly symbols?: readonly string[];
  /** Name, address and size of modules. */
  readonly modules?: readonly (readonly [string, string, number])[];
  readonly sections?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly segments?: readonly string[];
  readonly expected: readonly string[];
}

describe("the memory that is saved", () => {
  it.each<[string, Case]>([
    [
      "is the kernel's image, whole",
      { symbols: ["81000000 _text", "80000000 before"], segments: ["81000000-83000000"], expected: ["81000000-83000000"] },
    ],
    [
      "is not what the kernel gave back of its image, page by page, whatever symbols it still has there",
      {
        symbols: [
          ...["81000000 _text", "81e00123 _etext", "82000000 __start_rodata", "82500000 __end_rodata", "82600000 _sdata"],
          ...["82a00000 __init_begin", "82a01000 some_init", "82c00000 __init_end", "82e00800 __brk_base", "82f00000 _end"],
        ],
        segments: ["81000000-83000000"],
        expected: ["81000000-81e01000", "82000000-82500000", "82600000-82a00000", "82c00000-82e01000", "82f00000-83000000"],
      },
    ],
    [
      "is a module's one area",
      {
        modules: [["m", "c0100000", 0x5000]],
        sections: { m: { ".text": "c0100000", ".data": "c0104000" } },
        expected: ["c0100000-c0105000"],
      },
    ],
    [
      "is what may belong to any of its areas",
      {
        modules: [["m", "c0100000", 0x5000]],
        sections: { m: { ".text": "c0100000", ".data": "c0204010", ".rodata": "c0205000" } },
        expected: ["c0100000-c0105000", "c0204000-c020a000"],
      },
    ],
    [
      "is not where its init code was",
      { modules: [["m", "c0100000", 0x1000]], sections: { m: { ".init.text": "c0300000" } }, expected: ["c0100000-c0101000"] },
    ],
    [
      "is around a symbol of something that is no module",
      {
        symbols: ["c0111234 program bpf", "c0101000 f m"],
        modules: [["m", "c0100000", 0x5000]],
        expected: ["c0100000-c0105000", "c0110000-c0130000"],
      },
    ],
    [
      "is what can be read of all that",
      {
        modules: [["m", "c0100000", 0x5000]],
        segments: ["c0000000-c0101000", "c0102000-c0103000"],
        expected: ["c0100000-c0101000", "c0102000-c0103000"],
      },
    ],
    [
      "is one range where ranges adjoin",
      {
        modules: [
          ["m", "c0100000", 0x1000],
          ["n", "c0101000", 0x1000],
        ],
        expected: ["c0100000-c0102000"],
      },
    ],
    [
      "is nothing below the kernel's mapping",
      { symbols: ["00012345 percpu"], modules: [["m", "00001000", 0x1000]], segments: ["00000000-ffffffff"], expected: [] },
    ],
  ])("%s", (_, { symbols = [], modules = [], sections = {}, segments = ["c0000000-ff000000"], expected }) => {
    const lines = symbols.map((line) =>
      line.replace(
        /^(\w+) (\w+)(?: (\w+))?$/,
        (_line, addr: string, name: string, module?: string) => `ffffffff${addr} t ${name}${module === undefined ? "" : `\t[${module}]`}\n`,
      ),
    );
    const facts = {
      machine: "x86_64",
      modules: modules.map(([name, addr, size]): LoadedModule => ({
        name,
        addr: BigInt(`0xffffffff${addr}`),
        size,
        refcount: 0,
        state: "Live",
      })),
      moduleSections: (module: string) =>
        new Map(Object.entries(sections[module] ?? {}).map(([name, addr]) => [name, BigInt(`0xffffffff${addr}`)])),
    };
    const readable = segments.map((text) => ({ ...parse(text), fileOffset: 0n, firstBlock: 0 }));
    expect(chooseRanges(parseKallsyms(lines.join("")), facts, readable)).toEqual(expected.map(parse));
  });
});
