import { KERNEL_ARCHITECTURE } from "../../arch/architectures.js";
import { PHDR_SIZE, PT_LOAD } from "../../elf/constants.js";

/** Symbols that one marker covers. */
const GROUP = 256;
/** To how many bytes the table's parts are aligned: 8 (6.1, 6.12), 4 (7.3). */
const ALIGNMENTS = [8, 4] as const;
/** Fewer symbols has no kernel; it keeps chance finds away. */
const FEWEST_SYMBOLS = 1000;

/**
 * Reads the symbol table that a vmlinux carries for `/proc/kallsyms`, as lines of a System.map (`address type name`).
 * The image has no symbols of its own to find the table by, so its parts are found by their shapes: the token table holds the ten digits as
 * tokens of their own, the markers before it rise from 0, the names before those come out at the markers.
 * Source of the format: scripts/kallsyms.c and kernel/kallsyms.c, Linux 6.1, 6.12 and 7.3.
 * @returns undefined where no such table is recognised
 */
export function decodeKallsyms(vmlinux: Uint8Array): string[] | undefined {
  const image = Buffer.from(vmlinux.buffer, vmlinux.byteOffset, vmlinux.byteLength);
  const digits = Buffer.from(Array.from("0123456789", (digit) => `${digit}\0`).join(""), "latin1");
  for (let at = image.indexOf(digits); at >= 0; at = image.indexOf(digits, at + 1)) {
    for (const align of ALIGNMENTS) {
      const symbols = decodeTable(image, at, align);
      if (symbols !== undefined) return symbols;
    }
  }
  return undefined;
}

function decodeTable(image: Buffer, digits: number, align: number): string[] | undefined {
  const table = findTokenTable(image, digits, align);
  const names = table === undefined ? undefined : findNames(image, table);
  const addresses = table === undefined || names === undefined ? undefined : findAddresses(image, table, names);
  if (table === undefined || names === undefined || addresses === undefined) return undefined;
  return readNames(image, table, names).map((name, index) => {
    const address = addresses[index] ?? 0n;
    return `${address.toString(16).padStart(16, "0")} ${name.charAt(0)} ${name.slice(1)}\n`;
  });
}

interface TokenTable {
  readonly start: number;
  readonly tokens: readonly string[];
  /** Behind the token index. */
  readonly end: number;
  readonly align: number;
}

/** The 256 tokens, by the place of the token "0" (number 0x30), checked against the index that follows. */
function findTokenTable(image: Buffer, digits: number, align: number): TokenTable | undefined {
  let start = digits;
  // Back over 48 tokens, each with its NUL behind it.
  for (let token = 0; token < 0x30; token++) start = image.lastIndexOf(0, start - 2) + 1;
  const tokens: string[] = [];
  const offsets: number[] = [];
  let at = start;
  while (tokens.length < 256) {
    const end = image.indexOf(0, at);
    if (end < 0) return undefined;
    offsets.push(at - start);
    tokens.push(image.toString("latin1", at, end));
    at = end + 1;
  }
  const index = alignUp(at, align);
  if (index + 512 > image.length || offsets.some((offset, token) => image.readUInt16LE(index + 2 * token) !== offset)) return undefined;
  return { start, tokens, end: index + 512, align };
}

interface Names {
  /** Place of the number of symbols. */
  readonly header: number;
  readonly start: number;
  readonly count: number;
}

/** The markers end before the token table, or before the sequence numbers that stand between (3 bytes a symbol). */
function findNames(image: Buffer, table: TokenTable): Names | undefined {
  // The markers' first is 0 and the second is the size of a group: names of 256 symbols.
  const { align } = table;
  const top = table.start - (table.start % align);
  for (let markers = top - align; markers > top - 2_000_000 && markers > 16; markers -= align) {
    if (image.readUInt32LE(markers) !== 0 || !isGroupSize(image.readUInt32LE(markers + 4))) continue;
    let count = 1;
    while (
      markers + 4 * count < table.start &&
      isGroupSize(image.readUInt32LE(markers + 4 * count) - image.readUInt32LE(markers + 4 * count - 4))
    )
      count++;
    if (count * GROUP < FEWEST_SYMBOLS) continue;
    const last = image.readUInt32LE(markers + 4 * count - 4);
    for (let start = alignUp(Math.max(align, markers - last - GROUP * 64), align); start <= markers - last; start += align) {
      const symbols = image.readUInt32LE(start - align);
      if (Math.ceil(symbols / GROUP) !== count) continue;
      if (skipNames(image, start, GROUP) - start === image.readUInt32LE(markers + 4))
        return { header: start - align, start, count: symbols };
    }
  }
  return undefined;
}

