import type { SymbolTable } from "./kallsyms.js";
import type { MemorySegment } from "./kcore.js";

export interface AddrRange {
  readonly startAddr: bigint;
  readonly endAddr: bigint;
}

/** Lowest address of the kernel image's mapping; modules lie above it too (Documentation/x86/x86_64/mm.rst, Linux 6.1). */
const KERNEL_MAP_ADDR = 0xffffffff80000000n;

/** Of memory that nothing tells the bounds of, the pieces that hold a symbol and those right after them are saved. Bytes. */
const PIECE = 0x10000n;

/**
 * The memory that matching may ask for, in order and without overlaps: the kernel's image whole, as its tables have no symbols for long
 * stretches; what is allocated where modules are; and the surroundings of any other symbol up there.
 * @param vmallocInfo text of /proc/vmallocinfo: lines `0xSTART-0xEND SIZE CALLER …` (mm/vmalloc.c, s_show, Linux 6.1). May be empty
 * @param segments what can be read at all
 */
export function chooseRanges(symbols: SymbolTable, vmallocInfo: string, segments: readonly MemorySegment[]): AddrRange[] {
  const known = joinRanges([...imageOf(symbols, segments), ...parseAreas(vmallocInfo)]);
  const ranges = joinRanges([...known, ...piecesOutside(known, symbols)]);
  return segments.flatMap((segment) =>
    ranges.flatMap((range) => {
      const startAddr = range.startAddr > segment.startAddr ? range.startAddr : segment.startAddr;
      const endAddr = range.endAddr < segment.endAddr ? range.endAddr : segment.endAddr;
      return startAddr < endAddr ? [{ startAddr, endAddr }] : [];
    }),
  );
}

/** /proc/kcore has the image as a segment of its own, from _text to _end (arch/x86/mm/init_64.c with fs/proc/kcore.c, Linux 6.1). */
function imageOf(symbols: SymbolTable, segments: readonly MemorySegment[]): AddrRange[] {
  const start = symbols.named("_text").find(({ module }) => module === undefined)?.addr;
  if (start === undefined) return [];
  return segments.filter(({ startAddr, endAddr }) => startAddr <= start && start < endAddr);
}

function parseAreas(vmallocInfo: string): AddrRange[] {
  return [...vmallocInfo.matchAll(/^0x([0-9a-f]{16})-0x([0-9a-f]{16})\s/gm)]
    .map(([, start = "0", end = "0"]) => ({ startAddr: BigInt(`0x${start}`), endAddr: BigInt(`0x${end}`) }))
    .filter(({ startAddr }) => startAddr >= KERNEL_MAP_ADDR);
}

/** @param known in order */
function piecesOutside(known: readonly AddrRange[], symbols: SymbolTable): AddrRange[] {
  const pieces: AddrRange[] = [];
  let next = 0;
  let coveredTo = KERNEL_MAP_ADDR;
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
