import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { EHDR_SIZE, ELFCLASS64, ELFDATA2LSB, EM_X86_64, ET_CORE, EV_CURRENT, PHDR_SIZE, PT_LOAD } from "../elf/constants.js";
import { Kcore } from "./kcore.js";

/** Lowest address of the kernel image's mapping; modules lie above it too (Documentation/x86/x86_64/mm.rst, Linux 6.1). */
const KERNEL_MAP_ADDR = 0xffffffff80000000n;

/** Memory of modules is saved in pieces of this size, each that holds a symbol or comes right after one that does. Bytes. */
const PIECE = 0x10000n;

interface Range {
  readonly startAddr: bigint;
  readonly bytes: Uint8Array;
}

/**
 * Saves what matching reads of the running kernel as a directory that `openLiveKernel({ root })` opens: symbols, the memory around them, modules,
 * build id. About 80 MB. Needs root.
 */
export function saveKernel(directory: string): void {
  for (const file of ["proc/kallsyms", "proc/modules", "proc/sys/kernel/osrelease", "proc/sys/kernel/arch", "sys/kernel/notes"])
    saveFile(directory, file);
  for (const module of readdirSync("/sys/module")) {
    for (const section of listOptional(`/sys/module/${module}/sections`)) saveFile(directory, `sys/module/${module}/sections/${section}`);
  }
  const symbols = readFileSync("/proc/kallsyms", "latin1");
  const kcore = new Kcore("/proc/kcore");
  try {
    writeCore(join(directory, "proc/kcore"), readRanges(kcore, symbols));
  } finally {
    kcore.close();
  }
}

function saveFile(directory: string, path: string): void {
  let content: Uint8Array;
  try {
    content = readFileSync(join("/", path));
  } catch {
    return; // not every kernel has every file
  }
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), content);
}

function listOptional(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function readRanges(kcore: Kcore, symbols: string): Range[] {
  const pieces = new Set<bigint>();
  let lowest = -1n;
  let highest = 0n;
  for (const [, text, module] of symbols.matchAll(/^([0-9a-f]{16}) \S+ \S+(\t\[.*)?$/gm)) {
    const addr = BigInt(`0x${text ?? "0"}`);
    if (addr < KERNEL_MAP_ADDR) continue;
    const piece = addr - (addr % PIECE);
    pieces.add(piece).add(piece + PIECE);
    if (module !== undefined) continue;
    if (lowest < 0n || piece < lowest) lowest = piece;
    if (piece > highest) highest = piece;
  }
  // The kernel's image whole: its tables are large, and without a symbol for long stretches.
  for (let piece = lowest; piece >= 0n && piece <= highest; piece += PIECE) pieces.add(piece);
  return [...pieces]
    .sort((a, b) => (a < b ? -1 : 1))
    .flatMap((startAddr) => {
      const bytes = kcore.read(startAddr, Number(PIECE));
      return bytes === undefined ? [] : [{ startAddr, bytes }];
    });
}

/** An ELF core file with one PT_LOAD for each run of adjoining ranges. Source of the layout: System V ABI, "Program Header". */
function writeCore(path: string, ranges: readonly Range[]): void {
  const runs = joinRuns(ranges);
  const headers = new DataView(new ArrayBuffer(EHDR_SIZE + runs.length * PHDR_SIZE));
  new Uint8Array(headers.buffer).set([0x7f, 0x45, 0x4c, 0x46, ELFCLASS64, ELFDATA2LSB, EV_CURRENT]);
  headers.setUint16(16, ET_CORE, true);
  headers.setUint16(18, EM_X86_64, true);
  headers.setUint32(20, EV_CURRENT, true);
  headers.setBigUint64(32, BigInt(EHDR_SIZE), true);
  headers.setUint16(52, EHDR_SIZE, true);
  headers.setUint16(54, PHDR_SIZE, true);
  headers.setUint16(56, runs.length, true);
  let offset = headers.byteLength;
  runs.forEach((run, index) => {
    const at = EHDR_SIZE + index * PHDR_SIZE;
    const size = run.reduce((sum, range) => sum + range.bytes.length, 0);
    headers.setUint32(at, PT_LOAD, true);
    headers.setBigUint64(at + 8, BigInt(offset), true);
    headers.setBigUint64(at + 16, run[0]?.startAddr ?? 0n, true);
    headers.setBigUint64(at + 32, BigInt(size), true);
    headers.setBigUint64(at + 40, BigInt(size), true);
    offset += size;
  });
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, "w");
  try {
    writeSync(fd, new Uint8Array(headers.buffer));
    for (const run of runs) for (const range of run) writeSync(fd, range.bytes);
  } finally {
    closeSync(fd);
  }
}

function joinRuns(ranges: readonly Range[]): Range[][] {
  const runs: Range[][] = [];
  let endAddr: bigint | undefined;
  for (const range of ranges) {
    if (range.startAddr === endAddr) runs.at(-1)?.push(range);
    else runs.push([range]);
    endAddr = range.startAddr + BigInt(range.bytes.length);
  }
  return runs;
}
