import { ElfFormatError } from "../../elf/elf-format-error.js";
import type { TrampolineSite } from "../../arch/arch.js";
import { architectureOf } from "../../arch/architectures.js";
import { HOOK_KINDS, type HookKind } from "../../diff/atoms/hook-kinds.js";
import { concatBytes } from "../../elf/concat-bytes.js";
import { SHF_ALLOC, SHF_WRITE, SHT_PROGBITS, STB_GLOBAL, STB_LOCAL, STT_OBJECT } from "../../elf/constants.js";
import { UNDEFINED, type ElfObject, type ElfRelocation, type ElfSection, type ElfSymbol } from "../../elf/model.js";

/**
 * Adds what the core reads, `struct ksplice_part` and its tables (kmod/ksplice.h), to a module with new code.
 * All integers are little-endian; offsets are those of the header's structures.
 */

/** KSPLICE_ABI of kmod/ksplice.h. */
export const KSPLICE_ABI = 5;
/** The symbol that the module template leaves undefined. */
const PART_SYMBOL = "ksplice_part";
/** KSPLICE_MAX_WRITE: the most bytes of one entry of the table of writes. */
export const MAX_WRITE_SIZE = 65536;

export interface PartFunction {
  readonly name: string;
  readonly oldAddr: bigint;
  /** Bytes. */
  readonly oldSize: number;
  readonly newSymbol: ElfSymbol;
  readonly site: TrampolineSite;
  /** Threads may stay in the old code. */
  readonly mayBeBusy: boolean;
}

export interface PartRange {
  readonly name: string;
  readonly start: bigint;
  /** Bytes. */
  readonly size: number;
  /** It is a piece of a function in which threads may stay. */
  readonly mayBeBusy: boolean;
}

/** A place in the module. */
export interface PartPlace {
  readonly symbol: ElfSymbol;
  /** Bytes from the symbol. */
  readonly offset: number;
}

export interface PartWrite {
  readonly name: string;
  readonly addr: bigint;
  readonly newBytes: PartPlace;
  /** What must stand there now; as many bytes are written, at most {@link MAX_WRITE_SIZE}. */
  readonly oldBytes: Uint8Array;
}

export interface PartHook {
  readonly kind: HookKind;
  readonly function: PartPlace;
}

/** A module that must stay as long as the part is loaded. */
export interface PartPin {
  readonly name: string;
  /** Where its text starts. */
  readonly textAddr: bigint;
}

export interface Part {
  readonly id: string;
  readonly description: string;
  readonly target: string;
  /** Nobody outside can have got the address of anything in it. */
  readonly isUnloadable: boolean;
  readonly partCount: number;
  readonly functions: readonly PartFunction[];
  readonly ranges: readonly PartRange[];
  readonly pins: readonly PartPin[];
  readonly writes: readonly PartWrite[];
  readonly hooks: readonly PartHook[];
}

const PART_SIZE = 104;
const FUNCTION_SIZE = 48;
const RANGE_SIZE = 24;
const PIN_SIZE = 16;
const WRITE_SIZE = 40;
const HOOK_SIZE = 16;
const POINTER_SIZE = 8;
/** KSPLICE_UNLOADABLE. */
const UNLOADABLE = 1;
/** KSPLICE_MAY_BE_BUSY. */
const MAY_BE_BUSY = 1;
/** KSPLICE_BY_FTRACE. */
const BY_FTRACE = 2;

/** A table being filled: bytes of a fixed size, and the pointers in it as relocations. */
class Table {
  readonly section: ElfSection;
  readonly symbol: ElfSymbol;
  readonly view: DataView;
  readonly pointers: Omit<ElfRelocation, "type">[] = [];

  constructor(name: string, size: number) {
    const data = new Uint8Array(size);
    this.view = new DataView(data.buffer);
    this.section = { name, type: SHT_PROGBITS, flags: SHF_ALLOC | SHF_WRITE, align: 8, entsize: 0, data, size, relocations: [] };
    this.symbol = { name: name.slice(1), bind: STB_LOCAL, type: STT_OBJECT, other: 0, home: this.section, value: 0, size };
  }

