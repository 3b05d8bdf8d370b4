import type { RunSymbol } from "../run-kernel.js";

/**
 * What stands between the name of a function that an update brought and the update's id. With their plain names they would make those of the functions
 * that they replace ambiguous, and the kernel refuses a kprobe by such a name (number_of_same_symbols() in kernel/trace/trace_kprobe.c, Linux 6.1).
 */
export const UPDATE_SUFFIX = ".ksplice_";

/** The kernel's symbols, of vmlinux and of modules, with lookups by name and by address. */
export interface SymbolTable {
  /** How many symbols there are. */
  readonly size: number;
  /** True if every address is 0: the kernel hides them from this reader. */
  readonly isHidden: boolean;
  /** Every symbol of that name. */
  named(name: string): readonly RunSymbol[];
  /** The symbol with the highest address that is not above `addr`; undefined below the first. Of several at one address the first of the file. */
  at(addr: bigint): RunSymbol | undefined;
  /** Every symbol with just that address, in the order of the file. */
  startingAt(addr: bigint): readonly RunSymbol[];
  /** Every symbol's address, in order. Not to be changed. */
  sortedAddrs(): BigUint64Array;
  /** All of them, in the order of the file. */
  [Symbol.iterator](): Iterator<RunSymbol>;
}

const NEWLINE = 10;
const SPACE = 32;
const TAB = 9;
const DOT = 46;
const LATIN1 = new TextDecoder("latin1");
const SUFFIX = new TextEncoder().encode(UPDATE_SUFFIX);

/**
 * Parses the text of /proc/kallsyms: lines `ADDRESS TYPE NAME[\t[MODULE]]` (kernel/kallsyms.c, s_show, Linux 6.1), or a System.map.
 * Only the shape of the lines is read here; names and addresses are decoded when a lookup asks for them. Functions that updates brought have the names
 * that they have in the source: see {@link UPDATE_SUFFIX}.
 */
export function parseKallsyms(text: Uint8Array | string): SymbolTable {
  return new KallsymsTable(typeof text === "string" ? new TextEncoder().encode(text) : text);
}

/** Lines in the order of their addresses, and of each line the upper and lower 32 bits of its own. */
interface ByAddr {
  readonly lines: Uint32Array;
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

class KallsymsTable implements SymbolTable {
  readonly size: number;
  readonly isHidden: boolean;
  readonly #bytes: Uint8Array;
  /** Offset of each line. */
  readonly #lines: Uint32Array;
  /** FNV hash of the name → lines, as chains through `#next`. */
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  #byAddr: ByAddr | undefined;
  #addrs: BigUint64Array | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const lines = new Uint32Array(Math.ceil(bytes.length / 20) + 1);
    let count = 0;
    let isHidden = true;
    for (let at = 0; at < bytes.length;) {
      const end = bytes.indexOf(NEWLINE, at);
      const stop = end < 0 ? bytes.length : end;
      if (stop - at > 19) {
        lines[count++] = at;
        if (isHidden && !this.#isZeroAddress(at)) isHidden = false;
      }
      at = stop + 1;
    }
    this.#lines = lines.subarray(0, count);
    this.size = count;
    this.isHidden = isHidden;
    this.#heads = new Int32Array(1 << 16).fill(-1);
    this.#next = new Int32Array(count);
    // From the back, so that each chain is in the order of the file.
    for (let index = count - 1; index >= 0; index--) {
      const bucket = this.#hashAt((this.#lines[index] ?? 0) + 19);
      this.#next[index] = this.#heads[bucket] ?? -1;
      this.#heads[bucket] = index;
    }
  }

