import {
  SHF_ALLOC,
  SHF_EXECINSTR,
  SHF_MERGE,
  SHF_STRINGS,
  SHF_WRITE,
  STB_LOCAL,
  STB_WEAK,
  STT_FILE,
  STT_FUNC,
  STT_SECTION,
} from "../elf/constants.js";
import { isLabelName, isPrefixName } from "../elf/made-names.js";
import { homeSection, type ElfObject, type ElfRelocation, type ElfSection, type ElfSymbol } from "../elf/model.js";

/** Something whose address the running kernel tells: all symbols of one section offset, or one undefined symbol. */
export interface Place {
  /** Undefined for a symbol that another unit defines. */
  readonly section: ElfSection | undefined;
  /** Byte offset in the section. */
  readonly offset: number;
  /** Bytes; the largest of its symbols. */
  readonly size: number;
  readonly symbols: readonly ElfSymbol[];
  /** The name to call it by: a global one, if there is one. */
  readonly name: string;
  readonly isFunction: boolean;
  /** True if its name means the same thing in every unit. */
  readonly isGlobal: boolean;
}

/** How references into a section are to be understood. */
export type SectionKind = "text" | "strings" | "constants" | "rodata" | "data";

/** The pre object with what matching looks up over and over. */
export class PreObject {
  readonly object: ElfObject;
  /** Functions of sections that stay in memory, in the order of the sections, which is that of the code. */
  readonly functions: readonly Place[];
  /** Functions that matching leaves alone: their memory is freed after boot, or was never kept. */
  readonly discarded: readonly Place[];
  readonly #placesBySymbol = new Map<ElfSymbol, Place>();
  readonly #placesBySection = new Map<ElfSection, Place[]>();
  readonly #relocations = new Map<ElfSection, Map<number, ElfRelocation>>();

  readonly #discardedText: RegExp;

  /** @param isModule modules keep their exit code for as long as they are loaded, the kernel's image does not have any */
  constructor(object: ElfObject, isModule: boolean) {
    this.object = object;
    this.#discardedText = isModule ? DISCARDED_OF_MODULES : DISCARDED_TEXT;
    this.#collectPlaces();
    const functions = object.sections.flatMap((section) => this.placesIn(section)).filter((place) => place.isFunction && place.size > 0);
    this.functions = functions.filter(({ section }) => section !== undefined && this.#isKeptText(section));
    this.discarded = functions.filter(({ section }) => section !== undefined && this.#isDiscardedText(section));
  }

  /** The place that a symbol names; undefined for section and file symbols. */
  placeOf(symbol: ElfSymbol): Place | undefined {
    return this.#placesBySymbol.get(symbol);
  }

  /** Places of a section in order of offset. */
  placesIn(section: ElfSection): readonly Place[] {
    return this.#placesBySection.get(section) ?? [];
  }

  /**
   * The place that an offset of a section belongs to. One past the end and offsets outside count for a section that holds a single place, as
   * compilers form such addresses.
   */
  placeAt(section: ElfSection, offset: number): Place | undefined {
    const places = this.placesIn(section);
    if (places.length === 1) return places[0];
    return places.findLast((place) => place.offset <= offset && (offset < place.offset + place.size || offset === place.offset));
  }

  /** Relocations of a section by offset. */
  relocationsOf(section: ElfSection): ReadonlyMap<number, ElfRelocation> {
    let known = this.#relocations.get(section);
    if (known === undefined) {
      known = new Map(section.relocations.map((relocation) => [relocation.offset, relocation]));
      this.#relocations.set(section, known);
    }
    return known;
  }

  /**
   * True if code or data that stays in memory refers to a function; tables that describe code do so for every one.
   * @param without functions that are not the running ones
   */
  isReferenced(place: Place, without: ReadonlySet<Place>): boolean {
    return this.object.sections.some(
      (section) =>
        !DESCRIPTIONS.test(section.name) &&
        !this.#isDiscardedText(section) &&
        section.relocations.some(({ symbol, addend, offset, type }) => {
          const holder = without.size === 0 ? undefined : this.placeAt(section, offset);
          if (holder !== undefined && without.has(holder)) return false;
          if (this.placeOf(symbol) === place) return true;
          const home = homeSection(symbol);
          if (home === undefined || home !== place.section) return false;
          // Code counts from behind the field, which ends a branch and what takes a function's address.
          const behind = type.pcRelative && isText(section) ? type.size : 0;
          return this.placeAt(home, symbol.value + Math.max(addend + behind, 0)) === place;
        }),
    );
  }

  #isDiscardedText(section: ElfSection): boolean {
    return isText(section) && this.#discardedText.test(section.name);
  }

  #isKeptText(section: ElfSection): boolean {
    return isText(section) && !this.#discardedText.test(section.name) && !AUXILIARY_TEXT.test(section.name);
  }