  pointTo(offset: number, symbol: ElfSymbol, addend = 0): void {
    this.pointers.push({ offset, symbol, addend });
  }
}

/** Hexadecimal digits of a part's digest. */
const DIGEST_LENGTH = 64;
const NO_DIGEST = "0".repeat(DIGEST_LENGTH);

/**
 * @param ko module with new code; changed in place
 * @returns puts in the digest, by which the core's part is told from another; until then it is all zeros
 * @throws ElfFormatError if the module was not linked with the template
 */
export function addPart(ko: ElfObject, part: Part): (digest: string) => void {
  const partSymbol = ko.symbols.find((symbol) => symbol.name === PART_SYMBOL && symbol.home === UNDEFINED);
  if (partSymbol === undefined)
    throw new ElfFormatError(ko.fileName, `no undefined symbol ${PART_SYMBOL}: not linked with the module template`);

  const strings = encodeStrings([
    part.id,
    part.description,
    part.target,
    NO_DIGEST,
    ...part.pins.map((pin) => pin.name),
    ...part.functions.map((entry) => entry.name),
    ...part.ranges.map((range) => range.name),
    ...part.writes.map((write) => write.name),
  ]);
  const functions = encodeFunctions(part.functions, strings, architectureOf(ko).trampoline.size);
  const ranges = encodeRanges(part.ranges, strings);
  const pins = encodePins(part.pins, strings);

  const oldBytes = encodeOldBytes(part.writes);
  const writes = encodeWrites(part.writes, oldBytes, strings);
  const hooks = encodeHooks(part.hooks);

  const head = new Table(".ksplice_part", PART_SIZE);
  const counts = [part.functions, part.ranges, part.pins, part.writes, part.hooks].map((entries) => entries.length);
  [KSPLICE_ABI, part.partCount, ...counts, part.isUnloadable ? UNLOADABLE : 0].forEach((value, index) => {
    head.view.setUint32(index * 4, value, true);
  });
  head.pointTo(32, strings.table.symbol, strings.offsetOf(part.id));
  head.pointTo(40, strings.table.symbol, strings.offsetOf(part.description));
  head.pointTo(48, strings.table.symbol, strings.offsetOf(part.target));
  head.pointTo(56, strings.table.symbol, strings.offsetOf(NO_DIGEST));
  [functions, ranges, pins, writes, hooks].forEach((table, index) => {
    head.pointTo(64 + index * POINTER_SIZE, table.symbol);
  });

  const tables = [strings.table, oldBytes, functions, ranges, pins, writes, hooks, head];
  const type = ko.machine.pointer;
  for (const table of tables) table.section.relocations = table.pointers.map((pointer) => ({ ...pointer, type }));
  ko.sections.push(...tables.map((table) => table.section));
  ko.symbols.push(...tables.filter((table) => table !== head).map((table) => table.symbol));
  Object.assign(partSymbol, { bind: STB_GLOBAL, type: STT_OBJECT, home: head.section, value: 0, size: PART_SIZE });
  return (digest) => {
    if (digest.length !== DIGEST_LENGTH) throw new Error(`a digest of ${digest.length} digits`);
    strings.table.section.data.set(new TextEncoder().encode(digest), strings.offsetOf(NO_DIGEST));
  };
}

interface Strings {
  readonly table: Table;
  offsetOf(text: string): number;
}

function encodeStrings(texts: readonly string[]): Strings {
  const encoder = new TextEncoder();
  const offsets = new Map<string, number>();
  const bytes: number[] = [];
  for (const text of texts) {
    if (offsets.has(text)) continue;
    offsets.set(text, bytes.length);
    bytes.push(...encoder.encode(text), 0);
  }
  const table = new Table(".ksplice_strings", bytes.length);
  table.section.data.set(bytes);
  table.section.align = 1;
  return {
    table,
    offsetOf: (text) => {
      const offset = offsets.get(text);
      if (offset === undefined) throw new Error(`string "${text}" was not encoded`);
      return offset;
    },
  };
}

