import type { FoundField } from "../arch.js";

/** First bytes of an instruction, or of what stands before its field, that can refer to a function: branches, lea, mov, push, cmp, add. */
const BEFORE_FIELD = new Uint8Array(256);
for (const opcode of [0xe8, 0xe9, 0x68, 0x3d, 0x05, 0x2d]) BEFORE_FIELD[opcode] = 1;
for (let opcode = 0x80; opcode <= 0x8f; opcode++) BEFORE_FIELD[opcode] = 1; // jcc behind 0f
for (let opcode = 0xb8; opcode <= 0xbf; opcode++) BEFORE_FIELD[opcode] = 1; // mov to a register
for (let modrm = 0xc0; modrm <= 0xff; modrm++) BEFORE_FIELD[modrm] = 1; // a register and an immediate
for (let reg = 0; reg < 8; reg++) BEFORE_FIELD[(reg << 3) | 5] = 1; // relative to rip
/** `mov` and `cmp` of an immediate and memory: the address stands between the opcode and the field. */
const WITH_MEMORY: ReadonlySet<number | undefined> = new Set([0xc7, 0x81]);

/**
 * Fields of 4 bytes that an instruction may hold, and that lead to one of the wanted addresses. `addr` is that of the first byte. Rather one too many than one too few.
 */
export function findReferences(bytes: Uint8Array, addr: bigint, wanted: ReadonlyMap<number, bigint>): FoundField[] {
  const found: FoundField[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const low = Number(BigInt.asIntN(32, addr));
  for (let at = 1; at + 4 <= bytes.length; at++) {
    if (BEFORE_FIELD[bytes[at - 1] ?? 0] === 0 && !isBehindMemory(bytes, at)) continue;
    const value = view.getInt32(at, true);
    const relative = wanted.get((low + at + 4 + value) | 0);
    const absolute = wanted.get(value);
    if (relative !== undefined && !lacksEscape(bytes, at)) found.push({ offset: at, targetAddr: relative, isRelative: true });
    if (absolute !== undefined) found.push({ offset: at, targetAddr: absolute, isRelative: false });
  }
  return found;
}

/** True where an opcode with a memory operand, of up to six bytes, may stand before the field. */
function isBehindMemory(bytes: Uint8Array, at: number): boolean {
  for (let back = 2; back <= 7; back++) if (WITH_MEMORY.has(bytes[at - back])) return true;
  return false;
}

/**
 * True where the byte before the field could only be a conditional branch's, and the 0f that such a branch begins with is missing. The last zeros of a nop of
 * seven bytes (0f 1f 80 and a displacement) would lead to the function behind it, for they say how far.
 */
function lacksEscape(bytes: Uint8Array, at: number): boolean {
  const before = bytes[at - 1] ?? 0;
  return before >= 0x80 && before <= 0x8f && at >= 2 && bytes[at - 2] !== 0x0f;
}
