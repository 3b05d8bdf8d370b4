import { describe, expect, it } from "vitest";
import { readJumpTable } from "../../../src/match/jump-label-keys.js";
import type { RunKernel } from "../../../src/run-kernel.js";

const START = 0xffff_ffff_8200_0000n;
const CODE = [0xffff_ffff_8100_0010n, 0xffff_ffff_8100_0f00n] as const;
const KEYS = [0xffff_ffff_8300_0040n, 0xffff_ffff_8200_0800n] as const;

/** struct jump_entry, each member relative to itself, with both flags of the key set. */
function entry(at: bigint, code: bigint, key: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setInt32(0, Number(code - at), true);
  view.setInt32(4, Number(code + 0x20n - at - 4n), true);
  view.setBigInt64(8, key + 3n - at - 8n, true);
  return new Uint8Array(view.buffer);
}

const TABLE = Buffer.concat(CODE.map((code, index) => entry(START + BigInt(16 * index), code, KEYS[index] ?? 0n)));

type Asked = Pick<RunKernel, "read" | "symbolsNamed" | "moduleSections">;

/** @param memory from START on */
function kernelWith(memory: Uint8Array, known: Partial<Asked>): RunKernel {
  const asked: Asked = {
    read: (addr, size) => {
      const from = Number(addr - START);
      if (from > TABLE.length) throw new Error("read on behind the entry that ends the table");
      return from < 0 || from + size > memory.length ? undefined : memory.subarray(from, from + size);
    },
    symbolsNamed: () => [],
    moduleSections: () => undefined,
    ...known,
  };
  return asked as RunKernel;
}

const symbols: Asked["symbolsNamed"] = (name) => {
  const addr = { __start___jump_table: START, __stop___jump_table: START + 32n }[name];
  return addr === undefined ? [] : [{ name, addr, type: "D", module: undefined }];
};
const sections: Asked["moduleSections"] = (name) => (name === "mod" ? new Map([["__jump_table", START]]) : undefined);
/** Behind a module's table, whose end nobody tells. */
const padded = (byte: number): Uint8Array => Buffer.concat([TABLE, new Uint8Array(64).fill(byte)]);

describe("the running jump table has the keys", () => {
  it.each<[what: string, target: string, run: RunKernel]>([
    ["of the kernel, between its two symbols", "vmlinux", kernelWith(padded(0x11), { symbolsNamed: symbols })],
    ["of a module, up to zeros", "mod", kernelWith(padded(0), { moduleSections: sections })],
    ["of a module, up to what leads too far away", "mod", kernelWith(padded(0x7f), { moduleSections: sections })],
    ["of a module, up to the end of its memory", "mod", kernelWith(TABLE, { moduleSections: sections })],
  ])("%s, without their flags", (_, target, run) => {
    const keyOf = readJumpTable(run, target);
    expect(CODE.map(keyOf)).toEqual(KEYS);
    expect(keyOf(CODE[0] + 1n)).toBeUndefined();
    expect(keyOf(0x1111_1111n + START + 32n)).toBeUndefined();
  });

  it.each<[what: string, target: string, run: RunKernel]>([
    ["a kernel without one", "vmlinux", kernelWith(TABLE, {})],
    ["one that cannot be read", "vmlinux", kernelWith(new Uint8Array(0), { symbolsNamed: symbols })],
    ["a module without one", "mod", kernelWith(TABLE, {})],
  ])("%s: none", (_, target, run) => {
    expect(CODE.map(readJumpTable(run, target))).toEqual([undefined, undefined]);
  });
});
