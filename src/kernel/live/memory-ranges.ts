import { requireArchitecture } from "../../arch/architectures.js";
import type { SymbolTable } from "../kallsyms.js";
import type { AddrRange } from "./addr-range.js";
import { givenBackRanges } from "./given-back.js";
import type { MemorySegment } from "./kcore.js";
import type { KernelFacts } from "./kernel-facts.js";
import type { LoadedModule } from "./modules.js";

/** Around a symbol that lies in no module, the piece that holds it and the one behind it are saved. Bytes. */
const PIECE = 0x10000n;
const PAGE = 0x1000n;

/**
 * The memory that matching may ask for, in order and without overlaps: the kernel's image whole, as its tables have no symbols for long
 * stretches, without what it gave back, where anybody's data may be; the modules; and the surroundings of any other symbol up there (programs of BPF,
 * trampolines of ftrace).
 * @param segments what can be read at all
 */
export function chooseRanges(
  symbols: SymbolTable,
  facts: Pick<KernelFacts, "machine" | "modules" | "moduleSections">,
  segments: readonly MemorySegment[],
): AddrRange[] {
  const { kernelMapAddr } = requireArchitecture(facts.machine).memory;
  const modules = facts.modules.flatMap((module) => rangesOf(module, facts.moduleSections(module.name) ?? new Map(), kernelMapAddr));
  const known = joinRanges([...imageOf(symbols, segments), ...modules]);
  const wanted = joinRanges([...known, ...piecesOutside(known, symbols, kernelMapAddr)]);
  const ranges = withoutRanges(wanted, wholePages(givenBackRanges((name) => imageSymbol(symbols, name))));
  return segments.flatMap((segment) =>
    ranges.flatMap((range) => {
      const startAddr = range.startAddr > segment.startAddr ? range.startAddr : segment.startAddr;
      const endAddr = range.endAddr < segment.endAddr ? range.endAddr : segment.endAddr;
      return startAddr < endAddr ? [{ startAddr, endAddr }] : [];
    }),
  );
}

function imageSymbol(symbols: SymbolTable, name: string): bigint | undefined {
  return symbols.named(name).find(({ module }) => module === undefined)?.addr;
}

/** Of what is given back, the pages that nothing else has a part in. */
function wholePages(ranges: readonly AddrRange[]): AddrRange[] {
  return ranges
    .map(({ startAddr, endAddr }) => ({ startAddr: ((startAddr + PAGE - 1n) / PAGE) * PAGE, endAddr: endAddr - (endAddr % PAGE) }))
    .filter(({ startAddr, endAddr }) => startAddr < endAddr);
}

/** @param left in order, as the ranges are */
function withoutRanges(ranges: readonly AddrRange[], left: readonly AddrRange[]): AddrRange[] {
  return ranges.flatMap((range) => {
    const kept: AddrRange[] = [];
    let from = range.startAddr;
    for (const { startAddr, endAddr } of left) {
      if (endAddr <= from || startAddr >= range.endAddr) continue;
      if (from < startAddr) kept.push({ startAddr: from, endAddr: startAddr });
      from = endAddr;
    }
    if (from < range.endAddr) kept.push({ startAddr: from, endAddr: range.endAddr });
    return kept;
  });
}

/** /proc/kcore has the image as a segment of its own, from _text to _end (arch/x86/mm/init_64.c with fs/proc/kcore.c, Linux 6.1). */
function imageOf(symbols: SymbolTable, segments: readonly MemorySegment[]): AddrRange[] {
  const start = imageSymbol(symbols, "_text");
  if (start === undefined) return [];
  return segments.filter(({ startAddr, endAddr }) => startAddr <= start && start < endAddr);
}

/**
 * A module's memory is one area, or, since Linux 6.4, several, of which only the start of one and the size of all are told. But no section
 * reaches further from its start than that size.
 */
function rangesOf({ addr, size }: LoadedModule, sections: ReadonlyMap<string, bigint>, kernelMapAddr: bigint): AddrRange[] {
  const range = (start: bigint): AddrRange => ({
    startAddr: start - (start % PAGE),
    endAddr: ((start + BigInt(size) + PAGE - 1n) / PAGE) * PAGE,
  });
  const outside = [...sections]
    // Their memory was freed.
    .filter(([name, start]) => !name.startsWith(".init") && (start < addr || start >= addr + BigInt(size)))
    .map(([, start]) => start);
  return [addr, ...outside].filter((start) => start >= kernelMapAddr).map(range);
}

/** @param known in order */
function piecesOutside(known: readonly AddrRange[], symbols: SymbolTable, kernelMapAddr: bigint): AddrRange[] {
  const pieces: AddrRange[] = [];
  let next = 0;
  let coveredTo = kernelMapAddr;
  for (const addr of symbols.sortedAddrs()) {
    if (addr < coveredTo) continue;
    while ((known[next]?.endAddr ?? addr + 1n) <= addr) next++;
    const range = known[next];
    if (range !== undefined && range.startAddr <= addr) {
      coveredTo = range.endAddr;
      continue;
    }
    const startAddr = addr - (addr % PIECE);
    pieces.push({ startAddr, endAddr: startAddr + 2n * PIECE });
    coveredTo = startAddr + PIECE;
  }
  return pieces;
}

function joinRanges(ranges: readonly AddrRange[]): AddrRange[] {
  const joined: { startAddr: bigint; endAddr: bigint }[] = [];
  for (const { startAddr, endAddr } of [...ranges].sort((a, b) => (a.startAddr < b.startAddr ? -1 : a.startAddr > b.startAddr ? 1 : 0))) {
    const last = joined.at(-1);
    if (last === undefined || startAddr > last.endAddr) joined.push({ startAddr, endAddr });
    else if (endAddr > last.endAddr) last.endAddr = endAddr;
  }
  return joined;
}
