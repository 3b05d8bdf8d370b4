import type { ElfMachine, RelocationType } from "../arch/machine/elf-machine.js";

/**
 * The editable model of a relocatable object. Sections and symbols refer to each other by
 * object reference, never by index; indices exist only inside the parser and the writer.
 */

/** A section with content. Symbol, string, relocation and index tables are not sections of the model: the writer makes them. */
export interface ElfSection {
  name: string;
  /** SHT_*: PROGBITS, NOBITS, NOTE, … */
  type: number;
  /** SHF_* bits. SHF_INFO_LINK and SHF_GROUP are cleared by the parser. */
  flags: number;
  /** Power of two, at least 1. */
  align: number;
  /** Size of one entry in bytes, for SHF_MERGE sections; else 0. */
  entsize: number;
  /** Content; empty for SHT_NOBITS. May be a view of the parsed file: copy before writing into it. */
  data: Uint8Array;
  /** Bytes in memory: `data.length`, or more for SHT_NOBITS. */
  size: number;
  /** In order of `offset`, as the parser sorts them. */
  relocations: ElfRelocation[];
  /** For SHF_LINK_ORDER: the section this one describes. */
  linkedTo?: ElfSection;
}

/** Where a symbol lives that is defined by no section: an address, fixed before loading (SHN_ABS). */
export class AbsoluteAddress {
  constructor(readonly addr: bigint) {}
}

export const UNDEFINED = "undefined";
export const COMMON = "common";
export type SymbolHome = ElfSection | AbsoluteAddress | typeof UNDEFINED | typeof COMMON;

export interface ElfSymbol {
  name: string;
  /** STB_* */
  bind: number;
  /** STT_* */
  type: number;
  /** st_other: STV_* in the low bits. */
  other: number;
  home: SymbolHome;
  /** Byte offset in the home section; the alignment for COMMON; else 0. */
  value: number;
  /** Bytes. */
  size: number;
}

export interface ElfRelocation {
  /** Byte offset of the relocated field in the section that owns this relocation. */
  offset: number;
  type: RelocationType;
  symbol: ElfSymbol;
  /** Signed; every addend a compiler emits fits a safe integer, the parser asserts it. */
  addend: number;
}

export interface ElfObject {
  /** What errors call this object. */
  fileName: string;
  machine: ElfMachine;
  sections: ElfSection[];
  /** Without the null symbol. The writer puts local symbols first. */
  symbols: ElfSymbol[];
}

/** True where the symbol is defined by a section of its object. */
export function isDefinedInSection(symbol: ElfSymbol): symbol is ElfSymbol & { home: ElfSection } {
  return typeof symbol.home === "object" && !(symbol.home instanceof AbsoluteAddress);
}

/** The symbol's section, or undefined for an undefined, common or absolute one. */
export function homeSection(symbol: ElfSymbol): ElfSection | undefined {
  return isDefinedInSection(symbol) ? symbol.home : undefined;
}
