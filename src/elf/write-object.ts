import { concatBytes } from "./concat-bytes.js";
import * as elf from "./constants.js";
import { ElfFormatError } from "./elf-format-error.js";
import { AbsoluteAddress, COMMON, UNDEFINED, type ElfObject, type ElfSection, type ElfSymbol } from "./model.js";

/** Far above the largest module. Gaps for alignment take memory that no file has to hold. Bytes. */
const MAX_SIZE = 512 * 1024 * 1024;

/** Collects the strings of a string table; equal strings are stored once. */
class StringTable {
  readonly #offsets = new Map<string, number>([["", 0]]);
  readonly #parts: Uint8Array[] = [new Uint8Array(1)];
  #size = 1;

  add(text: string): number {
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    const bytes = new TextEncoder().encode(`${text}\0`);
    const offset = this.#size;
    this.#parts.push(bytes);
    this.#size += bytes.length;
    this.#offsets.set(text, offset);
    return offset;
  }

  toBytes(): Uint8Array {
    return concatBytes(this.#parts);
  }
}

interface OutputSection {
  name: string;
  type: number;
  flags: number;
  size: number;
  link: number;
  info: number;
  align: number;
  entsize: number;
  data: Uint8Array;
}

/**
 * Writes an object as a little-endian ET_REL file: its sections in their order, then relocation tables,
 * symbol table and string tables. The same model gives the same bytes.
 * Every section and symbol that is referred to must be part of the object; a stray one is an assertion failure.
 */
export function writeObject(object: ElfObject): Uint8Array {
  const sectionIndices = new Map(object.sections.map((section, index) => [section, index + 1]));
  const symbols = [
    ...object.symbols.filter((symbol) => symbol.bind === elf.STB_LOCAL),
    ...object.symbols.filter((symbol) => symbol.bind !== elf.STB_LOCAL),
  ];
  const symbolIndices = new Map(symbols.map((symbol, index) => [symbol, index + 1]));
  const withRelocations = object.sections.filter((section) => section.relocations.length > 0);
  const symtabIndex = 1 + object.sections.length + withRelocations.length;
  const strings = new StringTable();

  const outputs: OutputSection[] = [
    { name: "", type: elf.SHT_NULL, flags: 0, size: 0, link: 0, info: 0, align: 0, entsize: 0, data: new Uint8Array(0) },
    ...object.sections.map((section) => contentOutput(section, sectionIndices)),
    ...withRelocations.map((section) => ({
      name: `.rela${section.name}`,
      type: elf.SHT_RELA,
      flags: elf.SHF_INFO_LINK,
      size: section.relocations.length * elf.RELA_SIZE,
      link: symtabIndex,
      info: requireIndex(sectionIndices, section, section.name),
      align: 8,
      entsize: elf.RELA_SIZE,
      data: encodeRelocations(section, symbolIndices),
    })),
  ];
  const symtab = encodeSymbols(symbols, sectionIndices, strings);
  const tables = { flags: 0, info: 0, entsize: 0 };
  outputs.push({
    ...tables,
    name: ".symtab",
    type: elf.SHT_SYMTAB,
    size: symtab.length,
    link: symtabIndex + 1,
    info: 1 + symbols.filter((symbol) => symbol.bind === elf.STB_LOCAL).length,
    align: 8,
    entsize: elf.SYM_SIZE,
    data: symtab,
  });
  const stringBytes = strings.toBytes();
  outputs.push({ ...tables, name: ".strtab", type: elf.SHT_STRTAB, size: stringBytes.length, link: 0, align: 1, data: stringBytes });
  const names = new StringTable();
  for (const output of outputs) names.add(output.name);
  names.add(".shstrtab");
  const nameBytes = names.toBytes();
  outputs.push({ ...tables, name: ".shstrtab", type: elf.SHT_STRTAB, size: nameBytes.length, link: 0, align: 1, data: nameBytes });

  if (outputs.length >= elf.SHN_LORESERVE)
    throw new ElfFormatError(object.fileName, `too many sections to write (${String(outputs.length)})`);
  return layOut(outputs, names, object);
}

function contentOutput(section: ElfSection, indices: ReadonlyMap<ElfSection, number>): OutputSection {
  if (section.type !== elf.SHT_NOBITS && section.data.length !== section.size)
    throw new Error(`section ${section.name} says ${String(section.size)} bytes and holds ${String(section.data.length)}`);
  return {
    name: section.name,
    type: section.type,
    flags: section.linkedTo === undefined ? section.flags & ~elf.SHF_LINK_ORDER : section.flags | elf.SHF_LINK_ORDER,
    size: section.size,
    link: section.linkedTo === undefined ? 0 : requireIndex(indices, section.linkedTo, section.linkedTo.name),
    info: 0,
    align: section.align,
    entsize: section.entsize,
    data: section.data,
  };
}

function encodeRelocations(section: ElfSection, symbolIndices: ReadonlyMap<ElfSymbol, number>): Uint8Array {
  const view = new DataView(new ArrayBuffer(section.relocations.length * elf.RELA_SIZE));
  section.relocations.forEach((relocation, index) => {
    const at = index * elf.RELA_SIZE;
    view.setBigUint64(at, BigInt(relocation.offset), true);
    view.setUint32(at + 8, relocation.type.value, true);
    // The null symbol stands for "no symbol": relocations that write nothing use it.
    const isNull = relocation.symbol.name === "" && relocation.symbol.home === UNDEFINED;
    view.setUint32(at + 12, isNull ? 0 : requireIndex(symbolIndices, relocation.symbol, relocation.symbol.name), true);
    view.setBigInt64(at + 16, BigInt(relocation.addend), true);
  });
  return new Uint8Array(view.buffer);
}

function encodeSymbols(symbols: readonly ElfSymbol[], sectionIndices: ReadonlyMap<ElfSection, number>, strings: StringTable): Uint8Array {
  const view = new DataView(new ArrayBuffer((symbols.length + 1) * elf.SYM_SIZE));
  symbols.forEach((symbol, index) => {
    const at = (index + 1) * elf.SYM_SIZE;
    const isSection = symbol.type === elf.STT_SECTION;
    view.setUint32(at, isSection ? 0 : strings.add(symbol.name), true);
    view.setUint8(at + 4, (symbol.bind << 4) | symbol.type);
    view.setUint8(at + 5, symbol.other);
    const [shndx, value] = encodeHome(symbol, sectionIndices);
    view.setUint16(at + 6, shndx, true);
    view.setBigUint64(at + 8, value, true);
    view.setBigUint64(at + 16, BigInt(symbol.size), true);
  });
  return new Uint8Array(view.buffer);
}

function encodeHome(symbol: ElfSymbol, sectionIndices: ReadonlyMap<ElfSection, number>): [shndx: number, value: bigint] {
  if (symbol.home === UNDEFINED) return [elf.SHN_UNDEF, 0n];
  if (symbol.home === COMMON) return [elf.SHN_COMMON, BigInt(symbol.value)];
  if (symbol.home instanceof AbsoluteAddress) return [elf.SHN_ABS, BigInt.asUintN(64, symbol.home.addr)];
  return [requireIndex(sectionIndices, symbol.home, symbol.name), BigInt(symbol.value)];
}

function requireIndex<T>(indices: ReadonlyMap<T, number>, item: T, name: string): number {
  const index = indices.get(item);
  if (index === undefined) throw new Error(`${name} is referred to but is not part of the object`);
  return index;
}

function layOut(outputs: readonly OutputSection[], names: StringTable, { fileName, machine }: ElfObject): Uint8Array {
  let size = elf.EHDR_SIZE;
  const offsets = outputs.map((output) => {
    if (output.type === elf.SHT_NULL) return 0;
    const offset = alignUp(size, output.align);
    size = offset + output.data.length;
    return offset;
  });
  if (size > MAX_SIZE) throw new ElfFormatError(fileName, `with its alignments it takes ${String(size)} bytes`);
  const headersOffset = alignUp(size, 8);
  const bytes = new Uint8Array(headersOffset + outputs.length * elf.SHDR_SIZE);
  const view = new DataView(bytes.buffer);

  bytes.set([0x7f, 0x45, 0x4c, 0x46, elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EV_CURRENT]);
  view.setUint16(16, elf.ET_REL, true);
  view.setUint16(18, machine.value, true);
  view.setUint32(20, elf.EV_CURRENT, true);
  view.setBigUint64(40, BigInt(headersOffset), true);
  view.setUint16(52, elf.EHDR_SIZE, true);
  view.setUint16(58, elf.SHDR_SIZE, true);
  view.setUint16(60, outputs.length, true);
  view.setUint16(62, outputs.length - 1, true);

  outputs.forEach((output, index) => {
    const offset = offsets[index] ?? 0;
    bytes.set(output.data, offset);
    const at = headersOffset + index * elf.SHDR_SIZE;
    view.setUint32(at, names.add(output.name), true);
    view.setUint32(at + 4, output.type, true);
    view.setBigUint64(at + 8, BigInt(output.flags), true);
    view.setBigUint64(at + 24, BigInt(offset), true);
    view.setBigUint64(at + 32, BigInt(output.size), true);
    view.setUint32(at + 40, output.link, true);
    view.setUint32(at + 44, output.info, true);
    view.setBigUint64(at + 48, BigInt(output.align), true);
    view.setBigUint64(at + 56, BigInt(output.entsize), true);
  });
  return bytes;
}

function alignUp(value: number, align: number): number {
  return Math.ceil(value / align) * align;
}
