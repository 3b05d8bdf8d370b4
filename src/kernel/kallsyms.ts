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

class KallsymsTable implements SymbolTable {
  readonly size: number;
  readonly isHidden: boolean;
  readonly #bytes: Uint8Array;
  /** Offset of each line. */
  readonly #lines: Uint32Array;
  /** FNV hash of the name → lines, as chains through `#next`. */
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  #byAddr: { keys: BigUint64Array; lines: Uint32Array } | undefined;

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
    const { keys, lines } = (this.#byAddr ??= this.#sortByAddr());
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((keys[middle] ?? 0n) <= addr) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return undefined;
    let first = low - 1;
    while (first > 0 && keys[first - 1] === keys[first]) first--;
    return this.#symbol(lines[first] ?? 0);
  }

  sortedAddrs(): BigUint64Array {
    return (this.#byAddr ??= this.#sortByAddr()).keys;
  }

  *[Symbol.iterator](): Iterator<RunSymbol> {
    for (let index = 0; index < this.size; index++) yield this.#symbol(index);
  }

  #sortByAddr(): { keys: BigUint64Array; lines: Uint32Array } {
    // In halves: comparing numbers is ten times faster than comparing bigints.
    const high = new Uint32Array(this.size);
    const low = new Uint32Array(this.size);
    const lines = new Uint32Array(this.size);
    let isSorted = true;
    for (let index = 0; index < this.size; index++) {
      const at = this.#lines[index] ?? 0;
      high[index] = this.#hex(at);
      low[index] = this.#hex(at + 8);
      lines[index] = index;
      if (index > 0 && isSorted) isSorted = compare(index - 1, index) <= 0;
    }
    // Among equals the file's order stays.
    if (!isSorted) lines.sort((a, b) => compare(a, b) || a - b);
    return { keys: BigUint64Array.from(lines, (line) => (BigInt(high[line] ?? 0) << 32n) | BigInt(low[line] ?? 0)), lines };

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
    let end = start;
    for (;;) {
      const byte = this.#bytes[end];
      if (byte === undefined || byte === NEWLINE || byte === TAB || byte === SPACE || this.#isSuffix(end)) break;
      end++;
    }
    return hash(this.#bytes.subarray(start, end));
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

function hash(name: Uint8Array): number {
  let value = 0x811c9dc5;
  for (const byte of name) value = Math.imul(value ^ byte, 0x01000193);
  return (value ^ (value >>> 16)) & 0xffff;
}
