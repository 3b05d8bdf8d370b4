import type { ElfMachine } from "../arch/machine/elf-machine.js";
import { findMachine, MACHINE_NAMES } from "../arch/machine/machines.js";
import { BinaryReader, readCString } from "./binary-reader.js";
import * as elf from "./constants.js";
import { ElfFormatError } from "./elf-format-error.js";
import { AbsoluteAddress, COMMON, UNDEFINED, type ElfObject, type ElfSection, type ElfSymbol, type SymbolHome } from "./model.js";

interface SectionHeader {
  nameOffset: number;
  type: number;
  flags: number;
  offset: number;
  size: number;
  link: number;
  info: number;
  align: number;
  entsize: number;
}

/** Of a section: a large page. Bytes. */
const MAX_ALIGN = 2 * 1024 * 1024;

/** Section types that the model does not keep: the writer makes its own, or the content is only a hint to a linker. */
const TABLE_TYPES: ReadonlySet<number> = new Set([
  elf.SHT_NULL,
  elf.SHT_SYMTAB,
  elf.SHT_STRTAB,
  elf.SHT_RELA,
  elf.SHT_GROUP,
  elf.SHT_SYMTAB_SHNDX,
  elf.SHT_LLVM_ADDRSIG,
]);

/**
 * Parses a relocatable (ET_REL) little-endian object of a processor that is known, kernel modules included.
 * Section contents are views of `bytes`.
 * @param fileName what errors call the input
 * @throws ElfFormatError for anything else, and for truncated or inconsistent input
 */
export function parseObject(bytes: Uint8Array, fileName: string): ElfObject {
  const headers = readSectionHeaders(bytes, fileName);
  const names = contentOf(bytes, requireHeader(headers.table, headers.namesIndex, fileName, "section names"), fileName);

  const sections = headers.table.map((header) => parseSection(bytes, header, names, fileName));
  const symtabIndex = headers.table.findIndex((header) => header.type === elf.SHT_SYMTAB);
  const symbols = symtabIndex < 0 ? [] : parseSymbols(bytes, headers.table, symtabIndex, sections, fileName);

  headers.table.forEach((header, index) => {
    const section = sections[index];
    if (section !== undefined && (header.flags & elf.SHF_LINK_ORDER) !== 0) {
      const linked = sections[header.link];
      if (linked !== undefined) section.linkedTo = linked;
    }
    if (header.type === elf.SHT_REL) throw new ElfFormatError(fileName, "SHT_REL relocations are not known");
    if (header.type === elf.SHT_RELA)
      parseRelocations(bytes, header, { machine: headers.machine, symtabIndex, sections, symbols }, fileName);
  });

  return {
    fileName,
    machine: headers.machine,
    sections: sections.filter((section) => section !== undefined),
    // Those of sections that are tables, and that are left out above, would come out as undefined symbols without a name.
    symbols: symbols.slice(1).filter(({ type, home }) => type !== elf.STT_SECTION || home !== UNDEFINED),
  };
}

function readSectionHeaders(bytes: Uint8Array, fileName: string): { machine: ElfMachine; table: SectionHeader[]; namesIndex: number } {
  const reader = new BinaryReader(bytes, fileName);
  const ident = reader.readBytes(elf.EI_NIDENT);
  if (ident[0] !== 0x7f || ident[1] !== 0x45 || ident[2] !== 0x4c || ident[3] !== 0x46)
    throw new ElfFormatError(fileName, "not an ELF file");
  if (ident[4] !== elf.ELFCLASS64 || ident[5] !== elf.ELFDATA2LSB)
    throw new ElfFormatError(fileName, "not a 64-bit little-endian ELF file");
  const type = reader.readU16();
  if (type !== elf.ET_REL) throw new ElfFormatError(fileName, `not a relocatable object (e_type is ${String(type)})`);
  const machineNumber = reader.readU16();
  const machine = findMachine(machineNumber);
  if (machine === undefined)
    throw new ElfFormatError(fileName, `not an ${MACHINE_NAMES.join(" or ")} object (e_machine is ${String(machineNumber)})`);

  reader.offset = 40;
  const tableOffset = reader.readSize();
  reader.offset = 58;
  const entrySize = reader.readU16();
  if (entrySize !== elf.SHDR_SIZE) throw new ElfFormatError(fileName, `section headers of ${String(entrySize)} bytes`);
  const shortCount = reader.readU16();
  const shortNamesIndex = reader.readU16();

  // More sections than 16 bits count: the real numbers stand in the null section's header.
  const first = readSectionHeader(reader, tableOffset);
  const count = shortCount === 0 ? first.size : shortCount;
  const namesIndex = shortNamesIndex === elf.SHN_XINDEX ? first.link : shortNamesIndex;
  if (tableOffset + count * elf.SHDR_SIZE > bytes.length) throw new ElfFormatError(fileName, "section headers lie outside the file");
  const table = Array.from({ length: count }, (_, index) => readSectionHeader(reader, tableOffset + index * elf.SHDR_SIZE));
  return { machine, table, namesIndex };
}

function readSectionHeader(reader: BinaryReader, offset: number): SectionHeader {
  reader.offset = offset;
  const nameOffset = reader.readU32();
  const type = reader.readU32();
  const flags = reader.readSize();
  reader.readU64(); // sh_addr is 0 in a relocatable object
  return {
    nameOffset,
    type,
    flags,
    offset: reader.readSize(),
    size: reader.readSize(),
    link: reader.readU32(),
    info: reader.readU32(),
    align: reader.readSize(),
    entsize: reader.readSize(),
  };
}