  named(name: string): readonly RunSymbol[] {
    const wanted = new TextEncoder().encode(name);
    const found: RunSymbol[] = [];
    for (let index = this.#heads[hash(wanted)] ?? -1; index >= 0; index = this.#next[index] ?? -1) {
      if (this.#hasName((this.#lines[index] ?? 0) + 19, wanted)) found.push(this.#symbol(index));
    }
    return found;
  }

  at(addr: bigint): RunSymbol | undefined {
    return this.#symbolsBelow(addr).next().value ?? undefined;
  }

  startingAt(addr: bigint): readonly RunSymbol[] {
    return [...this.#symbolsBelow(addr)].filter((symbol) => symbol.addr === addr);
  }

  /** Those with the highest address that is not above `addr`, in the order of the file. */
  *#symbolsBelow(addr: bigint): Generator<RunSymbol, undefined> {
    const { lines, high, low } = (this.#byAddr ??= this.#sortByAddr());
    const wantedHigh = Number(addr >> 32n);
    const wantedLow = Number(addr & 0xffff_ffffn);
    let from = 0;
    let to = lines.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const line = lines[middle] ?? 0;
      const isAbove = high[line] === wantedHigh ? (low[line] ?? 0) > wantedLow : (high[line] ?? 0) > wantedHigh;
      if (isAbove) to = middle;
      else from = middle + 1;
    }
    if (from === 0) return undefined;
    const last = lines[from - 1] ?? 0;
    let first = from - 1;
    for (; first > 0; first--) {
      const before = lines[first - 1] ?? 0;
      if (high[before] !== high[last] || low[before] !== low[last]) break;
    }
    for (; first < from; first++) yield this.#symbol(lines[first] ?? 0);
    return undefined;
  }

  sortedAddrs(): BigUint64Array {
    const { lines, high, low } = (this.#byAddr ??= this.#sortByAddr());
    return (this.#addrs ??= BigUint64Array.from(lines, (line) => (BigInt(high[line] ?? 0) << 32n) | BigInt(low[line] ?? 0)));
  }

  *[Symbol.iterator](): Iterator<RunSymbol> {
    for (let index = 0; index < this.size; index++) yield this.#symbol(index);
  }

  /** The kernel lists vmlinux in order, and then its modules as they are: only those are sorted. */
  #sortByAddr(): ByAddr {
    // In halves: comparing numbers is ten times faster than comparing bigints.
    const high = new Uint32Array(this.size);
    const low = new Uint32Array(this.size);
    const lines = new Uint32Array(this.size);
    let ordered = 0;
    for (let index = 0; index < this.size; index++) {
      const at = this.#lines[index] ?? 0;
      high[index] = this.#hex(at);
      low[index] = this.#hex(at + 8);
      lines[index] = index;
      if (ordered === index && (index === 0 || compare(index - 1, index) <= 0)) ordered = index + 1;
    }
    // Among equals the file's order stays.
    const tail = lines.slice(ordered).sort((a, b) => compare(a, b) || a - b);
    let fromHead = ordered;
    let fromTail = tail.length;
    // From the back, where the tail's room is.
    while (fromTail > 0) {
      const isHead = fromHead > 0 && compare(lines[fromHead - 1] ?? 0, tail[fromTail - 1] ?? 0) > 0;
      lines[fromHead + fromTail - 1] = (isHead ? lines[fromHead - 1] : tail[fromTail - 1]) ?? 0;
      if (isHead) fromHead--;
      else fromTail--;
    }
    return { lines, high, low };

    function compare(a: number, b: number): number {
      return (high[a] ?? 0) - (high[b] ?? 0) || (low[a] ?? 0) - (low[b] ?? 0);
    }
  }

  #addr(index: number): bigint {
    const at = this.#lines[index] ?? 0;
    return (BigInt(this.#hex(at)) << 32n) | BigInt(this.#hex(at + 8));
  }

  /** Eight hexadecimal digits as a number. */
  #hex(at: number): number {
    let value = 0;
    for (let index = at; index < at + 8; index++) {
      const byte = this.#bytes[index] ?? 0;
      value = value * 16 + (byte <= 57 ? byte - 48 : (byte | 32) - 87);
    }
    return value;
  }

  #isZeroAddress(at: number): boolean {
    for (let index = at; index < at + 16; index++) if (this.#bytes[index] !== 48) return false;
    return true;
  }

  #hashAt(start: number): number {
    let value = HASH_START;
    for (let at = start; ; at++) {
      const byte = this.#bytes[at];
      if (byte === undefined || byte === NEWLINE || byte === TAB || byte === SPACE || this.#isSuffix(at)) return folded(value);
      value = hashed(value, byte);
    }
  }

  #hasName(start: number, wanted: Uint8Array): boolean {
    for (let index = 0; index < wanted.length; index++) if (this.#bytes[start + index] !== wanted[index]) return false;
    const after = this.#bytes[start + wanted.length];
    return after === undefined || after === NEWLINE || after === TAB || after === SPACE || this.#isSuffix(start + wanted.length);
  }

  #isSuffix(at: number): boolean {
    return this.#bytes[at] === DOT && SUFFIX.every((byte, index) => this.#bytes[at + index] === byte);
  }

  #symbol(index: number): RunSymbol {
    const start = this.#lines[index] ?? 0;
    const newline = this.#bytes.indexOf(NEWLINE, start);
    const line = LATIN1.decode(this.#bytes.subarray(start + 17, newline < 0 ? this.#bytes.length : newline));
    const [name = "", module] = line.slice(2).split(/\s+/, 2);
    const suffix = name.indexOf(UPDATE_SUFFIX);
    return {
      name: suffix < 0 ? name : name.slice(0, suffix),
      addr: this.#addr(index),
      type: line.charAt(0),
      module: module?.replace(/^\[|\]$/g, ""),
    };
  }
}

const HASH_START = 0x811c9dc5;

function hash(name: Uint8Array): number {
  return folded(name.reduce(hashed, HASH_START));
}

function hashed(value: number, byte: number): number {
  return Math.imul(value ^ byte, 0x01000193);
}

function folded(value: number): number {
  return (value ^ (value >>> 16)) & 0xffff;
}
