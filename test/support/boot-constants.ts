import { homeSection, type ElfObject } from "../../src/elf/model.js";

/** C macros that leave in an object what the kernel's constants set at boot leave: a placeholder, and an entry that points to it. */
export const BOOT_CONSTANT_MACROS = `
#define RUNTIME_PTR(name) ({ unsigned long value; asm("mov %1,%0\\n1:\\n.pushsection runtime_ptr_" #name ",\\"a\\"\\n.long 1b - %c2 - .\\n.popsection" : "=r"(value) : "i"(0x0123456789abcdefUL), "i"(8)); value; })
#define RUNTIME_SHIFT(x, name) ({ unsigned value = (x); asm("shrl $12,%k0\\n1:\\n.pushsection runtime_shift_" #name ",\\"a\\"\\n.long 1b - 1 - .\\n.popsection" : "+r"(value)); value; })
#define RUNTIME_MASK(x, name) ({ unsigned value = (x); asm("and $0x12345678,%k0\\n1:\\n.pushsection runtime_mask_" #name ",\\"a\\"\\n.long 1b - 4 - .\\n.popsection" : "+r"(value)); value; })
`;

const SIZES: Readonly<Record<string, number>> = { ptr: 8, shift: 1, mask: 4 };

/** Bytes of a value, little-endian. */
export function bytesOf(value: bigint, size: number): number[] {
  return Array.from({ length: size }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

/** What the kernel does at boot: puts values over the placeholders, by the tables' names. `values` may give each entry of a table its own. */
export function bootConstants(object: ElfObject, values: Readonly<Record<string, bigint | readonly bigint[]>>): ElfObject {
  for (const table of object.sections) {
    const given = values[table.name];
    if (given === undefined) continue;
    table.relocations.forEach(({ symbol, addend }, index) => {
      const text = homeSection(symbol);
      const value = typeof given === "bigint" ? given : given[index];
      if (text === undefined || value === undefined) throw new Error(`${table.name}: entry ${String(index)}`);
      text.data = Uint8Array.from(text.data);
      text.data.set(bytesOf(value, SIZES[table.name.split("_")[1] ?? ""] ?? 0), symbol.value + addend);
    });
  }
  return object;
}