  #collectPlaces(): void {
    const groups = new Map<ElfSection, Map<number, ElfSymbol[]>>();
    for (const symbol of this.object.symbols) {
      if (symbol.type === STT_FILE || symbol.type === STT_SECTION || symbol.name === "") continue;
      const section = homeSection(symbol);
      if (section === undefined) {
        this.#placesBySymbol.set(symbol, makePlace(undefined, 0, [symbol]));
        continue;
      }
      if (symbol.bind === STB_LOCAL && isLabelName(symbol.name)) continue;
      let offsets = groups.get(section);
      if (offsets === undefined) groups.set(section, (offsets = new Map<number, ElfSymbol[]>()));
      const group = offsets.get(symbol.value);
      if (group === undefined) offsets.set(symbol.value, [symbol]);
      else group.push(symbol);
    }
    for (const [section, offsets] of groups) {
      const places = [...offsets].map(([offset, symbols]) => makePlace(section, offset, symbols)).sort((a, b) => a.offset - b.offset);
      this.#placesBySection.set(section, places);
      for (const place of places) for (const symbol of place.symbols) this.#placesBySymbol.set(symbol, place);
    }
  }
}

function makePlace(section: ElfSection | undefined, offset: number, symbols: readonly ElfSymbol[]): Place {
  const global = symbols.find((symbol) => symbol.bind !== STB_LOCAL);
  const functions = symbols.filter((symbol) => symbol.type === STT_FUNC && !isPrefixName(symbol.name));
  return {
    section,
    offset,
    size: Math.max(...symbols.map((symbol) => symbol.size)),
    symbols,
    name: (global ?? functions[0] ?? symbols[0])?.name ?? "",
    isFunction: functions.length > 0,
    isGlobal: global !== undefined,
  };
}

/** True if every symbol of a place is weak: another unit's definition may have won. */
export function isWeak(place: Place): boolean {
  return place.symbols.some((symbol) => symbol.bind === STB_WEAK) && place.symbols.every((symbol) => symbol.bind !== 1);
}

/** Code that the kernel frees after boot or never keeps (include/asm-generic/vmlinux.lds.h: INIT_TEXT, EXIT_TEXT, DISCARDS). */
const DISCARDED_TEXT = /^\.(init|exit|meminit|memexit|cpuinit|cpuexit|discard|head)[._]?/;
const DISCARDED_OF_MODULES = /^\.(init|meminit|cpuinit|discard|head)[._]?/;
/** Pieces of code that belong to others, not functions by themselves: replacements, and trampolines that the kernel rewrites whole. */
const AUXILIARY_TEXT = /^\.(altinstr_replacement|altinstr_aux|static_call\.text)/;

/** Sections whose entries describe code, for the kernel or for tools. */
const DESCRIPTIONS =
  /^\.(orc_|debug|discard|smp_locks|altinstructions|parainstructions|(retpoline|return|call|static_call|cfi)_sites|kcfi_traps|ibt_endbr_seal|BTF)|^__(mcount_loc|bug_table|ex_table|jump_table|patchable)/;

function isText(section: ElfSection): boolean {
  return (section.flags & SHF_EXECINSTR) !== 0 && (section.flags & SHF_ALLOC) !== 0;
}

/** How references into a section are to be understood. */
export function kindOfSection(section: ElfSection): SectionKind {
  if ((section.flags & SHF_EXECINSTR) !== 0) return "text";
  if ((section.flags & SHF_MERGE) !== 0) return (section.flags & SHF_STRINGS) !== 0 ? "strings" : "constants";
  return (section.flags & SHF_WRITE) === 0 && section.name.startsWith(".rodata") ? "rodata" : "data";
}
