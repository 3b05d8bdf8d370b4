import type { PatchSites } from "../arch/arch.js";
import { architectureOf } from "../arch/architectures.js";
import { STT_SECTION } from "../elf/constants.js";
import { AbsoluteAddress, homeSection, type ElfSection } from "../elf/model.js";
import { BUG_TABLE, compareBugEntry } from "./bug-entry.js";
import { compareContents } from "./compare-contents.js";
import { Evidence } from "./evidence.js";
import { isWeak, kindOfSection, type Place, type PreObject } from "./pre-object.js";
import { hex, wrap } from "./relocated-field.js";
import type { RunKernel, RunSymbol } from "../run-kernel.js";
import type { Reference } from "./reference.js";

/** Follows references out of running code and data: binds places to addresses, and compares strings and constant data that they reach. */
export class References {
  readonly #pre: PreObject;
  readonly #run: RunKernel;
  readonly #target: string;
  readonly #sites: PatchSites;
  readonly #knownAddrs = new Map<Place, readonly bigint[]>();
  readonly #data = new Map<Place, Map<bigint, { reason: string | undefined; evidence: Evidence }>>();
  readonly #anonymous = new Map<ElfSection, Place>();

  /** @param target `vmlinux` or the name of a module */
  constructor(pre: PreObject, run: RunKernel, target: string) {
    this.#pre = pre;
    this.#run = run;
    this.#target = target;
    this.#sites = architectureOf(pre.object).sites;
  }

  /** True if both are the same function, one of them perhaps its replacement by an applied update. */
  isSameTarget(a: bigint, b: bigint): boolean {
    return a === b || this.#run.newestCode(a) === this.#run.newestCode(b);
  }

