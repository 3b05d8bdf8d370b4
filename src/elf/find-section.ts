import { BinaryReader, readCString } from "./binary-reader.js";
import { EI_NIDENT, ELFCLASS64, ELFDATA2LSB, SHDR_SIZE, SHN_XINDEX, SHT_NOBITS } from "./constants.js";
import { ElfFormatError } from "./elf-format-error.js";

/**
 * The content of the first section of a name, in a 64-bit little-endian ELF file of any type: objects, modules, vmlinux. A view of `bytes`;
 * undefined where there is no such section. Nothing else of the file is looked at.
 * @param fileName what errors call the input
 * @throws ElfFormatError
 */
export function findSection(bytes: Uint8Array, name: string, fileName: string): Uint8Array | undefined {
  const reader = new BinaryReader(bytes, fileName);
  const ident = reader.readBytes(EI_NIDENT);
  if (ident[0] !== 0x7f || ident[1] !== 0x45 || ident[2] !== 0x4c || ident[3] !== 0x46)
    throw new ElfFormatError(fileName, "not an ELF file");
  if (ident[4] !== ELFCLASS64 || ident[5] !== ELFDATA2LSB) throw new ElfFormatError(fileName, "not a 64-bit little-endian ELF file");
  reader.offset = 40;
  const table = reader.readSize();
  if (table === 0) return undefined;
  reader.offset = 58;
  const entrySize = reader.readU16();
  if (entrySize !== SHDR_SIZE) throw new ElfFormatError(fileName, `section headers of ${String(entrySize)} bytes`);
  const shortCount = reader.readU16();
  const shortNamesIndex = reader.readU16();

  const header = (index: number) => {
    reader.offset = table + index * SHDR_SIZE;
    const [nameOffset, type] = [reader.readU32(), reader.readU32()];
    reader.offset += 16; // sh_flags, sh_addr
    return { nameOffset, type, offset: reader.readSize(), size: reader.readSize(), link: reader.readU32() };
  };
  const contentOf = (section: { offset: number; size: number }): Uint8Array =>
    new BinaryReader(bytes, fileName, section.offset).readBytes(section.size);

  // More sections than 16 bits count: the real numbers stand in the null section's header.
  const first = header(0);
  const count = shortCount === 0 ? first.size : shortCount;
  const names = contentOf(header(shortNamesIndex === SHN_XINDEX ? first.link : shortNamesIndex));
  for (let index = 1; index < count; index++) {
    const section = header(index);
    if (section.type !== SHT_NOBITS && readCString(names, section.nameOffset, fileName) === name) return contentOf(section);
  }
  return undefined;
}
