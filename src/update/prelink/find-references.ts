import type { LiveKernel } from "../../kernel/live/live-kernel.js";
import { holdsImmediate } from "../../arch/x86/decode.js";

/** A place in the running kernel that refers to the start of a function. */
export interface RunReference {
  readonly targetAddr: bigint;
  /** Where the field is. */
  readonly addr: bigint;
  readonly kind: "code" | "pointer";
}

interface Range {
  readonly startAddr: bigint;
  readonly endAddr: bigint;
}

/** What is read at once. Bytes. */
const CHUNK = 1 << 20;
const PAGE = 0x1000n;
/** A field, and the instruction around it, may cross the border of two chunks. Bytes. */
const OVERLAP = 16;

/**
 * Finds what refers to functions in the memory of the kernel's image and of its modules: branches and addresses in code, and stored pointers. Memory that was
 * given back after boot is left out. Objects that were allocated while the kernel ran are not searched.
 * @param targets start addresses; all in the upper 2 GB, where the kernel and its modules are (Documentation/x86/x86_64/mm.rst, Linux 6.1)
 */
export function findReferences(targets: readonly bigint[], kernel: LiveKernel): RunReference[] {
  if (targets.length === 0) return [];
  const wanted = new Map(targets.map((addr) => [Number(BigInt.asIntN(32, addr)), addr]));
  const found: RunReference[] = [];
  for (const { range, isCode } of rangesOf(kernel))
    for (const { bytes, addr } of chunksOf(range, kernel)) {
      if (isCode) found.push(...searchCode(bytes, addr, wanted, kernel));
      found.push(...searchPointers(bytes, addr, wanted));
    }
  return [...new Map(found.map((reference) => [reference.addr, reference])).values()];
}

/** First bytes of an instruction, or of what stands before its field, that can refer to a function: branches, lea, mov, push, cmp, add. */
const BEFORE_FIELD = new Uint8Array(256);
for (const opcode of [0xe8, 0xe9, 0x68, 0x3d, 0x05, 0x2d]) BEFORE_FIELD[opcode] = 1;
for (let opcode = 0x80; opcode <= 0x8f; opcode++) BEFORE_FIELD[opcode] = 1; // jcc behind 0f
for (let opcode = 0xb8; opcode <= 0xbf; opcode++) BEFORE_FIELD[opcode] = 1; // mov to a register
for (let modrm = 0xc0; modrm <= 0xff; modrm++) BEFORE_FIELD[modrm] = 1; // a register and an immediate
for (let reg = 0; reg < 8; reg++) BEFORE_FIELD[(reg << 3) | 5] = 1; // relative to rip
/** `mov` and `cmp` of an immediate and memory: the address stands between the opcode and the field. */
const WITH_MEMORY: ReadonlySet<number | undefined> = new Set([0xc7, 0x81]);

