/**
 * Names and numbers of the ELF format, spelled as the specification spells them.
 * Source: System V ABI, "Object Files", and its AMD64 supplement (relocation types).
 */

export const EI_NIDENT = 16;
export const ELFCLASS64 = 2;
export const ELFDATA2LSB = 1;
export const EV_CURRENT = 1;

export const ET_REL = 1;
export const ET_EXEC = 2;
export const ET_DYN = 3;
export const ET_CORE = 4;

export const EM_X86_64 = 62;

export const EHDR_SIZE = 64;
export const PHDR_SIZE = 56;
export const SHDR_SIZE = 64;
export const SYM_SIZE = 24;
export const RELA_SIZE = 24;

export const PT_LOAD = 1;
export const PT_NOTE = 4;
/** As e_phnum: the number of program headers stands elsewhere. */
export const PN_XNUM = 0xffff;

export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

export const SHT_NULL = 0;
export const SHT_PROGBITS = 1;
export const SHT_SYMTAB = 2;
export const SHT_STRTAB = 3;
export const SHT_RELA = 4;
export const SHT_NOTE = 7;
export const SHT_NOBITS = 8;
export const SHT_REL = 9;
export const SHT_INIT_ARRAY = 14;
export const SHT_GROUP = 17;
export const SHT_SYMTAB_SHNDX = 18;
export const SHT_LLVM_ADDRSIG = 0x6fff4c03;

export const SHF_WRITE = 0x1;
export const SHF_ALLOC = 0x2;
export const SHF_EXECINSTR = 0x4;
export const SHF_MERGE = 0x10;
export const SHF_STRINGS = 0x20;
export const SHF_INFO_LINK = 0x40;
export const SHF_LINK_ORDER = 0x80;
export const SHF_GROUP = 0x200;

export const SHN_UNDEF = 0;
export const SHN_LORESERVE = 0xff00;
export const SHN_ABS = 0xfff1;
export const SHN_COMMON = 0xfff2;
export const SHN_XINDEX = 0xffff;

export const STB_LOCAL = 0;
export const STB_GLOBAL = 1;
export const STB_WEAK = 2;

export const STT_NOTYPE = 0;
export const STT_OBJECT = 1;
export const STT_FUNC = 2;
export const STT_SECTION = 3;
export const STT_FILE = 4;
export const STT_TLS = 6;

export const STV_DEFAULT = 0;

export const R_X86_64_NONE = 0;
export const R_X86_64_64 = 1;
export const R_X86_64_PC32 = 2;
export const R_X86_64_PLT32 = 4;
export const R_X86_64_32 = 10;
export const R_X86_64_32S = 11;
export const R_X86_64_16 = 12;
export const R_X86_64_PC16 = 13;
export const R_X86_64_8 = 14;
export const R_X86_64_PC8 = 15;
export const R_X86_64_PC64 = 24;

/** What a relocation type writes: how many bytes, and whether the place's own address is subtracted. */
export interface RelocationKind {
  readonly name: string;
  /** Width of the relocated field in bytes. */
  readonly size: number;
  readonly pcRelative: boolean;
  /** The field is sign-extended (true) or zero-extended (false) to 64 bits when it is used. */
  readonly signed: boolean;
}

/** The relocation types that the x86-64 kernel's module loader knows (arch/x86/kernel/module.c, Linux 6.1), and the narrow ones. */
export const RELOCATION_KINDS: ReadonlyMap<number, RelocationKind> = new Map([
  [R_X86_64_NONE, { name: "R_X86_64_NONE", size: 0, pcRelative: false, signed: false }],
  [R_X86_64_64, { name: "R_X86_64_64", size: 8, pcRelative: false, signed: false }],
  [R_X86_64_PC32, { name: "R_X86_64_PC32", size: 4, pcRelative: true, signed: true }],
  [R_X86_64_PLT32, { name: "R_X86_64_PLT32", size: 4, pcRelative: true, signed: true }],
  [R_X86_64_32, { name: "R_X86_64_32", size: 4, pcRelative: false, signed: false }],
  [R_X86_64_32S, { name: "R_X86_64_32S", size: 4, pcRelative: false, signed: true }],
  [R_X86_64_16, { name: "R_X86_64_16", size: 2, pcRelative: false, signed: false }],
  [R_X86_64_PC16, { name: "R_X86_64_PC16", size: 2, pcRelative: true, signed: true }],
  [R_X86_64_8, { name: "R_X86_64_8", size: 1, pcRelative: false, signed: false }],
  [R_X86_64_PC8, { name: "R_X86_64_PC8", size: 1, pcRelative: true, signed: true }],
  [R_X86_64_PC64, { name: "R_X86_64_PC64", size: 8, pcRelative: true, signed: true }],
]);
