import { X86_64 } from "../../src/arch/machine/x86-64.js";
import { SHF_ALLOC, SHT_PROGBITS, STB_GLOBAL, STB_LOCAL, STT_FUNC, STT_NOTYPE } from "../../src/elf/constants.js";
import { UNDEFINED, type ElfObject, type ElfSection, type ElfSymbol } from "../../src/elf/model.js";

/** Builds objects in memory for tests: sections and symbols with everything that a test does not name set to the usual. */

export function makeSection(name: string, bytes: readonly number[] | Uint8Array = [], more: Partial<ElfSection> = {}): ElfSection {
  const data = Uint8Array.from(bytes);
  return { name, type: SHT_PROGBITS, flags: SHF_ALLOC, align: 1, entsize: 0, data, size: data.length, relocations: [], ...more };
}

export function makeFunction(name: string, home: ElfSection, more: Partial<ElfSymbol> = {}): ElfSymbol {
  return { name, bind: STB_LOCAL, type: STT_FUNC, other: 0, home, value: 0, size: home.size, ...more };
}

export function makeUndefined(name: string, more: Partial<ElfSymbol> = {}): ElfSymbol {
  return { name, bind: STB_GLOBAL, type: STT_NOTYPE, other: 0, home: UNDEFINED, value: 0, size: 0, ...more };
}

export function makeObject(sections: ElfSection[], symbols: ElfSymbol[], fileName = "test.o"): ElfObject {
  return { fileName, machine: X86_64, sections, symbols };
}
