import { homeSection, type ElfObject, type ElfSection, type ElfSymbol } from "../../elf/model.js";

/** A symbol that a unit offers to modules. */
export interface ExportEntry {
  readonly name: string;
  /** For modules under the GPL only. */
  readonly isGpl: boolean;
  /** Symbol namespace; empty for none. */
  readonly namespace: string;
  /** What is exported. */
  readonly symbol: ElfSymbol;
}

/** Sections of an export, and of its CRC: read here, neither compared nor carried as they are. */
export const EXPORT_SECTION = /^___?ksymtab(_gpl)?(\+.*)?$|^___?kcrctab|^\.export_symbol$|^__ksymtab_strings$/;

/**
 * What an object exports, by name. Up to Linux 6.4 each export is a section `___ksymtab[_gpl]+NAME` with an entry of the table that modules
 * are linked against; since then an entry in `.export_symbol`, out of which the table is made later (include/linux/export.h, Linux 6.1 and 6.12).
 */
export function readExports(object: ElfObject): ReadonlyMap<string, ExportEntry> {
  const exports = new Map<string, ExportEntry>();
  for (const section of object.sections) {
    const [, gpl, name] = /^___ksymtab(_gpl)?\+(.+)$/.exec(section.name) ?? [];
    const symbol = section.relocations.find(({ offset }) => offset === 0)?.symbol;
    if (name === undefined || symbol === undefined) continue;
    const namespace = section.relocations.find(({ offset }) => offset === 8);
    const strings = namespace === undefined ? undefined : homeSection(namespace.symbol);
    const text = strings === undefined || namespace === undefined ? "" : stringAt(strings, namespace.symbol.value + namespace.addend);
    exports.set(name, { name, isGpl: gpl !== undefined, namespace: text, symbol });
  }
  for (const label of object.symbols) {
    const [, name] = /^__export_symbol_(.+)$/.exec(label.name) ?? [];
    const section = homeSection(label);
    if (name === undefined || section?.name !== ".export_symbol") continue;
    const licence = stringAt(section, label.value);
    const namespace = stringAt(section, label.value + licence.length + 1);
    const symbol = section.relocations.find(({ offset }) => offset >= label.value + licence.length + namespace.length + 2)?.symbol;
    if (symbol !== undefined) exports.set(name, { name, isGpl: licence !== "", namespace, symbol });
  }
  return exports;
}

function stringAt({ data }: ElfSection, offset: number): string {
  const end = data.indexOf(0, offset);
  return new TextDecoder().decode(data.subarray(offset, end < 0 ? data.length : end));
}

/** Said of what a unit exports no more; it may be that another one does with the patch. */
export function noLongerExported(name: string): string {
  return `${name} is no longer exported by the patch; it stays so until the next boot`;
}

/** How the exports of a unit change. */
export interface ExportComparison {
  readonly added: readonly ExportEntry[];
  readonly removed: readonly ExportEntry[];
  /** Those that are offered to other modules than before. */
  readonly regraded: readonly ExportEntry[];
  readonly notes: readonly string[];
}

/**
 * Compares what two objects export. An added export becomes one of the update's. One that is taken away stays: modules may be linked to it.
 */
export function compareExports(pre: ElfObject, post: ElfObject): ExportComparison {
  const before = readExports(pre);
  const after = readExports(post);
  const removed = [...before.values()].filter(({ name }) => !after.has(name));
  const regraded = [...after.values()].filter(({ name, isGpl, namespace }) => {
    const twin = before.get(name);
    return twin !== undefined && (twin.isGpl !== isGpl || twin.namespace !== namespace);
  });
  return {
    added: [...after.values()].filter(({ name }) => !before.has(name)),
    removed,
    regraded,
    notes: [
      ...removed.map(({ name }) => noLongerExported(name)),
      ...regraded.map(({ name }) => `${name} is exported for other modules than before; that has no effect until the next boot`),
    ],
  };
}
