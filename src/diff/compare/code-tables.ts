import { homeSection, type ElfRelocation, type ElfSection } from "../../elf/model.js";
import { atomName, isText, type Atom } from "../atoms/atom.js";
import { meaningOfText, type TableLayout } from "../atoms/section-rules.js";
import type { Twins } from "./group.js";
import type { SplitObject } from "../atoms/split-object.js";
import { sliceRelocations } from "../atoms/split-section.js";

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

export interface CodeTables {
  /** The entries that describe an atom, in order of section and place. */
  readonly entriesOf: ReadonlyMap<Atom, readonly TableEntry[]>;
  /** Tables whose entry size none of the known layouts explains. */
  readonly unreadable: readonly ElfSection[];
}

/** Finds the owner of every table entry of an object. */
export function readCodeTables(split: SplitObject): CodeTables {
  const entriesOf = new Map<Atom, TableEntry[]>();
  const unreadable: ElfSection[] = [];
  for (const [section, rule] of split.rules) {
    if (rule.kind !== "table" || section.size === 0) continue;
    const size = findEntrySize(section, rule.layout);
    if (size === undefined) {
      unreadable.push(section);
      continue;
    }
    for (const entry of readEntries(split, section, rule.layout, size)) {
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

function* readEntries(split: SplitObject, section: ElfSection, layout: TableLayout, size: number): Generator<TableEntry> {
  let next = 0;
  for (let offset = 0; offset < section.size; offset += size) {
    const data = section.data.subarray(offset, offset + size);
    const relocations: ElfRelocation[] = [];
    let owner: Atom | undefined;
    for (; next < section.relocations.length; next++) {
      const relocation = section.relocations[next];
      if (relocation === undefined || relocation.offset >= offset + size) break;
      const field = relocation.offset - offset;
      if (field === layout.owner) owner = findOwner(split, relocation);
      if (field === layout.emptyIfLastByteZero && data[size - 1] === 0) continue;
      relocations.push({ ...relocation, offset: field });
    }
    if (owner !== undefined) yield { section, layout, offset, data, relocations, owner };
  }
}

function findOwner(split: SplitObject, relocation: ElfRelocation): Atom | undefined {
  const section = homeSection(relocation.symbol);
  return section === undefined ? undefined : split.locate(section, relocation.symbol.value + relocation.addend);
}

/** The bytes and relocations of the companion table that go with an entry; undefined if the table has none. */
export function companionOf(
  split: SplitObject,
  entry: TableEntry,
): { section: ElfSection; data: Uint8Array; relocations: ElfRelocation[] } | undefined {
  if (entry.layout.companion === undefined) return undefined;
  const [name, size] = entry.layout.companion;
  const section = split.object.sections.find((candidate) => candidate.name === name);
  if (section === undefined) return undefined;
  const start = (entry.offset / entry.data.length) * size;
  return { section, data: section.data.subarray(start, start + size), relocations: sliceRelocations(section, start, start + size) };
}

/** A function that is on a list of the kernel's on one side only. */
export interface ChangedMark {
  readonly name: string;
  /** The list, in words. */
  readonly what: string;
}

/** Compares what the kernel takes functions for, by tables that it reads when it starts and by the sections that they lie in: of functions that are there on both sides. */
export function findChangedMarks(pre: CodeTables, post: CodeTables, twins: Twins): ChangedMark[] {
  return [...twins].flatMap(([after, before]) => {
    const [had, has] = [marksOf(pre, before), marksOf(post, after)];
    const changed = [...had, ...has].filter(([mark]) => had.has(mark) !== has.has(mark));
    return [...new Set(changed.map(([, what]) => what))].map((what): ChangedMark => ({ name: atomName(after), what }));
  });
}

/** Lists that a function is on, in words, by what tells them apart: as what it is there (the errors that may be injected), too. */
function marksOf(tables: CodeTables, atom: Atom): ReadonlyMap<string, string> {
  const marks = new Map<string, string>();
  for (const { layout, data } of tables.entriesOf.get(atom) ?? [])
    if (layout.takenAtStart !== undefined)
      marks.set([layout.takenAtStart, ...data.filter((byte) => byte !== 0)].join(" "), layout.takenAtStart);
  const meaning = isText(atom) ? meaningOfText(atom.section.name) : undefined;
  if (meaning !== undefined) marks.set(meaning, meaning);
  return marks;
}
