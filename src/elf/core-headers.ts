import { BinaryReader } from "./binary-reader.js";
import * as elf from "./constants.js";
import { ElfFormatError } from "./elf-format-error.js";

/** The headers of a core file (ET_CORE): 64 bits, little-endian. Source: System V ABI, "ELF Header" and "Program Header". */

export interface CoreHeader {
  /** EM_* */
  readonly machine: number;
  /** File offset of the program headers. */
  readonly tableOffset: bigint;
  readonly count: number;
}

export interface ProgramHeader {
  /** PT_* */
  readonly type: number;
  /** PF_* bits. */
  readonly flags: number;
  readonly fileOffset: bigint;
  readonly addr: bigint;
  /** Bytes in the file. */
  readonly fileSize: bigint;
  /** Bytes in memory. */
  readonly memorySize: bigint;
  readonly align: bigint;
}

/**
 * @param bytes the first EHDR_SIZE bytes of the file
 * @throws ElfFormatError for anything but a 64-bit little-endian core file
 */
export function parseCoreHeader(bytes: Uint8Array, fileName: string): CoreHeader {
  const reader = new BinaryReader(bytes, fileName);
  const ident = reader.readBytes(elf.EI_NIDENT);
  const isElf = ident[0] === 0x7f && ident[1] === 0x45 && ident[2] === 0x4c && ident[3] === 0x46;
  if (!isElf || ident[4] !== elf.ELFCLASS64 || ident[5] !== elf.ELFDATA2LSB || reader.readU16() !== elf.ET_CORE)
    throw new ElfFormatError(fileName, "not a 64-bit ELF core file");
  const machine = reader.readU16();
  reader.offset = 32;
  const tableOffset = reader.readU64();
  reader.offset = 54;
  const entrySize = reader.readU16();
  const count = reader.readU16();
  if (entrySize !== elf.PHDR_SIZE) throw new ElfFormatError(fileName, `program headers of ${String(entrySize)} bytes`);
  if (count >= elf.PN_XNUM) throw new ElfFormatError(fileName, "too many program headers");
  return { machine, tableOffset, count };
}

/** @param bytes the table that a {@link CoreHeader} tells of. @throws ElfFormatError if it is cut off */
export function parseProgramHeaders(bytes: Uint8Array, count: number, fileName: string): ProgramHeader[] {
  const reader = new BinaryReader(bytes, fileName);
  return Array.from({ length: count }, () => {
    const type = reader.readU32();
    const flags = reader.readU32();
    const fileOffset = reader.readU64();
    const addr = reader.readU64();
    reader.readU64(); // p_paddr
    return { type, flags, fileOffset, addr, fileSize: reader.readU64(), memorySize: reader.readU64(), align: reader.readU64() };
  });
}

/** The ELF header of a core file, little-endian. */
export function writeCoreHeader({ machine, tableOffset, count }: CoreHeader): Uint8Array {
  const bytes = new Uint8Array(elf.EHDR_SIZE);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EV_CURRENT]);
  view.setUint16(16, elf.ET_CORE, true);
  view.setUint16(18, machine, true);
  view.setUint32(20, elf.EV_CURRENT, true);
  view.setBigUint64(32, tableOffset, true);
  view.setUint16(52, elf.EHDR_SIZE, true);
  view.setUint16(54, elf.PHDR_SIZE, true);
  view.setUint16(56, count, true);
  return bytes;
}

/** A table of program headers, little-endian. */
export function writeProgramHeaders(headers: readonly ProgramHeader[]): Uint8Array {
  const bytes = new Uint8Array(headers.length * elf.PHDR_SIZE);
  const view = new DataView(bytes.buffer);
  headers.forEach((header, index) => {
    const at = index * elf.PHDR_SIZE;
    view.setUint32(at, header.type, true);
    view.setUint32(at + 4, header.flags, true);
    view.setBigUint64(at + 8, header.fileOffset, true);
    view.setBigUint64(at + 16, header.addr, true);
    view.setBigUint64(at + 32, header.fileSize, true);
    view.setBigUint64(at + 40, header.memorySize, true);
    view.setBigUint64(at + 48, header.align, true);
  });
  return bytes;
}
