import { homeSection, type ElfObject, type ElfRelocation, type ElfSection } from "../../elf/model.js";
import type { Atom, TableEntry } from "./atom.js";
import type { SectionRule, TableLayout } from "./section-rules.js";
import { sliceRelocations } from "./split-section.js";

/** What is asked of an object that is taken apart. */
interface Code {
  readonly object: ElfObject;
  readonly rules: ReadonlyMap<ElfSection, SectionRule>;
  locate(section: ElfSection, offset: number): Atom | undefined;
}

export interface CodeTables {
  /** The entries that describe an atom, in order of section and place. */
  readonly entriesOf: ReadonlyMap<Atom, readonly TableEntry[]>;
  /** Tables whose entry size none of the known layouts explains. */
  readonly unreadable: readonly ElfSection[];
}

/** Finds the owner of every table entry of an object. */
export function readCodeTables(code: Code): CodeTables {
  const entriesOf = new Map<Atom, TableEntry[]>();
  const unreadable: ElfSection[] = [];
  for (const [section, rule] of code.rules) {
    if (rule.kind !== "table" || section.size === 0) continue;
    const size = findEntrySize(section, rule.layout);
    if (size === undefined) {
      unreadable.push(section);
      continue;
    }
    for (const entry of readEntries(code, section, rule.layout, size)) {
      const entries = entriesOf.get(entry.owner);
      if (entries === undefined) entriesOf.set(entry.owner, [entry]);
      else entries.push(entry);
    }
  }
  return { entriesOf, unreadable };
}

/** The entry size in bytes that the relocations fit: each entry has one at the owner's field, and the size divides the section's. */
function findEntrySize(section: ElfSection, layout: TableLayout): number | undefined {
  const offsets = new Set(section.relocations.map((relocation) => relocation.offset));
  return layout.sizes.find((size) => {
    if (section.size % size !== 0) return false;
    const fields = [layout.owner, ...(layout.alsoRelocated?.[size] ?? [])];
    for (let at = 0; at < section.size; at += size) if (fields.some((field) => !offsets.has(at + field))) return false;
    return true;
  });
}

function* readEntries(code: Code, section: ElfSection, layout: TableLayout, size: number): Generator<TableEntry> {
  let next = 0;
  for (let offset = 0; offset < section.size; offset += size) {
    const data = section.data.subarray(offset, offset + size);
    const relocations: ElfRelocation[] = [];
    let owner: Atom | undefined;
    for (; next < section.relocations.length; next++) {
      const relocation = section.relocations[next];
      if (relocation === undefined || relocation.offset >= offset + size) break;
      const field = relocation.offset - offset;
      if (field === layout.owner) owner = findOwner(code, relocation);
      if (field === layout.emptyIfLastByteZero && data[size - 1] === 0) continue;
      relocations.push({ ...relocation, offset: field });
    }
    if (owner !== undefined) yield { section, layout, offset, data, relocations, owner };
  }
}

function findOwner(code: Code, relocation: ElfRelocation): Atom | undefined {
  const section = homeSection(relocation.symbol);
  return section === undefined ? undefined : code.locate(section, relocation.symbol.value + relocation.addend);
}

/** The bytes and relocations of the companion table that go with an entry; undefined if the table has none. */
export function companionOf(
  code: Code,
  entry: TableEntry,
): { section: ElfSection; data: Uint8Array; relocations: ElfRelocation[] } | undefined {
  if (entry.layout.companion === undefined) return undefined;
  const [name, size] = entry.layout.companion;
  const section = code.object.sections.find((candidate) => candidate.name === name);
  if (section === undefined) return undefined;
  const start = (entry.offset / entry.data.length) * size;
  return { section, data: section.data.subarray(start, start + size), relocations: sliceRelocations(section, start, start + size) };
}
