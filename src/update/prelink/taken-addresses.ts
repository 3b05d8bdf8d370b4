import type { DecodedInstruction, InstructionSet } from "../../arch/arch.js";
import { architectureOf } from "../../arch/architectures.js";
import { SHF_ALLOC, SHF_EXECINSTR, STT_FUNC, STT_SECTION } from "../../elf/constants.js";
import { AbsoluteAddress, homeSection, type ElfObject, type ElfRelocation, type ElfSection } from "../../elf/model.js";

/**
 * What the kernel's loader reads while the module comes and goes, and forgets with it; and init and exit code, which is the template's.
 * Source: kernel/module/main.c, lib/bug.c, kernel/jump_label.c, arch/x86/kernel/module.c, Linux 6.1 and 6.12.
 */
const FORGOTTEN_TABLES =
  /^(?:\.init\.|\.exit\.|\.gnu\.linkonce\.this_module$|__jump_table$|__bug_table$|__ex_table$|__mcount_loc$|__patchable_function_entries$|\.static_call_sites$|\.altinstructions$|\.parainstructions$|\.smp_locks$|\.(?:retpoline|return|call)_sites$|\.ibt_endbr_seal$|\.orc_|___?ksymtab|___?kcrctab|__versions$|\.note|\.modinfo$|\.ksplice_hooks\.)/;

/**
 * Names of what a module with new code has and the address of which it takes, in code or in data: what code of the kernel may still hold once
 * the update is undone. A function that is only called, and data that is only read and written in place, are not among them. What cannot be told counts.
 * @param ko linked, before the core's tables are added
 */
export function findTakenAddresses(ko: ElfObject): string[] {
  const taken = new Set<string>();
  for (const section of ko.sections) {
    if ((section.flags & SHF_ALLOC) === 0 || FORGOTTEN_TABLES.test(section.name)) continue;
    const own = section.relocations.filter(({ symbol }) => ((homeSection(symbol)?.flags ?? 0) & SHF_ALLOC) !== 0);
    const code = (section.flags & SHF_EXECINSTR) === 0 ? undefined : new Instructions(ko, section);
    for (const relocation of own) if (code?.usesInPlace(relocation.offset) !== true) taken.add(nameOf(ko, relocation));
    for (const offset of code?.computedPlaces() ?? []) taken.add(nameAt(ko, section, offset));
  }
  return [...taken].sort();
}

/**
 * What a module with new code takes the address of in the running kernel, by the name that it imports it by: its code may be called through that.
 * @param ko with its imports resolved
 */
export function findTakenImports(ko: ElfObject): ReadonlyMap<string, bigint> {
  const taken = new Map<string, bigint>();
  for (const section of ko.sections) {
    if ((section.flags & SHF_ALLOC) === 0 || FORGOTTEN_TABLES.test(section.name)) continue;
    const code = (section.flags & SHF_EXECINSTR) === 0 ? undefined : new Instructions(ko, section);
    for (const { symbol, offset } of section.relocations) {
      const { home, name } = symbol;
      if (home instanceof AbsoluteAddress && !taken.has(name) && code?.usesInPlace(offset) !== true) taken.set(name, home.addr);
    }
  }
  return taken;
}

/** The instructions of a section, function by function: between two there may be anything. */
class Instructions {
  readonly #code: InstructionSet;
  readonly #section: ElfSection;
  readonly #starts: readonly number[];
  readonly #decoded = new Map<number, readonly DecodedInstruction[]>();

  constructor(ko: ElfObject, section: ElfSection) {
    this.#code = architectureOf(ko).code;
    this.#section = section;
    const functions = ko.symbols.filter((symbol) => symbol.type === STT_FUNC && symbol.home === section).map(({ value }) => value);
    this.#starts = [...new Set([0, ...functions])].sort((a, b) => a - b);
  }

  /** True if the field at `offset` belongs to a direct branch, or to a memory operand that the instruction reads or writes. */
  usesInPlace(offset: number): boolean {
    const index = this.#starts.findLastIndex((start) => start <= offset);
    const start = this.#starts[index] ?? 0;
    const instruction = this.#decode(start, this.#starts[index + 1]).find(
      (candidate) => start + candidate.offset <= offset && offset < start + candidate.offset + candidate.size,
    );
    if (instruction?.isValid !== true) return false;
    if (instruction.branch !== undefined) return true;
    const from = start + instruction.offset;
    return !this.#code.holdsImmediate(this.#section.data.subarray(from, from + instruction.size), offset - from);
  }

  /** Offsets in the section that code computes without a relocation: the assembler knows how far it is within one section. */
  computedPlaces(): number[] {
    const relocated = this.#section.relocations.map(({ offset }) => offset);
    return this.#starts.flatMap((start, index) => {
      const bytes = this.#section.data.subarray(start, this.#starts[index + 1]);
      return this.#code
        .findComputedPlaces(bytes)
        .filter(({ offset, size }) => !relocated.some((field) => field >= start + offset && field < start + offset + size))
        .map(({ place }) => start + place);
    });
  }

  #decode(start: number, end: number | undefined): readonly DecodedInstruction[] {
    const known = this.#decoded.get(start);
    if (known !== undefined) return known;
    const instructions = this.#code.decode(this.#section.data.subarray(start, end));
    this.#decoded.set(start, instructions);
    return instructions;
  }
}

/** The symbol that is referred to, by way of its section or not. */
function nameOf(ko: ElfObject, { symbol, addend, type }: ElfRelocation): string {
  const section = homeSection(symbol);
  if (symbol.type !== STT_SECTION || section === undefined) return symbol.name;
  // Counted from the end of the field.
  return nameAt(ko, section, symbol.value + addend + (type.pcRelative ? type.size : 0));
}

/** The symbol at an offset of a section; the section's name where none is there. */
function nameAt(ko: ElfObject, section: ElfSection, offset: number): string {
  const inside = ko.symbols.find(
    ({ home, type, value, size }) => home === section && type !== STT_SECTION && value <= offset && offset < value + size,
  );
  return inside?.name ?? section.name;
}