function encodeFunctions(entries: readonly PartFunction[], strings: Strings, trampolineSize: number): Table {
  const table = new Table(".ksplice_functions", entries.length * FUNCTION_SIZE);
  entries.forEach((entry, index) => {
    const at = index * FUNCTION_SIZE;
    table.view.setBigUint64(at, BigInt.asUintN(64, entry.oldAddr), true);
    table.pointTo(at + 8, entry.newSymbol);
    table.pointTo(at + 16, strings.table.symbol, strings.offsetOf(entry.name));
    table.view.setUint32(at + 24, entry.oldSize, true);
    table.view.setUint32(at + 28, entry.newSymbol.size, true);
    const { kind, offset, bytes } = entry.site;
    table.view.setUint32(at + 32, offset, true);
    if (bytes.length !== (kind === "jump" ? trampolineSize : 0))
      throw new Error(`${entry.name}: ${bytes.length} bytes expected at its site, which is of the kind ${kind}`);
    table.section.data.set(bytes, at + 36);
    table.view.setUint8(at + 36 + trampolineSize, (entry.mayBeBusy ? MAY_BE_BUSY : 0) | (kind === "ftrace" ? BY_FTRACE : 0));
  });
  return table;
}

function encodeRanges(entries: readonly PartRange[], strings: Strings): Table {
  const table = new Table(".ksplice_ranges", entries.length * RANGE_SIZE);
  entries.forEach((range, index) => {
    const at = index * RANGE_SIZE;
    table.view.setBigUint64(at, BigInt.asUintN(64, range.start), true);
    table.pointTo(at + 8, strings.table.symbol, strings.offsetOf(range.name));
    table.view.setUint32(at + 16, range.size, true);
    table.view.setUint32(at + 20, range.mayBeBusy ? MAY_BE_BUSY : 0, true);
  });
  return table;
}

function encodePins(entries: readonly PartPin[], strings: Strings): Table {
  const table = new Table(".ksplice_pins", entries.length * PIN_SIZE);
  entries.forEach((pin, index) => {
    table.pointTo(index * PIN_SIZE, strings.table.symbol, strings.offsetOf(pin.name));
    table.view.setBigUint64(index * PIN_SIZE + 8, BigInt.asUintN(64, pin.textAddr), true);
  });
  return table;
}

/** One behind the other, in the order of the writes. */
function encodeOldBytes(entries: readonly PartWrite[]): Table {
  const bytes = concatBytes(entries.map((write) => write.oldBytes));
  const table = new Table(".ksplice_old_bytes", bytes.length);
  table.section.data.set(bytes);
  return table;
}

function encodeWrites(entries: readonly PartWrite[], oldBytes: Table, strings: Strings): Table {
  const table = new Table(".ksplice_writes", entries.length * WRITE_SIZE);
  let oldOffset = 0;
  entries.forEach((write, index) => {
    const at = index * WRITE_SIZE;
    const size = write.oldBytes.length;
    if (size === 0 || size > MAX_WRITE_SIZE) throw new Error(`${write.name}: ${size} bytes cannot be written`);
    table.view.setBigUint64(at, BigInt.asUintN(64, write.addr), true);
    table.pointTo(at + 8, write.newBytes.symbol, write.newBytes.offset);
    table.pointTo(at + 16, oldBytes.symbol, oldOffset);
    table.pointTo(at + 24, strings.table.symbol, strings.offsetOf(write.name));
    table.view.setBigUint64(at + 32, BigInt(size), true);
    oldOffset += size;
  });
  return table;
}

function encodeHooks(entries: readonly PartHook[]): Table {
  const table = new Table(".ksplice_hook_table", entries.length * HOOK_SIZE);
  entries.forEach((hook, index) => {
    table.view.setBigUint64(index * HOOK_SIZE, BigInt(HOOK_KINDS.indexOf(hook.kind)), true);
    table.pointTo(index * HOOK_SIZE + 8, hook.function.symbol, hook.function.offset);
  });
  return table;
}
