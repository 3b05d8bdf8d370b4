import type { ElfMachine, RelocationType } from "./elf-machine.js";

function define(value: number, name: string, size: number, pcRelative: boolean, signed: boolean): RelocationType {
  return { value, name, size, pcRelative, signed };
}

export const R_X86_64_NONE = define(0, "R_X86_64_NONE", 0, false, false);
export const R_X86_64_64 = define(1, "R_X86_64_64", 8, false, false);
export const R_X86_64_PC32 = define(2, "R_X86_64_PC32", 4, true, true);
export const R_X86_64_PLT32 = define(4, "R_X86_64_PLT32", 4, true, true);
export const R_X86_64_32 = define(10, "R_X86_64_32", 4, false, false);
export const R_X86_64_32S = define(11, "R_X86_64_32S", 4, false, true);
export const R_X86_64_16 = define(12, "R_X86_64_16", 2, false, false);
export const R_X86_64_PC16 = define(13, "R_X86_64_PC16", 2, true, true);
export const R_X86_64_8 = define(14, "R_X86_64_8", 1, false, false);
export const R_X86_64_PC8 = define(15, "R_X86_64_PC8", 1, true, true);
export const R_X86_64_PC64 = define(24, "R_X86_64_PC64", 8, true, true);

/** The relocation types that the kernel's module loader knows (arch/x86/kernel/module.c, Linux 6.1), and the narrow ones. */
const RELOCATION_TYPES = [
  ...[R_X86_64_NONE, R_X86_64_64, R_X86_64_PC32, R_X86_64_PLT32, R_X86_64_32, R_X86_64_32S],
  ...[R_X86_64_16, R_X86_64_PC16, R_X86_64_8, R_X86_64_PC8, R_X86_64_PC64],
];

/** System V ABI, AMD64 Architecture Processor Supplement, chapter 4. */
export const X86_64: ElfMachine = {
  value: 62,
  name: "x86-64",
  relocationTypes: new Map(RELOCATION_TYPES.map((type) => [type.value, type])),
  pointer: R_X86_64_64,
  distance: R_X86_64_PC32,
  nearBranch: R_X86_64_PLT32,
  shortBranch: R_X86_64_PC8,
};
