import { describe, expect, it } from "vitest";
import { parseKallsyms } from "../../../src/kernel/kallsyms.js";
import { shuffled } from "../../../corpus/shuffled.js";

const TEXT = `0000000000000000 A fixed_percpu_data
ffffffff81000000 T _text
ffffffff81000000 T startup_64
ffffffff81000100 t helper
ffffffff81000200 t helper
ffffffff81000300 T __pfx_last
ffffffffc0001000 t helper	[i2c_dev]
ffffffffc0000000 d data.1	[9p]
ffffffffa0000000 t bpf_prog_1	[bpf]
`;

describe("kallsyms", () => {
  const symbols = parseKallsyms(TEXT);

  it("finds all symbols of a name, in their order, with the module that owns them", () => {
    expect(symbols.named("helper")).toEqual([
      { name: "helper", addr: 0xffffffff81000100n, type: "t", module: undefined },
      { name: "helper", addr: 0xffffffff81000200n, type: "t", module: undefined },
      { name: "helper", addr: 0xffffffffc0001000n, type: "t", module: "i2c_dev" },
    ]);
    expect(symbols.named("data.1")).toEqual([{ name: "data.1", addr: 0xffffffffc0000000n, type: "d", module: "9p" }]);
    expect([symbols.named("help"), symbols.named("helpers"), symbols.named("")]).toEqual([[], [], []]);
  });

  it.each([
    [0xffffffff81000000n, "_text"], // the first of several at one address
    [0xffffffff810001ffn, "helper"],
    [0xffffffffc0000fffn, "data.1"],
    [0xffffffffffffffffn, "helper"],
    [5n, "fixed_percpu_data"],
  ])("finds what stands at or before %i", (addr, name) => {
    expect(symbols.at(addr)?.name).toBe(name);
  });

  it("knows functions of updates by the names that they have in the source", () => {
    const symbols = parseKallsyms("ffffffffc0001000 t open.ksplice_x1\t[ksplice_x1_vmlinux]\nffffffffc0002000 t open.part.0\n");
    const open = { name: "open", addr: 0xffffffffc0001000n, type: "t", module: "ksplice_x1_vmlinux" };
    expect(symbols.named("open")).toEqual([open]);
    expect(symbols.at(0xffffffffc0001004n)).toEqual(open);
    expect(symbols.named("open.ksplice_x1")).toEqual([]);
    expect(symbols.named("open.part.0")).toHaveLength(1);
  });

  it("knows when there is nothing below an address", () => {
    expect(parseKallsyms("ffffffff81000000 T _text\n").at(0xffffffff80ffffffn)).toBeUndefined();
  });

  it("notices that the addresses are hidden", () => {
    expect(symbols.isHidden).toBe(false);
    expect(parseKallsyms(TEXT.replace(/^[0-9a-f]{16}/gm, "0".repeat(16))).isHidden).toBe(true);
  });

  it.each(Array.from({ length: 100 }, (_, seed) => seed))(
    "finds by address, among equals the first, in lines as seed %i has them",
    (seed) => {
      // In order up to a place, and then not: as the kernel lists its own and its modules'.
      const offsets = shuffled([...Array(16).keys(), ...Array(16).keys()], seed).slice(0, 1 + (seed % 31));
      const ordered = offsets.slice(0, seed % 8).sort((a, b) => a - b);
      const addrs = [...ordered, ...offsets.slice(ordered.length)].map(
        (offset) => 0xffff_ffff_8000_0000n - 8n * BigInt(seed % 3) + BigInt(offset),
      );
      const table = parseKallsyms(addrs.map((addr, index) => `${addr.toString(16)} t symbol${index}\n`).join(""));
      expect([...table.sortedAddrs()]).toEqual([...BigUint64Array.from(addrs).sort()]);
      for (let wanted = 0xffff_ffff_7fff_ffe0n; wanted < 0xffff_ffff_8000_0020n; wanted++) {
        const highest = addrs.reduce((most, addr) => (addr <= wanted && addr > most ? addr : most), 0n);
        expect(table.at(wanted)?.name, wanted.toString(16)).toBe(highest === 0n ? undefined : `symbol${addrs.indexOf(highest)}`);
      }
    },
  );

  it("takes a System.map, a last line without its end, and an empty file", () => {
    expect(parseKallsyms("ffffffff81000000 T _text").named("_text")).toHaveLength(1);
    expect(parseKallsyms("").size).toBe(0);
  });
});

it("gives all symbols of one address, in the order of the file, and none of an address between two", () => {
  const table = parseKallsyms("ffffffff81000010 b late\nffffffff81000000 b key.7\nffffffff81000010 b key.8\n");
  expect(table.startingAt(0xffffffff81000010n).map(({ name }) => name)).toEqual(["late", "key.8"]);
  expect(table.startingAt(0xffffffff81000008n)).toEqual([]);
  expect(table.startingAt(0n)).toEqual([]);
});
