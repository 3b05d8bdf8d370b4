import * as elf from "../../elf/constants.js";
import type { ElfRelocation, ElfSection } from "../../elf/model.js";
import type { Analysis } from "../compare/analyse.js";
import type { Atom, TableEntry } from "../atoms/atom.js";
import { companionOf } from "../atoms/code-tables.js";
import type { Relocate } from "./relocate.js";
import type { NewObject } from "./new-object.js";

/** Where entries of the post object's tables are in the new one. */
export type EntryPlaces = ReadonlyMap<TableEntry, { readonly section: ElfSection; readonly offset: number }>;

/** Adds the entries of the carried code's tables to the new object, in the order of the post object. A table without such entries is not made. */
export function sliceTables(analysis: Analysis, carried: ReadonlySet<Atom>, object: NewObject, relocate: Relocate): EntryPlaces {
  const slices = new Map<string, Slice>();
  const placed = new Map<TableEntry, { readonly slice: Slice; readonly offset: number }>();
  const sliceFor = (section: ElfSection, owner: Atom): Slice => {
    // A section that is ordered by another one (SHF_LINK_ORDER) describes that one only.
    const linkedTo = section.linkedTo === undefined ? undefined : object.sectionOf(owner);
    const key = `${section.name} ${linkedTo === undefined ? "" : `${owner.section.name} ${String(owner.start)}`}`;
    const slice = slices.get(key) ?? { template: section, linkedTo, parts: [], relocations: [], size: 0 };
    slices.set(key, slice);
    return slice;
  };
  const entries = [...carried].flatMap((atom) => analysis.postTables.entriesOf.get(atom) ?? []);
  for (const entry of inOrder(analysis, entries)) {
    const { data, relocations, section, owner } = entry;
    const move = (relocation: ElfRelocation): ElfRelocation => relocate(relocation, analysis.post.target(relocation, undefined), undefined);
    const slice = sliceFor(section, owner);
    placed.set(entry, { slice, offset: slice.size });
    append(slice, data, relocations.map(move));
    const companion = companionOf(analysis.post, entry);
    if (companion !== undefined) append(sliceFor(companion.section, owner), companion.data, companion.relocations.map(move));
  }
  const sections = new Map([...slices.values()].map((slice) => [slice, object.addSection(toSection(slice))]));
  return new Map(
    [...placed].flatMap(([entry, { slice, offset }]) => {
      const section = sections.get(slice);
      return section === undefined ? [] : [[entry, { section, offset }]];
    }),
  );
}

interface Slice {
  readonly template: ElfSection;
  readonly linkedTo: ElfSection | undefined;
  readonly parts: Uint8Array[];
  readonly relocations: ElfRelocation[];
  size: number;
}

function inOrder(analysis: Analysis, entries: readonly TableEntry[]): TableEntry[] {
  const places = new Map(analysis.post.object.sections.map((section, index) => [section, index]));
  return [...entries].sort((a, b) => (places.get(a.section) ?? 0) - (places.get(b.section) ?? 0) || a.offset - b.offset);
}

function append(slice: Slice, data: Uint8Array, relocations: readonly ElfRelocation[]): void {
  for (const relocation of relocations) slice.relocations.push({ ...relocation, offset: relocation.offset + slice.size });
  slice.parts.push(data);
  slice.size += data.length;
}

function toSection({ template, linkedTo, parts, relocations, size }: Slice): ElfSection {
  const data = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return {
    name: template.name,
    type: template.type,
    flags: linkedTo === undefined ? template.flags & ~elf.SHF_LINK_ORDER : template.flags,
    align: template.align,
    entsize: template.entsize,
    data,
    size,
    relocations,
    ...(linkedTo === undefined ? {} : { linkedTo }),
  };
}
