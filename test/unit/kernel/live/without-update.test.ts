import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryWithout } from "../../../../src/kernel/live/without-update.js";

const START = 0xffffffff81000000n;

/** Memory in which each byte is its own place. */
const read = (addr: bigint, size: number): Uint8Array | undefined =>
  addr < START || addr + BigInt(size) > START + 256n
    ? undefined
    : Uint8Array.from({ length: size }, (_, index) => Number(addr - START) + index);

describe("the memory of a kernel without an update", () => {
  it("has the bytes that the update keeps, given or where its module has them", () => {
    const without = memoryWithout(
      [
        { addr: START + 10n, size: 2, bytes: Uint8Array.of(0xaa, 0xbb) },
        { addr: START + 20n, size: 3, bytes: START + 100n },
      ],
      read,
    );
    expect([...(without(START + 8n, 6) ?? [])]).toEqual([8, 9, 0xaa, 0xbb, 12, 13]);
    expect([...(without(START + 19n, 5) ?? [])]).toEqual([19, 100, 101, 102, 23]);
    expect(without(START - 1n, 2)).toBeUndefined();
  });

  it("reads alike in one piece and in many", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 1, max: 56 }), fc.nat(200), fc.integer({ min: 1, max: 56 }), (at, length, from, size) => {
        const without = memoryWithout([{ addr: START + BigInt(at), size: length, bytes: new Uint8Array(length).fill(0xee) }], read);
        const whole = without(START + BigInt(from), size) ?? new Uint8Array(0);
        const bytes = Array.from({ length: size }, (_, index) => without(START + BigInt(from + index), 1)?.[0]);
        const expected = Array.from({ length: size }, (_, index) =>
          from + index >= at && from + index < at + length ? 0xee : from + index,
        );
        expect([[...whole], bytes]).toEqual([expected, expected]);
      }),
    );
  });
});