function searchCode(bytes: Uint8Array, addr: bigint, wanted: ReadonlyMap<number, bigint>, kernel: LiveKernel): RunReference[] {
  const found: RunReference[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const low = Number(BigInt.asIntN(32, addr));
  for (let at = 1; at + 4 <= bytes.length; at++) {
    if (BEFORE_FIELD[bytes[at - 1] ?? 0] === 0 && !isBehindMemory(bytes, at)) continue;
    const value = view.getInt32(at, true);
    const relative = wanted.get((low + at + 4 + value) | 0);
    const absolute = wanted.get(value);
    if (relative !== undefined && isField(addr + BigInt(at), kernel))
      found.push({ targetAddr: relative, addr: addr + BigInt(at), kind: "code" });
    else if (absolute !== undefined && isImmediate(addr + BigInt(at), kernel))
      found.push({ targetAddr: absolute, addr: addr + BigInt(at), kind: "code" });
  }
  return found;
}

/** True where an opcode with a memory operand, of up to six bytes, may stand before the field. */
function isBehindMemory(bytes: Uint8Array, at: number): boolean {
  for (let back = 2; back <= 7; back++) if (WITH_MEMORY.has(bytes[at - back])) return true;
  return false;
}

/** Bytes of a function that are decoded to tell whether a field is one; longer functions count as if it was. */
const MOST_DECODED = 0x10000;

function bytesUpTo(addr: bigint, kernel: LiveKernel): { bytes: Uint8Array; offset: number } | undefined {
  const symbol = kernel.symbolAt(addr);
  const offset = symbol === undefined ? MOST_DECODED : Number(addr - symbol.addr);
  if (symbol === undefined || offset >= MOST_DECODED) return undefined;
  const bytes = kernel.read(symbol.addr, offset + OVERLAP) ?? kernel.read(symbol.addr, offset + 4);
  return bytes === undefined ? undefined : { bytes, offset };
}

function isImmediate(addr: bigint, kernel: LiveKernel): boolean {
  const code = bytesUpTo(addr, kernel);
  return code === undefined || holdsImmediate(code.bytes, code.offset);
}

/** A displacement by chance is as rare as one in two million bytes for a function; where it is none, somebody is blamed wrongly, which only refuses. */
function isField(addr: bigint, kernel: LiveKernel): boolean {
  return kernel.symbolAt(addr) !== undefined;
}

const POINTER_SIZE = 8;

function* searchPointers(bytes: Uint8Array, addr: bigint, wanted: ReadonlyMap<number, bigint>): Generator<RunReference> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = Number(-addr & 7n);
  for (let at = first; at + POINTER_SIZE <= bytes.length; at += POINTER_SIZE) {
    if (view.getInt32(at + 4, true) !== -1) continue;
    const target = wanted.get(view.getInt32(at, true));
    if (target !== undefined) yield { targetAddr: target, addr: addr + BigInt(at), kind: "pointer" };
  }
}

/** The kernel's image without what it gave back, and its modules. */
function rangesOf(kernel: LiveKernel): { range: Range; isCode: boolean }[] {
  const symbol = (name: string): bigint | undefined => kernel.symbolsNamed(name).find(({ module }) => module === undefined)?.addr;
  const [start, textEnd, initStart, initEnd, end] = ["_text", "_etext", "__init_begin", "__init_end", "_end"].map(symbol);
  const ranges: { range: Range; isCode: boolean }[] = [];
  const add = (startAddr: bigint, endAddr: bigint, isCode: boolean): void => {
    if (startAddr < endAddr) ranges.push({ range: { startAddr, endAddr }, isCode });
  };
  if (start !== undefined && textEnd !== undefined) {
    add(start, textEnd, true);
    add(textEnd, initStart ?? end ?? textEnd, false);
    if (initEnd !== undefined && end !== undefined) add(initEnd, end, false);
  }
  for (const module of kernel.modules) {
    const sections = [...(kernel.moduleSections(module.name) ?? [])].filter(([name]) => !name.startsWith(".init")).map(([, addr]) => addr);
    // One area, or several since Linux 6.4: no section reaches further from its start than the size of all.
    for (const from of new Set([module.addr, ...sections.map((addr) => addr - (addr % PAGE))])) add(from, from + BigInt(module.size), true);
  }
  return ranges;
}

/** What can be read of a range, in pieces that overlap a little. */
function* chunksOf({ startAddr, endAddr }: Range, kernel: LiveKernel): Generator<{ bytes: Uint8Array; addr: bigint }> {
  for (let addr = startAddr; addr < endAddr; addr += BigInt(CHUNK)) {
    const size = Math.min(CHUNK + OVERLAP, Number(endAddr - addr));
    const whole = kernel.read(addr, size);
    if (whole !== undefined) {
      yield { bytes: whole, addr };
      continue;
    }
    for (let page = addr; page < addr + BigInt(size); page += PAGE) {
      const left = Number(addr + BigInt(size) - page);
      const bytes = kernel.read(page, Math.min(Number(PAGE) + OVERLAP, left)) ?? kernel.read(page, Math.min(Number(PAGE), left));
      if (bytes !== undefined) yield { bytes, addr: page };
    }
  }
}
