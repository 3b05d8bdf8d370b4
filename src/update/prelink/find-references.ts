import { givenBackRanges } from "../../kernel/live/given-back.js";
import type { LiveKernel } from "../../kernel/live/live-kernel.js";
import type { Architecture, InstructionSet } from "../../arch/arch.js";
import { requireArchitecture } from "../../arch/architectures.js";
import { isDescription, isModuleData } from "./module-tables.js";

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
 * given back after boot is left out, and what only describes a module's functions. Objects that were allocated while the kernel ran are not searched.
 * @param targets start addresses; all in the kernel's image or its modules
 */
export function findReferences(targets: readonly bigint[], kernel: LiveKernel): RunReference[] {
  if (targets.length === 0) return [];
  const arch = requireArchitecture(kernel.machine);
  const wanted = new Map(targets.map((addr) => [Number(BigInt.asIntN(32, addr)), addr]));
  const highHalf = Number(BigInt.asIntN(32, arch.memory.kernelMapAddr >> 32n));
  const found: RunReference[] = [];
  for (const { range, isCode } of rangesOf(kernel))
    for (const { bytes, addr } of chunksOf(range, kernel)) {
      if (isCode) found.push(...searchCode(bytes, addr, wanted, kernel, arch));
      for (const reference of searchPointers(bytes, addr, wanted, highHalf))
        if (!isDescription(reference.addr, kernel)) found.push(reference);
    }
  return [...new Map(found.map((reference) => [reference.addr, reference])).values()];
}

function searchCode(
  bytes: Uint8Array,
  addr: bigint,
  wanted: ReadonlyMap<number, bigint>,
  kernel: LiveKernel,
  { code }: Architecture,
): RunReference[] {
  return code.findReferences(bytes, addr, wanted).flatMap(({ offset, targetAddr, isRelative }): RunReference[] => {
    const at = addr + BigInt(offset);
    return (isRelative ? isField(at, kernel, code) : isImmediate(at, kernel, code)) ? [{ targetAddr, addr: at, kind: "code" }] : [];
  });
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

function isImmediate(addr: bigint, kernel: LiveKernel, instructions: InstructionSet): boolean {
  const code = bytesUpTo(addr, kernel);
  return code === undefined || instructions.holdsImmediate(code.bytes, code.offset);
}

/**
 * False for four bytes that only look like a displacement: those of a module's data, which is searched with its code, and those that decoding from the start of
 * the function finds inside an instruction, or across two.
 */
function isField(addr: bigint, kernel: LiveKernel, instructions: InstructionSet): boolean {
  if (kernel.symbolAt(addr) === undefined || isModuleData(addr, kernel)) return false;
  const code = bytesUpTo(addr, kernel);
  return code === undefined || instructions.mayBeConstant(code.bytes, code.offset);
}

const POINTER_SIZE = 8;

/** @param highHalf the upper 32 bits that all addresses of the kernel and its modules have */
function* searchPointers(bytes: Uint8Array, addr: bigint, wanted: ReadonlyMap<number, bigint>, highHalf: number): Generator<RunReference> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = Number(-addr & 7n);
  for (let at = first; at + POINTER_SIZE <= bytes.length; at += POINTER_SIZE) {
    if (view.getInt32(at + 4, true) !== highHalf) continue;
    const target = wanted.get(view.getInt32(at, true));
    if (target !== undefined) yield { targetAddr: target, addr: addr + BigInt(at), kind: "pointer" };
  }
}

/** The kernel's image without what it gave back, and its modules. */
function rangesOf(kernel: LiveKernel): { range: Range; isCode: boolean }[] {
  const symbol = (name: string): bigint | undefined => kernel.symbolsNamed(name).find(({ module }) => module === undefined)?.addr;
  const [start, textEnd, end] = ["_text", "_etext", "_end"].map(symbol);
  const ranges: { range: Range; isCode: boolean }[] = [];
  const add = (startAddr: bigint, endAddr: bigint, isCode: boolean): void => {
    if (startAddr < endAddr) ranges.push({ range: { startAddr, endAddr }, isCode });
  };
  if (start !== undefined && textEnd !== undefined) {
    add(start, textEnd, true);
    let from = textEnd;
    for (const gap of givenBackRanges(symbol)) {
      add(from, gap.startAddr, false);
      if (gap.endAddr > from) from = gap.endAddr;
    }
    add(from, end ?? from, false);
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
