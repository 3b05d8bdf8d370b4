import type { ElfMachine } from "./elf-machine.js";
import { X86_64 } from "./x86-64.js";

const MACHINES: readonly ElfMachine[] = [X86_64];

/** The machines that are known, for messages. */
export const MACHINE_NAMES: readonly string[] = MACHINES.map(({ name }) => name);

/** The machine of an ELF header; undefined for one that is not known. @param value e_machine */
export function findMachine(value: number): ElfMachine | undefined {
  return MACHINES.find((machine) => machine.value === value);
}
