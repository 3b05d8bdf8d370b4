import { ElfFormatError } from "../../elf/elf-format-error.js";
import type { RuntimeConstant } from "../../arch/arch.js";
import { architectureOf } from "../../arch/architectures.js";
import { SHF_EXECINSTR } from "../../elf/constants.js";
import { homeSection, type ElfObject, type ElfSection } from "../../elf/model.js";
import type { RunKernel } from "../../run-kernel.js";
import { readImmediate } from "../../match/immediates.js";
import type { UnitMatches } from "../match/unit-matches.js";
import { unknownRuntimeConstant } from "./refusals.js";

/** Bytes of an entry of a constant's table: the distance from it to the immediate. */
const ENTRY_SIZE = 4;

/**
 * Does for a module what the kernel does for itself at boot only: writes the running kernel's values into the immediates that the tables
 * of constants list, and drops the tables. Needs the module's relocations, which say where an entry points to.
 * @throws Refusal `runtime-constant` for one whose value nothing tells
 */
export function fillRuntimeConstants(ko: ElfObject, matches: UnitMatches, run: RunKernel): void {
  const { sites } = architectureOf(ko);
  const tables = new Set<unknown>();
  for (const table of ko.sections) {
    const constant = sites.findRuntimeConstant(table.name);
    if (constant === undefined) continue;
    tables.add(table);
    const value = findValue(constant, matches, run);
    if (typeof value === "string") throw unknownRuntimeConstant(constant.variable, ko.fileName, value);
    fillImmediates(ko, table, constant.size, value);
  }
  if (tables.size === 0) return;
  ko.sections = ko.sections.filter((section) => !tables.has(section));
  ko.symbols = ko.symbols.filter(({ home }) => !tables.has(home));
}

/**
 * What the matched code of the update's units holds; else the kernel's variable, if its name is unambiguous.
 * @returns the value, or why there is none
 */
function findValue({ table, variable, size }: RuntimeConstant, matches: UnitMatches, run: RunKernel): bigint | string {
  const values = new Set([...matches.values()].flatMap(({ runtimeConstants }) => runtimeConstants.get(table) ?? []));
  const [value] = values;
  if (values.size > 1) return `the running kernel's code has ${values.size} values of it`;
  if (value !== undefined) return value;
  const addrs = new Set(
    run
      .symbolsNamed(variable)
      .filter(({ module }) => module === undefined)
      .map(({ addr }) => addr),
  );
  const [addr] = addrs;
  if (addr === undefined) return "the running kernel has no variable of that name";
  if (addrs.size > 1) return `the running kernel has ${addrs.size} variables of that name`;
  const bytes = run.read(addr, size);
  return bytes === undefined ? "its variable in the running kernel cannot be read" : readImmediate(bytes, 0, size);
}

function fillImmediates(ko: ElfObject, table: ElfSection, size: number, value: bigint): void {
  // Code whose placeholder stayed would run with a wild pointer.
  if (table.size !== table.relocations.length * ENTRY_SIZE)
    throw new ElfFormatError(ko.fileName, `${table.name} has ${table.size} bytes and ${table.relocations.length} relocations`);
  for (const { type, symbol, addend } of table.relocations) {
    const text = homeSection(symbol);
    const at = symbol.value + addend;
    if (type !== ko.machine.distance || text === undefined || (text.flags & SHF_EXECINSTR) === 0 || at < 0 || at + size > text.data.length)
      throw new ElfFormatError(ko.fileName, `an entry of ${table.name} points to ${symbol.name}+${addend}, which is no place in its code`);
    text.data = new Uint8Array(text.data); // may be a view of the file
    for (let index = 0; index < size; index++) text.data[at + index] = Number(BigInt.asUintN(8, value >> BigInt(8 * index)));
  }
}