function isGroupSize(bytes: number): boolean {
  return bytes >= GROUP * 2 && bytes < GROUP * 128;
}

/** Length and place of a packed name. One of 128 bytes and more has a length of two bytes, 7 bits each. */
function nameAt(image: Buffer, at: number): { from: number; to: number } {
  const first = image.readUInt8(at);
  const isLong = (first & 0x80) !== 0;
  const length = isLong ? (first & 0x7f) | (image.readUInt8(at + 1) << 7) : first;
  const from = at + (isLong ? 2 : 1);
  return { from, to: from + length };
}

function skipNames(image: Buffer, start: number, count: number): number {
  let at = start;
  for (let index = 0; index < count && at + 2 < image.length; index++) at = nameAt(image, at).to;
  return at;
}

function readNames(image: Buffer, table: TokenTable, names: Names): string[] {
  const result: string[] = [];
  let at = names.start;
  for (let index = 0; index < names.count; index++) {
    const { from, to } = nameAt(image, at);
    let name = "";
    for (let byte = from; byte < to; byte++) name += table.tokens[image.readUInt8(byte)] ?? "";
    result.push(name);
    at = to;
  }
  return result;
}

function findAddresses(image: Buffer, table: TokenTable, names: Names): bigint[] | undefined {
  return addressesFromThemselves(image, table, names) ?? addressesFromBase(image, table, names);
}

/**
 * Each offset, behind the token index, counts from its own place in memory (7.3). Symbols are sorted by address, so that no other bytes pass for these.
 */
function addressesFromThemselves(image: Buffer, table: TokenTable, names: Names): bigint[] | undefined {
  const tableAddr = addrOf(image, table.end, 4 * names.count);
  if (tableAddr === undefined) return undefined;
  const addresses = Array.from(
    { length: names.count },
    (_, index) => tableAddr + BigInt(4 * index) + BigInt(image.readInt32LE(table.end + 4 * index)),
  );
  let last = KERNEL_ARCHITECTURE.memory.kernelMapAddr;
  for (const addr of addresses) {
    if (addr < last || addr >= 1n << 64n) return undefined;
    last = addr;
  }
  return addresses;
}

/** Where bytes of the image are in memory, by the program headers of a vmlinux. */
function addrOf(image: Buffer, offset: number, size: number): bigint | undefined {
  if (image.length < 64 || image.readUInt32BE(0) !== ELF_MAGIC) return undefined;
  const headers = Number(image.readBigUInt64LE(32));
  for (let index = 0; index < image.readUInt16LE(56); index++) {
    const at = headers + index * PHDR_SIZE;
    if (at + PHDR_SIZE > image.length || image.readUInt32LE(at) !== PT_LOAD) continue;
    const [start, length] = [Number(image.readBigUInt64LE(at + 8)), Number(image.readBigUInt64LE(at + 32))];
    if (offset >= start && offset + size <= Math.min(start + length, image.length))
      return image.readBigUInt64LE(at + 16) + BigInt(offset - start);
  }
  return undefined;
}

/** Offsets and base stand before the number of symbols (6.1) or behind the token index (6.12). */
function addressesFromBase(image: Buffer, table: TokenTable, names: Names): bigint[] | undefined {
  const size = alignUp(4 * names.count, 8);
  const places = [
    { offsets: names.header - 8 - size, base: names.header - 8 },
    { offsets: table.end, base: table.end + size },
  ];
  for (const { offsets, base } of places) {
    if (offsets < 0 || base + 8 > image.length) continue;
    const start = image.readBigUInt64LE(base);
    if (start < KERNEL_ARCHITECTURE.memory.kernelMapAddr) continue;
    // With KALLSYMS_ABSOLUTE_PERCPU a positive offset is an absolute value, a negative one counts from the base.
    return Array.from({ length: names.count }, (_, index) => {
      const offset = BigInt(image.readInt32LE(offsets + 4 * index));
      return offset >= 0n ? offset : start - 1n - offset;
    });
  }
  return undefined;
}

/** 0x7f "ELF". */
const ELF_MAGIC = 0x7f454c46;

function alignUp(value: number, align: number): number {
  return Math.ceil(value / align) * align;
}
