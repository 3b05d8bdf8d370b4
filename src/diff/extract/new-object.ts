import type { ElfMachine } from "../../arch/machine/elf-machine.js";
import { concatBytes } from "../../elf/concat-bytes.js";
import * as elf from "../../elf/constants.js";
import type { AbsoluteAddress } from "../../elf/model.js";
import { UNDEFINED, type ElfObject, type ElfRelocation, type ElfSection, type ElfSymbol } from "../../elf/model.js";
import { atomSize, type Atom } from "../atoms/atom.js";
import type { NewCodeImport } from "../types.js";

/** Section of the strings and constants that new code brings. Not a merged one: their places are referred to by offset. */
const LITERALS = ".rodata.literals";

/** Section, and symbol, of the pointers that are written into existing data. */
const POINTERS = "ksplice_pointers";
const POINTER_SIZE = 8;

/** The object under construction: atoms become sections, what is not carried becomes undefined symbols. */
export class NewObject {
  readonly imports: NewCodeImport[] = [];
  readonly #sections: ElfSection[] = [];
  readonly #symbols: ElfSymbol[] = [];
  readonly #atoms = new Map<Atom, ElfSection>();
  readonly #named = new Map<Atom, ElfSymbol>();
  readonly #sectionSymbols = new Map<ElfSection, ElfSymbol>();
  readonly #imported = new Map<string, ElfSymbol>();
  readonly #literals = new Map<string, number>();
  readonly #literalParts: Uint8Array[] = [];
  #literalSection: ElfSection | undefined;
  #pointerSymbol: (ElfSymbol & { home: ElfSection }) | undefined;

  /** @param keepsGlobal names of symbols that other objects may link against */
  constructor(readonly keepsGlobal: ReadonlySet<string>) {}

  /** Adds an atom as a section of its own, its relocations still to be given. */
  addAtom(atom: Atom): ElfSection {
    const { section } = atom;
    const added = this.addSection({
      name: newSectionName(atom),
      type: section.type,
      flags: section.flags & ~(elf.SHF_MERGE | elf.SHF_STRINGS | elf.SHF_LINK_ORDER),
      align: alignmentAt(section.align, atom.start),
      entsize: 0,
      data: new Uint8Array(atom.data),
      size: atomSize(atom),
      relocations: [],
    });
    this.#atoms.set(atom, added);
    for (const symbol of atom.symbols) {
      const copy: ElfSymbol = {
        ...symbol,
        bind: this.keepsGlobal.has(symbol.name) ? elf.STB_GLOBAL : elf.STB_LOCAL,
        other: elf.STV_DEFAULT,
        home: added,
        value: symbol.value - atom.start,
      };
      this.#symbols.push(copy);
      if (symbol === atom.symbol) this.#named.set(atom, copy);
    }
    return added;
  }

  addSection(section: ElfSection): ElfSection {
    this.#sections.push(section);
    return section;
  }

  sectionOf(atom: Atom): ElfSection {
    const section = this.#atoms.get(atom);
    if (section === undefined) throw new Error(`section ${atom.section.name} at ${String(atom.start)} is referred to and not carried`);
    return section;
  }

  /** A reference to `offset` bytes from the start of a carried atom. */
  referToAtom(atom: Atom, offset: number): Pick<ElfRelocation, "symbol" | "addend"> {
    const named = this.#named.get(atom);
    if (named !== undefined) return { symbol: named, addend: offset - named.value };
    return this.referToSection(this.sectionOf(atom), offset);
  }

