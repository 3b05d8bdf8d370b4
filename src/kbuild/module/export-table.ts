import { SHF_ALLOC, SHT_PROGBITS, STB_LOCAL, STT_SECTION } from "../../elf/constants.js";
import type { ElfObject, ElfSection, ElfSymbol } from "../../elf/model.js";

/** A symbol that a module offers to others. */
export interface ModuleExport {
  readonly name: string;
  /** Its name in the module's own symbol table. */
  readonly symbol: string;
  readonly isGpl: boolean;
  /** Symbol namespace; empty for none. */
  readonly namespace: string;
}

/** `struct kernel_symbol`: the distances from each field to the value, the name and the namespace (include/linux/export.h, Linux 6.1, PREL32). */
const ENTRY_SIZE = 12;

/**
 * Adds what the kernel's loader reads of a module's exports: a table for each licence, sorted by name as its search wants them, without CRCs.
 * @param module changed in place
 * @throws Error if the module has no symbol of that name
 */
export function addExportTables(module: ElfObject, exports: readonly ModuleExport[]): void {
  if (exports.length === 0) return;
  const strings = makeSection("__ksymtab_strings", 1);
  const stringSymbol: ElfSymbol = { name: strings.name, bind: STB_LOCAL, type: STT_SECTION, other: 0, home: strings, value: 0, size: 0 };
  const type = module.machine.distance;
  const texts: number[] = [];
  const addText = (text: string): number => texts.push(...new TextEncoder().encode(text), 0) - text.length - 1;
  for (const isGpl of [false, true]) {
    const entries = exports.filter((entry) => entry.isGpl === isGpl).sort((a, b) => (a.name < b.name ? -1 : 1));
    if (entries.length === 0) continue;
    const table = makeSection(isGpl ? "__ksymtab_gpl" : "__ksymtab", 4);
    entries.forEach(({ name, symbol: symbolName, namespace }, index) => {
      const symbol = module.symbols.find((candidate) => candidate.name === symbolName);
      if (symbol === undefined) throw new Error(`${module.fileName} exports ${name} and has no symbol ${symbolName}`);
      const at = index * ENTRY_SIZE;
      table.relocations.push(
        { offset: at, type, symbol, addend: 0 },
        { offset: at + 4, type, symbol: stringSymbol, addend: addText(name) },
        { offset: at + 8, type, symbol: stringSymbol, addend: addText(namespace) },
      );
    });
    fill(table, new Uint8Array(entries.length * ENTRY_SIZE));
    module.sections.push(table);
  }
  fill(strings, Uint8Array.from(texts));
  module.sections.push(strings);
  // Local symbols come first in a symbol table.
  module.symbols.unshift(stringSymbol);
}

function makeSection(name: string, align: number): ElfSection {
  return { name, type: SHT_PROGBITS, flags: SHF_ALLOC, align, entsize: 0, data: new Uint8Array(0), size: 0, relocations: [] };
}

function fill(section: ElfSection, data: Uint8Array): void {
  section.data = data;
  section.size = data.length;
}