  /** True if a place may be at both addresses: they are the same, or an update has brought its own copy of a constant. */
  mayBeAtBoth(place: Place, a: bigint, b: bigint): boolean {
    return this.isSameTarget(a, b) || (isPlainConstant(place) && this.#run.symbolAt(a)?.module !== this.#run.symbolAt(b)?.module);
  }

  /** Takes one reference into the evidence. Returns why it cannot be right, or undefined. */
  note(evidence: Evidence, reference: Reference): string | undefined {
    const { relocation, delta, addr } = reference;
    const { symbol } = relocation;
    if (symbol.home instanceof AbsoluteAddress) {
      const expected = BigInt.asUintN(64, symbol.home.addr + BigInt(delta));
      return expected === addr ? undefined : `${symbol.name} is ${hex(expected)}, the running code has ${hex(addr)}`;
    }
    const section = homeSection(symbol);
    if (section === undefined) {
      const place = this.#pre.placeOf(symbol);
      return place === undefined || symbol.name === ""
        ? undefined
        : this.bind(evidence, place, wrap(addr - BigInt(delta)), reference.offset);
    }
    return this.#noteSection(evidence, section, symbol.value + delta, reference);
  }

  /** Says that `place` is at `addr`. Returns what speaks against it, or undefined. */
  bind(evidence: Evidence, place: Place, addr: bigint, offset: number): string | undefined {
    const adjusted = this.#withoutCallPadding(place, addr);
    const before = evidence.bindings.get(place);
    if (before !== undefined) {
      return this.mayBeAtBoth(place, before.addr, adjusted)
        ? undefined
        : `${place.name} is at ${hex(adjusted)} here, and at ${hex(before.addr)} at offset ${hex(before.offset)}`;
    }
    evidence.bindings.set(place, { place, addr: adjusted, offset });
    const known = this.addrsOf(place);
    if (known.length === 0 || known.some((candidate) => this.isSameTarget(candidate, adjusted))) return undefined;
    if (isNumberedStatic(place) && this.#isRenumbered(place, adjusted)) return undefined;
    return `the running code refers to ${hex(adjusted)}${this.#nameOf(adjusted)} where the source says ${place.name}, which is at ${known.map(hex).join(", ")}`;
  }

  /** Takes a reference to an offset of a text section into the evidence. Returns why it cannot be right, or undefined. */
  noteText(evidence: Evidence, section: ElfSection, target: number, addr: bigint, offset: number): string | undefined {
    const place = this.#pre.placeAt(section, target);
    if (place === undefined) return undefined; // a piece of code without a name, such as .altinstr_aux
    if (place.offset === target) return this.bind(evidence, place, addr, offset);
    evidence.textReferences.push({ place, delta: target - place.offset, addr, offset });
    return undefined;
  }

  /** Addresses that kallsyms has for a place by its symbols' names; within the unit's target where the unit defines it. */
  addrsOf(place: Place): readonly bigint[] {
    let known = this.#knownAddrs.get(place);
    if (known === undefined) {
      const symbols = place.symbols.flatMap((symbol) => this.#run.symbolsNamed(symbol.name));
      const { section } = place;
      const isText = section === undefined ? undefined : kindOfSection(section) === "text";
      const own = symbols.filter(
        (symbol) => isText === undefined || (this.#run.holdsCodeOf(this.#target, symbol.module) && isTextSymbol(symbol) === isText),
      );
      known = [...new Set(own.map((symbol) => symbol.addr))];
      this.#knownAddrs.set(place, known);
    }
    return known;
  }

  #isRenumbered(place: Place, addr: bigint): boolean {
    return this.#run.symbolsStartingAt(addr).some(({ name }) => name.replace(NUMBER, "") === place.name.replace(NUMBER, ""));
  }

  #withoutCallPadding(place: Place, addr: bigint): bigint {
    if (place.section !== undefined && !place.isFunction) return addr;
    const known = this.addrsOf(place);
    if (known.includes(addr)) return addr;
    return known.find((func) => this.#sites.isEntryThunk(this.#run, addr, func)) ?? addr;
  }

  #nameOf(addr: bigint): string {
    const symbol = this.#run.symbolAt(addr);
    if (symbol === undefined) return "";
    const delta = addr - symbol.addr;
    return ` (${symbol.name}${delta === 0n ? "" : `+${hex(delta)}`})`;
  }

  #noteSection(evidence: Evidence, section: ElfSection, target: number, { relocation, addr, offset }: Reference): string | undefined {
    const kind = kindOfSection(section);
    if (kind === "strings") {
      // A label stands at the start of its string; the addend may lead to the end of it, or beyond.
      const { symbol } = relocation;
      return symbol.type === STT_SECTION
        ? this.#compareString(section, target, addr)
        : this.#compareString(section, symbol.value, wrap(addr - BigInt(target - symbol.value)));
    }
    if (kind === "constants") return this.#compareConstant(section, target, addr);
    if (kind === "text") return this.noteText(evidence, section, target, addr, offset);
    if (section.name === BUG_TABLE)
      return compareBugEntry(section, target, addr, this.#run, (reference) => this.note(evidence, { ...reference, offset }));
    const place = this.#pre.placeAt(section, target) ?? this.#anonymousPlace(section);
    const start = wrap(addr - BigInt(target - place.offset));
    const conflict = this.bind(evidence, place, start, offset);
    // A weak definition may have lost against another unit's, with other contents.
    if (conflict !== undefined || kind !== "rodata" || isWeak(place)) return conflict;
    const content = this.#compareData(place, start);
    if (content.reason === undefined) evidence.addAll(content.evidence);
    return content.reason;
  }

  #compareString(section: ElfSection, offset: number, addr: bigint): string | undefined {
    const width = Math.max(1, section.entsize);
    let end = offset;
    while (end < section.size && section.data.subarray(end, end + width).some((byte) => byte !== 0)) end += width;
    const expected = section.data.subarray(offset, end + width);
    const actual = this.#run.read(addr, expected.length);
    if (actual !== undefined && equalBytes(expected, actual)) return undefined;
    const seen = actual === undefined ? "nothing readable" : quote(this.#run.read(addr, 80) ?? actual);
    return `the source has the string ${quote(expected)}, the running kernel has ${seen}`;
  }

  #compareConstant(section: ElfSection, offset: number, addr: bigint): string | undefined {
    const expected = section.data.subarray(offset, offset + section.entsize);
    const actual = this.#run.read(addr, expected.length);
    if (actual !== undefined && equalBytes(expected, actual)) return undefined;
    return `a constant in ${section.name} differs from the running kernel's`;
  }

  /** Compares read-only data with the running kernel's, and follows its own references. */
  #compareData(place: Place, addr: bigint): { reason: string | undefined; evidence: Evidence } {
    let byAddr = this.#data.get(place);
    if (byAddr === undefined) this.#data.set(place, (byAddr = new Map<bigint, { reason: string | undefined; evidence: Evidence }>()));
    const known = byAddr.get(addr);
    if (known !== undefined) return known;
    const result: { reason: string | undefined; evidence: Evidence } = { reason: undefined, evidence: new Evidence() };
    byAddr.set(addr, result); // before comparing: data may refer to itself
    const difference = compareContents(place, addr, this.#run, undefined, (reference) => this.note(result.evidence, reference));
    result.reason = difference?.reason;
    return result;
  }

  #anonymousPlace(section: ElfSection): Place {
    let place = this.#anonymous.get(section);
    if (place === undefined) {
      // Only a section that is one object by itself can be compared whole.
      const size = this.#pre.placesIn(section).length === 0 && section.name !== ".rodata" ? section.size : 0;
      place = { section, offset: 0, size, symbols: [], name: section.name, isFunction: false, isGlobal: false };
      this.#anonymous.set(section, place);
    }
    return place;
  }
}

function isTextSymbol({ type }: RunSymbol): boolean {
  return /[tw]/i.test(type);
}

const NUMBER = /\.\d+$/;

/** Static names with a number by the compiler: the number may differ, and mean something else in another unit. */
export function isNumberedStatic(place: Place): boolean {
  return place.section !== undefined && !place.isGlobal && NUMBER.test(place.name);
}

/**
 * Constants that the compiler numbered (`__func__.3`) and that hold no pointers: the same bytes serve, wherever they are. They are compared at each
 * reference.
 */
function isPlainConstant(place: Place): boolean {
  const { section, offset, size } = place;
  if (section === undefined || !isNumberedStatic(place) || kindOfSection(section) !== "rodata") return false;
  return !section.relocations.some((relocation) => relocation.offset >= offset && relocation.offset < offset + size);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function quote(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return JSON.stringify(new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)));
}
