import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BlockCache } from "../../../../src/kernel/live/block-cache.js";
import { Kcore } from "../../../../src/kernel/live/kcore.js";
import { makeCore } from "../../../support/fake-proc.js";

describe("memory of many segments", () => {
  let dir: string;
  let kcore: Kcore;
  const START = 0xffffffffc0000000n;
  const STEP = 0x10000n;
  /** Segment N lies at START + N * STEP and is full of N. */
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "ksplice-kcore-"));
    const pieces = Array.from({ length: 200 }, (_, index) => ({
      addr: START + BigInt(index) * STEP,
      bytes: new Uint8Array(0x4001 + index).fill(index),
    }));
    writeFileSync(join(dir, "core"), makeCore([...pieces].reverse()));
    kcore = new Kcore(join(dir, "core"));
  });
  afterAll(() => {
    kcore.close();
    rmSync(dir, { recursive: true });
  });

  it.each<[string, bigint, number, number[] | undefined]>([
    ["the first byte", START, 1, [0]],
    ["before the first", START - 1n, 1, undefined],
    ["in the middle", START + 100n * STEP, 2, [100, 100]],
    ["across a block", START + 100n * STEP + 0x3fffn, 2, [100, 100]],
    ["the last bytes of a segment", START + 100n * STEP + 0x4063n, 2, [100, 100]],
    ["over the end of a segment", START + 100n * STEP + 0x4064n, 2, undefined],
    ["between segments", START + 100n * STEP + 0x8000n, 1, undefined],
    ["in the last", START + 199n * STEP, 1, [199]],
    ["above all", START + 300n * STEP, 1, undefined],
  ])("is read %s", (_, addr, size, expected) => {
    expect(kcore.read(addr, size)).toEqual(expected === undefined ? undefined : Uint8Array.from(expected));
    const bytes = new Uint8Array(size);
    expect(kcore.readInto(bytes, addr)).toBe(expected !== undefined);
    if (expected !== undefined) expect([...bytes]).toEqual(expected);
  });
});

describe("the cache of blocks", () => {
  it("keeps what is used, and never more than its limit", () => {
    const cache = new BlockCache(100);
    cache.set(0, new Uint8Array(10));
    for (let number = 1; number < 50; number++) {
      cache.set(number, new Uint8Array(10));
      expect(cache.get(0)?.length).toBe(10);
    }
    const kept = Array.from({ length: 50 }, (_, number) => cache.get(number)).filter((block) => block !== undefined);
    expect(kept.length).toBeLessThanOrEqual(10);
    expect(kept.length).toBeGreaterThan(1);
  });
});
