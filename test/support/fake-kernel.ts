import { SHF_ALLOC, SHF_EXECINSTR, STB_LOCAL, STB_WEAK, STT_FILE, STT_SECTION } from "../../src/elf/constants.js";
import { homeSection, type ElfObject, type ElfSection, type ElfSymbol } from "../../src/elf/model.js";
import type { RunKernel, RunSymbol } from "../../src/run-kernel.js";

export const TEXT_START = 0xffffffff81000000n;
const EXTERNALS_START = 0xffffffff82000000n;

export interface Region {
  readonly addr: bigint;
  readonly bytes: Uint8Array;
}

/** A running kernel made of arrays: objects are loaded into it as the linker would lay them out. */
export class FakeKernel implements RunKernel {
  readonly symbols: RunSymbol[] = [];
  /** Modules of applied updates, and the target whose code each replaces. */
  readonly applied = new Map<string, string>();
  readonly #regions: Region[] = [];
  readonly #redirections = new Map<bigint, bigint>();
  #nextExternal = EXTERNALS_START;

  /** Puts bytes at an address. */
  place(addr: bigint, bytes: readonly number[] | Uint8Array): void {
    this.#regions.push({ addr, bytes: Uint8Array.from(bytes) });
  }

  define(name: string, addr: bigint, type = "T", module?: string): void {
    this.symbols.push({ name, addr, type, module });
  }

  /** Overwrites memory that is there. */
  poke(addr: bigint, bytes: readonly number[]): void {
    const region = this.#regionOf(addr, bytes.length);
    region?.bytes.set(bytes, Number(addr - region.addr));
  }

  flipBit(addr: bigint, bit: number): void {
    const [byte = 0] = this.read(addr, 1) ?? [];
    this.poke(addr, [byte ^ (1 << bit)]);
  }

  redirect(from: bigint, to: bigint): void {
    this.#redirections.set(from, to);
  }

  /**
   * Loads an object: its sections one behind the other, its relocations applied. Symbols that nothing defines get some address each.
   * @param imports addresses of symbols that the object does not define, where they are not what the names say
   */
  load(object: ElfObject, base: bigint, module?: string, imports: ReadonlyMap<string, bigint> = new Map()): void {
    const addrs = new Map<ElfSection, bigint>();
    let next = base;
    for (const section of object.sections) {
      if ((section.flags & SHF_ALLOC) === 0) continue;
      const align = BigInt(Math.max(16, section.align));
      next = ((next + align - 1n) / align) * align;
      addrs.set(section, next);
      next += BigInt(section.size) + 16n;
    }
    const image = new Uint8Array(Number(next - base)).fill(0xcc);
    for (const [section, addr] of addrs) {
      image.fill(0, Number(addr - base), Number(addr - base) + section.size);
      image.set(section.data, Number(addr - base));
    }
    for (const symbol of object.symbols) this.#defineLoaded(symbol, addrs, module);
    for (const [section, addr] of addrs)
      this.#relocate(section, addr, image, base, addrs, (name) => imports.get(name) ?? this.#externalAddr(name, module));
    this.#regions.push({ addr: base, bytes: image });
  }

  /** All memory that there is. */
  get regions(): readonly Region[] {
    return this.#regions;
  }

  addrOf(name: string, module?: string): bigint {
    const symbol = this.symbols.find((candidate) => candidate.name === name && candidate.module === module);
    if (symbol === undefined) throw new Error(`no symbol ${name}`);
    return symbol.addr;
  }

  symbolsNamed(name: string): readonly RunSymbol[] {
    return this.symbols.filter((symbol) => symbol.name === name);
  }

  symbolAt(addr: bigint): RunSymbol | undefined {
    return [...this.symbols].filter((symbol) => symbol.addr <= addr).sort((a, b) => (a.addr < b.addr ? 1 : -1))[0];
  }

  symbolsStartingAt(addr: bigint): readonly RunSymbol[] {
    return this.symbols.filter((symbol) => symbol.addr === addr);
  }

  read(addr: bigint, size: number): Uint8Array | undefined {
    const region = this.#regionOf(addr, size);
    return region?.bytes.slice(Number(addr - region.addr), Number(addr - region.addr) + size);
  }

  isReplacement(addr: bigint): boolean {
    return [...this.#redirections.values()].includes(addr);
  }

  newestCode(addr: bigint): bigint {
    return this.#redirections.get(addr) ?? addr;
  }

  holdsCodeOf(target: string, module: string | undefined): boolean {
    return (module ?? "vmlinux") === target || (module !== undefined && this.applied.get(module) === target);
  }

  moduleSections(): undefined {
    return undefined;
  }

  #regionOf(addr: bigint, size: number): Region | undefined {
    return this.#regions.find((region) => addr >= region.addr && addr + BigInt(size) <= region.addr + BigInt(region.bytes.length));
  }

  #defineLoaded(symbol: ElfSymbol, addrs: ReadonlyMap<ElfSection, bigint>, module: string | undefined): void {
    const section = homeSection(symbol);
    const start = section === undefined ? undefined : addrs.get(section);
    if (section === undefined || start === undefined || symbol.type === STT_FILE || symbol.type === STT_SECTION) return;
    if (symbol.name.startsWith(".L")) return;
    const letter = (section.flags & SHF_EXECINSTR) !== 0 ? "t" : "d";
    const type = symbol.bind === STB_WEAK ? "W" : symbol.bind === STB_LOCAL ? letter : letter.toUpperCase();
    this.define(symbol.name, start + BigInt(symbol.value), type, module);
  }

  #relocate(
    section: ElfSection,
    addr: bigint,
    image: Uint8Array,
    base: bigint,
    addrs: ReadonlyMap<ElfSection, bigint>,
    externalAddr: (name: string) => bigint,
  ): void {
    const view = new DataView(image.buffer);
    for (const { offset, type, symbol, addend } of section.relocations) {
      if (type.size === 0) continue;
      const home = homeSection(symbol);
      const start = home === undefined ? externalAddr(symbol.name) : (addrs.get(home) ?? 0n) + BigInt(symbol.value);
      const place = addr + BigInt(offset);
      const value = start + BigInt(addend) - (type.pcRelative ? place : 0n);
      const at = Number(place - base);
      if (type.size === 8) view.setBigUint64(at, BigInt.asUintN(64, value), true);
      else if (type.size === 4) view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
    }
  }

  #externalAddr(name: string, module: string | undefined): bigint {
    const known = this.symbols.find(
      (symbol) => symbol.name === name && (symbol.module === module || symbol.type === symbol.type.toUpperCase()),
    );
    if (known !== undefined) return known.addr;
    const addr = this.#nextExternal;
    this.#nextExternal += 64n;
    this.define(name, addr);
    this.place(addr, new Array<number>(64).fill(0xcc));
    return addr;
  }
}