function requireHeader(table: readonly SectionHeader[], index: number, fileName: string, what: string): SectionHeader {
  const header = table[index];
  if (header === undefined) throw new ElfFormatError(fileName, `${what}: section index ${String(index)} of ${String(table.length)}`);
  return header;
}

function contentOf(bytes: Uint8Array, header: SectionHeader, fileName: string): Uint8Array {
  return new BinaryReader(bytes, fileName, header.offset).readBytes(header.size);
}

function parseSection(bytes: Uint8Array, header: SectionHeader, names: Uint8Array, fileName: string): ElfSection | undefined {
  if (TABLE_TYPES.has(header.type)) return undefined;
  const name = readCString(names, header.nameOffset, fileName);
  if (header.align > MAX_ALIGN || !Number.isInteger(Math.log2(Math.max(1, header.align))))
    throw new ElfFormatError(fileName, `implausible alignment of ${name}: ${String(header.align)}`);
  return {
    name,
    type: header.type,
    flags: header.flags & ~(elf.SHF_INFO_LINK | elf.SHF_GROUP),
    align: Math.max(1, header.align),
    entsize: header.entsize,
    data: header.type === elf.SHT_NOBITS ? new Uint8Array(0) : contentOf(bytes, header, fileName),
    size: header.size,
    relocations: [],
  };
}

function parseSymbols(
  bytes: Uint8Array,
  headers: readonly SectionHeader[],
  symtabIndex: number,
  sections: readonly (ElfSection | undefined)[],
  fileName: string,
): ElfSymbol[] {
  const header = requireHeader(headers, symtabIndex, fileName, "symbol table");
  const strings = contentOf(bytes, requireHeader(headers, header.link, fileName, "symbol names"), fileName);
  const indexHeader = headers.find((candidate) => candidate.type === elf.SHT_SYMTAB_SHNDX && candidate.link === symtabIndex);
  const longIndices = indexHeader === undefined ? undefined : new BinaryReader(contentOf(bytes, indexHeader, fileName), fileName);
  const reader = new BinaryReader(contentOf(bytes, header, fileName), fileName);

  return Array.from({ length: Math.floor(header.size / elf.SYM_SIZE) }, (_, index) => {
    reader.offset = index * elf.SYM_SIZE;
    const nameOffset = reader.readU32();
    const info = reader.readU8();
    const other = reader.readU8();
    const shndx = reader.readU16();
    const rawValue = reader.readU64();
    const size = reader.readSize();
    const symbol: ElfSymbol = {
      name: readCString(strings, nameOffset, fileName),
      bind: info >> 4,
      type: info & 0xf,
      other,
      home: UNDEFINED,
      value: 0,
      size,
    };
    symbol.home = parseHome(shndx, rawValue, index);
    if (!(symbol.home instanceof AbsoluteAddress)) symbol.value = Number(rawValue);
    if (
      symbol.type === elf.STT_SECTION &&
      symbol.name === "" &&
      typeof symbol.home === "object" &&
      !(symbol.home instanceof AbsoluteAddress)
    )
      symbol.name = symbol.home.name;
    return symbol;
  });

  function parseHome(shndx: number, value: bigint, symbolIndex: number): SymbolHome {
    if (shndx === elf.SHN_UNDEF) return UNDEFINED;
    if (shndx === elf.SHN_ABS) return new AbsoluteAddress(value);
    if (shndx === elf.SHN_COMMON) return COMMON;
    let index = shndx;
    if (shndx === elf.SHN_XINDEX) {
      if (longIndices === undefined) throw new ElfFormatError(fileName, "SHN_XINDEX without SHT_SYMTAB_SHNDX");
      longIndices.offset = symbolIndex * 4;
      index = longIndices.readU32();
    }
    // A section symbol of a table that the model drops (a group, say): nothing refers to it.
    return sections[requireIndex(index)] ?? UNDEFINED;
  }

  function requireIndex(index: number): number {
    requireHeader(headers, index, fileName, "symbol's section");
    return index;
  }
}

interface RelocationContext {
  readonly machine: ElfMachine;
  readonly symtabIndex: number;
  readonly sections: readonly (ElfSection | undefined)[];
  readonly symbols: readonly ElfSymbol[];
}

function parseRelocations(
  bytes: Uint8Array,
  header: SectionHeader,
  { machine, symtabIndex, sections, symbols }: RelocationContext,
  fileName: string,
): void {
  const owner = sections[header.info];
  if (owner === undefined) return; // relocations of a table the model does not keep
  if (header.link !== symtabIndex) throw new ElfFormatError(fileName, `relocations of ${owner.name} use another symbol table`);
  const reader = new BinaryReader(contentOf(bytes, header, fileName), fileName);
  const count = Math.floor(header.size / elf.RELA_SIZE);
  for (let index = 0; index < count; index++) {
    const offset = reader.readSize();
    const typeNumber = reader.readU32();
    const symbolIndex = reader.readU32();
    const addend = Number(reader.readI64());
    const symbol = symbols[symbolIndex];
    if (symbol === undefined)
      throw new ElfFormatError(fileName, `relocation of ${owner.name} names symbol ${String(symbolIndex)} of ${String(symbols.length)}`);
    const type = machine.relocationTypes.get(typeNumber);
    if (type === undefined) throw new ElfFormatError(fileName, `relocation type ${String(typeNumber)} in ${owner.name}`);
    if (!Number.isSafeInteger(addend)) throw new ElfFormatError(fileName, `implausible addend in the relocations of ${owner.name}`);
    if (offset + type.size > owner.size)
      throw new ElfFormatError(fileName, `relocation at offset ${String(offset)} lies outside ${owner.name}`);
    owner.relocations.push({ offset, type, symbol, addend });
  }
  owner.relocations.sort((a, b) => a.offset - b.offset);
}
