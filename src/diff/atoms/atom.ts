import type { ElfRelocation, ElfSection, ElfSymbol } from "../../elf/model.js";
import type { SectionRule, TableLayout } from "./section-rules.js";

/**
 * The unit of comparison and of carrying: a function, a named object, or a nameless piece of a section.
 * With -ffunction-sections most sections are one atom; `.sched.text` and `.data..read_mostly` are many.
 */
export interface Atom {
  readonly section: ElfSection;
  readonly rule: SectionRule;
  /** Byte range in the section. A function's range includes the call padding in front of its symbol. */
  readonly start: number;
  readonly end: number;
  /** The symbol that names the atom; undefined for a nameless piece. */
  readonly symbol: ElfSymbol | undefined;
  /** All symbols in the range, the naming one first. */
  readonly symbols: readonly ElfSymbol[];
  /** Content; empty for SHT_NOBITS. Displacements that were resolved against another atom of the section are zeroed and stand in `relocations`. */
  readonly data: Uint8Array;
  /** Offsets count from the start of the atom. */
  readonly relocations: readonly ElfRelocation[];
}

/** One entry of a table that describes code. */
export interface TableEntry {
  readonly section: ElfSection;
  readonly layout: TableLayout;
  /** Byte offset in the section. */
  readonly offset: number;
  readonly data: Uint8Array;
  /** Offsets count from the start of the entry. */
  readonly relocations: readonly ElfRelocation[];
  readonly owner: Atom;
}

/** What a relocation refers to. */
export type Target =
  /** A symbol that this object does not define, an absolute or a common one. */
  | { readonly kind: "outside"; readonly symbol: ElfSymbol; readonly addend: number }
  /** `offset` bytes from the start of an atom, the addend included as it stands (so less the 4 of a PC-relative field in code). */
  | { readonly kind: "atom"; readonly atom: Atom; readonly offset: number; readonly bias: number }
  /** The start of an entry of a table that describes the code which refers to it. `bias` is to be taken off again when the field is written. */
  | { readonly kind: "entry"; readonly entry: TableEntry; readonly bias: number }
  /** A merged string or constant. `delta`: which byte of it the field means; `bias` is to be taken off again when the field is written. */
  | { readonly kind: "literal"; readonly bytes: Uint8Array; readonly align: number; readonly delta: number; readonly bias: number };

/** Bytes. */
export function atomSize(atom: Atom): number {
  return atom.end - atom.start;
}

/** The atom's name for messages; a nameless one is called by its section. */
export function atomName(atom: Atom): string {
  return atom.symbol?.name ?? atom.section.name;
}

/** True for code. */
export function isText(atom: Atom): boolean {
  return atom.rule.kind === "text";
}

/** True for the same bytes, and as many. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** The bytes of an object, those that the object file does not hold included. */
export function contentOf(atom: Atom): Uint8Array {
  return atom.data.length === 0 ? new Uint8Array(atomSize(atom)) : atom.data;
}

/** A function's name as a string, `__func__`: a copy is as good, and the old one may be where nothing leads to that matching follows. */
export function isFunctionName({ symbol, rule }: Atom): boolean {
  return rule.kind === "data" && !rule.mutable && /^__(func|FUNCTION|PRETTY_FUNCTION)__\.\d+$/.test(symbol?.name ?? "");
}
