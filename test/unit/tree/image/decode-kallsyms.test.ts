import { describe, expect, test } from "vitest";
import { PHDR_SIZE, PT_LOAD } from "../../../../src/elf/constants.js";
import { decodeKallsyms } from "../../../../src/tree/image/decode-kallsyms.js";

interface Symbol {
  readonly addr: bigint;
  readonly type: string;
  readonly name: string;
}

const BASE = 0xffffffff81000000n;
/** The tokens are the characters themselves, but for one that stands for a syllable. */
const SYLLABLE = 0x80;
const TOKENS = Array.from({ length: 256 }, (_, code) =>
  code === SYLLABLE ? "func_" : code > 0x20 && code < 0x7f ? String.fromCharCode(code) : "",
);

const SYMBOLS: Symbol[] = [
  { addr: 0x1000n, type: "A", name: "per_cpu_thing" },
  ...Array.from({ length: 1200 }, (_, index) => ({
    addr: BASE + BigInt(16 * index),
    type: index % 2 === 0 ? "T" : "t",
    name: `func_${index}`,
  })),
  { addr: BASE + 0x100000n, type: "D", name: `${"long_".repeat(30)}name` },
];

function pack({ type, name }: Symbol): number[] {
  const bytes = [...Buffer.from(`${type}${name}`.replaceAll("func_", String.fromCharCode(SYLLABLE)), "latin1")];
  return bytes.length < 128 ? [bytes.length, ...bytes] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7, ...bytes];
}

const u32 = (values: readonly number[]): Buffer => Buffer.from(new Int32Array(values).buffer);
const u64 = (value: bigint): Buffer => Buffer.from(new BigUint64Array([value]).buffer);
const padded = (part: Buffer): Buffer => Buffer.concat([part, Buffer.alloc((8 - (part.length % 8)) % 8)]);

/** What only a symbol of each processor's data has, and kernels no longer. */
const ADDRESSED = SYMBOLS.filter(({ addr }) => addr >= BASE);

/** A vmlinux whose table counts each offset from its own place in memory, its parts aligned to four bytes. */
function imageOfItself(symbols = ADDRESSED): Buffer {
  const names = symbols.map(pack);
  const aligned = (part: Buffer): Buffer => Buffer.concat([part, Buffer.alloc((4 - (part.length % 4)) % 4)]);
  const tokenOffsets = TOKENS.map((_, index) => TOKENS.slice(0, index).reduce((sum, token) => sum + token.length + 1, 0));
  const before = Buffer.concat([
    // Aligned to four bytes and not to eight.
    Buffer.alloc(4096 + 4, 0xcc),
    u32([symbols.length]),
    aligned(Buffer.from(names.flat())),
    aligned(u32(names.flatMap((_, index) => (index % 256 === 0 ? [names.slice(0, index).flat().length] : [])))),
    aligned(Buffer.from(TOKENS.map((token) => `${token}\0`).join(""), "latin1")),
    Buffer.from(new Uint16Array(tokenOffsets).buffer),
  ]);
  const headers = Buffer.alloc(64 + PHDR_SIZE);
  const place = (index: number): bigint => BASE + 0x200000n + BigInt(headers.length + before.length + 4 * index);
  const offsets = u32(symbols.map(({ addr }, index) => Number(addr - place(index))));
  const image = Buffer.concat([headers, before, offsets, Buffer.alloc(4096, 1)]);
  image.write("\x7fELF", "latin1");
  image.writeBigUInt64LE(64n, 32);
  image.writeUInt16LE(1, 56);
  image.writeUInt32LE(PT_LOAD, 64);
  image.writeBigUInt64LE(0n, 64 + 8);
  image.writeBigUInt64LE(BASE + 0x200000n, 64 + 16);
  image.writeBigUInt64LE(BigInt(image.length), 64 + 32);
  return image;
}

/** An image with the table between other bytes, in one of the two orders. */
function imageWith(order: "6.1" | "6.12"): Buffer {
  const names = SYMBOLS.map(pack);
  const markers = names.flatMap((_, index) => (index % 256 === 0 ? [names.slice(0, index).flat().length] : []));
  const tokenOffsets = TOKENS.map((_, index) => TOKENS.slice(0, index).reduce((sum, token) => sum + token.length + 1, 0));
  const table = [
    u32([SYMBOLS.length, 0]),
    padded(Buffer.from(names.flat())),
    padded(u32(markers)),
    padded(Buffer.from(TOKENS.map((token) => `${token}\0`).join(""), "latin1")),
    Buffer.from(new Uint16Array(tokenOffsets).buffer),
  ];
  const offsets = padded(u32(SYMBOLS.map(({ addr }) => (addr < BASE ? Number(addr) : Number(BASE - 1n - addr)))));
  const addresses = [offsets, u64(BASE)];
  const noise = Buffer.concat([
    Buffer.alloc(4096, 0xcc),
    Buffer.from("0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00\x00\x00\x00\x00"),
  ]);
  return Buffer.concat([noise, ...(order === "6.1" ? [...addresses, ...table] : [...table, ...addresses]), noise]);
}

describe("the symbol table of a kernel image", () => {
  test.each(["6.1", "6.12"] as const)("is decoded in the order of Linux %s", (order) => {
    const expected = SYMBOLS.map(({ addr, type, name }) => `${addr.toString(16).padStart(16, "0")} ${type} ${name}\n`);
    expect(decodeKallsyms(imageWith(order))).toEqual(expected);
  });

  test("is decoded where each offset counts from its own place, as in Linux 7.3", () => {
    expect(decodeKallsyms(imageOfItself())).toEqual(
      ADDRESSED.map(({ addr, type, name }) => `${addr.toString(16).padStart(16, "0")} ${type} ${name}\n`),
    );
  });

  test("is not believed where such addresses do not rise, or the image does not say where it lies", () => {
    expect(decodeKallsyms(imageOfItself([...ADDRESSED].reverse()))).toBeUndefined();
    expect(decodeKallsyms(imageOfItself().fill(0, 0, 4))).toBeUndefined();
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["no table", Buffer.alloc(10_000, 0x90)],
    ["a table that ends too early", imageWith("6.12").subarray(0, 12_000)],
    ["a table without its addresses", imageWith("6.1").subarray(4096 + 4000)],
  ])("is not found in %s", (_, image) => {
    expect(decodeKallsyms(image)).toBeUndefined();
  });
});
