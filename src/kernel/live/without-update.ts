import type { DisplacedBytes } from "../../engine/core/ksplice-sysfs.js";
import type { KernelFacts } from "./kernel-facts.js";

/** Reads memory: `size` bytes at `addr`, undefined where there are none. */
type Read = (addr: bigint, size: number) => Uint8Array | undefined;

/** What is known of a kernel as it is when an applied update is undone and stays in memory: none of its functions leads to the update. */
export function factsWithout(facts: KernelFacts, id: string): KernelFacts {
  return { ...facts, updates: facts.updates.map((update) => (update.id === id ? { ...update, stage: "resident" } : update)) };
}

/** Its memory: where the update has put bytes of its own there are those that it keeps for the undo. */
export function memoryWithout(displaced: readonly DisplacedBytes[], read: Read): Read {
  const patches = displaced.flatMap(({ addr, size, bytes }) => {
    const kept = typeof bytes === "bigint" ? read(bytes, size) : bytes;
    return kept === undefined ? [] : [{ addr, bytes: kept }];
  });
  return (addr, size) => {
    const bytes = read(addr, size);
    if (bytes !== undefined) for (const patch of patches) overlay(bytes, addr, patch);
    return bytes;
  };
}

/** Puts into `bytes`, which are those at `start`, what a patch has of them. */
function overlay(bytes: Uint8Array, start: bigint, patch: { readonly addr: bigint; readonly bytes: Uint8Array }): void {
  const at = Number(patch.addr - start);
  if (at >= bytes.length || at + patch.bytes.length <= 0) return;
  const from = Math.max(0, -at);
  const to = Math.max(0, at);
  const count = Math.min(patch.bytes.length - from, bytes.length - to);
  bytes.set(patch.bytes.subarray(from, from + count), to);
}