  /** A reference to `offset` bytes from the start of a section that was added. */
  referToSection(section: ElfSection, offset: number): Pick<ElfRelocation, "symbol" | "addend"> {
    return { symbol: this.#sectionSymbol(section), addend: offset };
  }

  /** A reference to byte `delta` of a string or constant, which is stored once. */
  referToLiteral(bytes: Uint8Array, align: number, delta: number): Pick<ElfRelocation, "symbol" | "addend"> {
    this.#literalSection ??= this.addSection({
      name: LITERALS,
      type: elf.SHT_PROGBITS,
      flags: elf.SHF_ALLOC,
      align: 1,
      entsize: 0,
      data: new Uint8Array(0),
      size: 0,
      relocations: [],
    });
    const section = this.#literalSection;
    const key = `${String(align)} ${bytes.join()}`;
    let place = this.#literals.get(key);
    if (place === undefined) {
      place = Math.ceil(section.size / align) * align;
      this.#literalParts.push(new Uint8Array(place - section.size), bytes);
      section.size = place + bytes.length;
      section.align = Math.max(section.align, align);
      this.#literals.set(key, place);
    }
    return this.referToSection(section, place + delta);
  }

  /** Where `offset` bytes from the start of a carried atom are, by the atom's own symbol. */
  placeIn(atom: Atom, offset: number): { newSymbol: string; newOffset: number } {
    const named = this.#named.get(atom);
    if (named === undefined) throw new Error(`section ${atom.section.name} at ${String(atom.start)} is not carried under a name`);
    return { newSymbol: named.name, newOffset: offset - named.value };
  }

  /** Adds a pointer by itself, to be written into existing data. @param relocation what it points to; its offset does not count */
  addPointer(relocation: ElfRelocation): { newSymbol: string; newOffset: number } {
    const symbol = (this.#pointerSymbol ??= this.#makePointers());
    const { home } = symbol;
    home.relocations.push({ ...relocation, offset: home.size });
    const newOffset = home.size;
    home.size += POINTER_SIZE;
    symbol.size = home.size;
    home.data = new Uint8Array(home.size);
    return { newSymbol: symbol.name, newOffset };
  }

  #makePointers(): ElfSymbol & { home: ElfSection } {
    const section = this.addSection({
      name: `.rodata.${POINTERS}`,
      type: elf.SHT_PROGBITS,
      flags: elf.SHF_ALLOC,
      align: POINTER_SIZE,
      entsize: 0,
      data: new Uint8Array(0),
      size: 0,
      relocations: [],
    });
    const symbol = { name: POINTERS, bind: elf.STB_LOCAL, type: elf.STT_OBJECT, other: elf.STV_DEFAULT, home: section, value: 0, size: 0 };
    this.#symbols.push(symbol);
    return symbol;
  }

  /** The undefined symbol of an import, made once. */
  importSymbol(item: NewCodeImport, isWeak = false): ElfSymbol {
    const known = this.#imported.get(item.name);
    if (known !== undefined) return known;
    const symbol: ElfSymbol = {
      name: item.name,
      bind: isWeak ? elf.STB_WEAK : elf.STB_GLOBAL,
      type: elf.STT_NOTYPE,
      other: elf.STV_DEFAULT,
      home: UNDEFINED,
      value: 0,
      size: 0,
    };
    this.#imported.set(item.name, symbol);
    this.#symbols.push(symbol);
    this.imports.push(item);
    return symbol;
  }

  /** A copy of an absolute symbol, made once. */
  copyAbsolute(symbol: ElfSymbol & { home: AbsoluteAddress }): ElfSymbol {
    const key = `absolute ${symbol.name} ${String(symbol.home.addr)}`;
    const known = this.#imported.get(key);
    if (known !== undefined) return known;
    const copy = { ...symbol, bind: elf.STB_LOCAL };
    this.#imported.set(key, copy);
    this.#symbols.push(copy);
    return copy;
  }

  finish(fileName: string, machine: ElfMachine): ElfObject {
    if (this.#literalSection !== undefined) this.#literalSection.data = concatBytes(this.#literalParts);
    const isLocal = (symbol: ElfSymbol): boolean => symbol.bind === elf.STB_LOCAL;
    return {
      fileName,
      machine,
      sections: this.#sections,
      symbols: [...this.#sectionSymbols.values(), ...this.#symbols.filter(isLocal), ...this.#symbols.filter((symbol) => !isLocal(symbol))],
    };
  }

  #sectionSymbol(section: ElfSection): ElfSymbol {
    const known = this.#sectionSymbols.get(section);
    if (known !== undefined) return known;
    const symbol: ElfSymbol = {
      name: section.name,
      bind: elf.STB_LOCAL,
      type: elf.STT_SECTION,
      other: elf.STV_DEFAULT,
      home: section,
      value: 0,
      size: 0,
    };
    this.#sectionSymbols.set(section, symbol);
    return symbol;
  }
}

/** A carried atom keeps the name of its section, unless the module loader would take that for something else (kernel/module/main.c, Linux 6.1). */
function newSectionName({ rule, section }: Atom): string {
  // The one name that it knows per-CPU data by.
  if (rule.kind === "data" && rule.perCpu === true) return ".data..percpu";
  // It frees .init sections once the module is loaded, and .exit sections too on kernels that cannot unload modules.
  if ((rule.kind === "text" || rule.kind === "data") && rule.area !== "always") {
    if (rule.kind === "text") return ".text.kept";
    return (section.flags & elf.SHF_WRITE) === 0 ? ".rodata.kept" : ".data.kept";
  }
  // It makes this read-only once the module is loaded, which is before the new code runs for the first time.
  if (rule.kind === "data" && rule.memory === "read-only") return ".data";
  return section.name;
}

/** The alignment that an offset has in a section of that alignment. */
function alignmentAt(align: number, offset: number): number {
  let at = align;
  while (at > 1 && offset % at !== 0) at /= 2;
  return at;
}
