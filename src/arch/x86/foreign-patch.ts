import type { ForeignPatch, LiveCode } from "../arch.js";
import { BRANCH_SIZE, INT3, JMP } from "./opcodes.js";

/** Kprobes set int3, and a jump once they are optimised; other tools that patch a running kernel set a jump too. */
export function findForeignPatch({ bytes, addr }: LiveCode, at: number, pre: number | undefined): ForeignPatch | undefined {
  const byte = bytes[at];
  if (byte === pre) return undefined;
  if (byte === INT3) return { kind: "breakpoint" };
  if (byte !== JMP || at + BRANCH_SIZE > bytes.length) return undefined;
  const displacement = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(at + 1, true);
  return { kind: "jump", targetAddr: BigInt.asUintN(64, addr + BigInt(at + BRANCH_SIZE + displacement)) };
}
