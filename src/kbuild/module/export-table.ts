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
 * How a kernel tells which exports are for modules under the GPL only: by a table of their own (Linux 6.1 and 6.12), or by a byte for each in a table beside (7.2 and 7.3). A kernel of the
 * second kind reads no table of the first, and reads the bytes whether there are any or not.
 */
export type LicenceStyle = "tables" | "flags";

/** @param linkerScript the kernel's own for modules (scripts/module.lds), which gathers the tables that it reads */
export function findLicenceStyle(linkerScript: string): LicenceStyle {
  return /\b__kflagstab\b/.test(linkerScript) ? "flags" : "tables";
}

/** KSYM_FLAG_GPL_ONLY, include/linux/module_symbol.h, Linux 7.3. */
const GPL_ONLY = 1;

/**
 * Adds what the kernel's loader reads of a module's exports: tables sorted by name, as its search wants them, without CRCs.
 * @param module changed in place
 * @throws Error if the module has no symbol of that name
 */
export function addExportTables(module: ElfObject, exports: readonly ModuleExport[], style: LicenceStyle): void {
  if (exports.length === 0) return;
  const strings = makeSection("__ksymtab_strings", 1);
  const stringSymbol: ElfSymbol = { name: strings.name, bind: STB_LOCAL, type: STT_SECTION, other: 0, home: strings, value: 0, size: 0 };
  const type = module.machine.distance;
  const texts: number[] = [];
  const addText = (text: string): number => texts.push(...new TextEncoder().encode(text), 0) - text.length - 1;
  const sorted = exports.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const tables: [name: string, entries: ModuleExport[]][] =
    style === "flags"
      ? [["__ksymtab", sorted]]
      : [
          ["__ksymtab", sorted.filter(({ isGpl }) => !isGpl)],
          ["__ksymtab_gpl", sorted.filter(({ isGpl }) => isGpl)],
        ];
  for (const [tableName, entries] of tables) {
    if (entries.length === 0) continue;
    const table = makeSection(tableName, 4);
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
  if (style === "flags") {
    const flags = makeSection("__kflagstab", 1);
    fill(
      flags,
      Uint8Array.from(sorted, ({ isGpl }) => (isGpl ? GPL_ONLY : 0)),
    );
    module.sections.push(flags);
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
