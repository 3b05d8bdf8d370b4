import type { Architecture } from "../../arch/arch.js";
import * as elf from "../../elf/constants.js";
import { isLabelName, isPaddingName } from "../../elf/made-names.js";
import type { ElfRelocation, ElfSection, ElfSymbol } from "../../elf/model.js";
import type { Atom } from "./atom.js";
import { isDeviceTableAlias } from "../../elf/made-names.js";
import type { SectionRule } from "./section-rules.js";

interface Range {
  start: number;
  end: number;
  symbols: ElfSymbol[];
}

/**
 * Splits a section of functions or named objects at its symbols.
 * @param symbols those defined in the section
 * @param padding offsets in the section at which the call padding of a function starts
 */
export function splitAtSymbols(
  section: ElfSection,
  rule: SectionRule,
  symbols: readonly ElfSymbol[],
  padding: readonly number[],
  arch: Architecture,
): Atom[] {
  const named = findAtomSymbols(symbols, rule).sort(byPlace);
  const ranges: Range[] = [];
  for (const symbol of named) {
    const last = ranges.at(-1);
    if (last?.symbols[0] !== undefined && symbol.value < Math.max(last.end, last.symbols[0].value + 1)) {
      last.symbols.push(symbol); // an alias, or an object inside another one
      last.end = Math.max(last.end, symbol.value + symbol.size);
    } else {
      ranges.push({ start: symbol.value, end: symbol.value + symbol.size, symbols: [symbol] });
    }
  }
  if (ranges.length === 0) return section.size === 0 ? [] : [makeAtom(section, rule, { start: 0, end: section.size, symbols: [] })];

  const whole: Range[] = [];
  let previousEnd = 0;
  ranges.forEach((range, index) => {
    const next = ranges[index + 1];
    if (range.end === range.start) range.end = next?.start ?? section.size;
    range.end = Math.min(range.end, section.size);
    if (rule.kind === "text") {
      const paddingStart = padding.find((offset) => offset >= previousEnd && offset < range.start);
      range.start = index === 0 ? 0 : (paddingStart ?? range.start);
    } else if (range.start > previousEnd && hasContent(section, previousEnd, range.start)) {
      whole.push({ start: previousEnd, end: range.start, symbols: [] });
    }
    whole.push(range);
    previousEnd = range.end;
  });
  if (rule.kind !== "text" && hasContent(section, previousEnd, section.size))
    whole.push({ start: previousEnd, end: section.size, symbols: [] });
  for (const symbol of symbols.filter((candidate) => isPaddingName(candidate.name)))
    whole.find((range) => symbol.value >= range.start && symbol.value < range.end)?.symbols.push(symbol);

  const atoms = whole.map((range) => makeAtom(section, rule, range));
  return rule.kind === "text" && atoms.length > 1 ? atoms.map((atom) => detachBranches(atom, atoms, arch)) : atoms;
}

/** Splits a section without symbols at the offsets that are referred to. */
export function splitAtReferences(section: ElfSection, rule: SectionRule, offsets: ReadonlySet<number>): Atom[] {
  const starts = [...new Set([0, ...offsets])].filter((offset) => offset < section.size).sort((a, b) => a - b);
  return starts.map((start, index) => makeAtom(section, rule, { start, end: starts[index + 1] ?? section.size, symbols: [] }));
}

/** Of overlapping symbols the one that names the atom comes first: the larger, then the one of the source, then the global one. */
function byPlace(a: ElfSymbol, b: ElfSymbol): number {
  const byOrigin = Number(isDeviceTableAlias(a.name)) - Number(isDeviceTableAlias(b.name));
  return a.value - b.value || b.size - a.size || byOrigin || b.bind - a.bind || (a.name < b.name ? -1 : 1);
}

function findAtomSymbols(symbols: readonly ElfSymbol[], rule: SectionRule): ElfSymbol[] {
  const named = symbols.filter(({ type, name }) => type !== elf.STT_SECTION && name !== "" && !isLabelName(name) && !isPaddingName(name));
  if (rule.kind !== "text") return named;
  const functions = named.filter(({ type }) => type === elf.STT_FUNC);
  // A label of hand-written code inside a function does not split it; one outside is a function that nobody declared as such.
  const isInside = (label: ElfSymbol): boolean =>
    functions.some(({ value, size }) => label.value >= value && label.value < value + Math.max(size, 1));
  return named.filter((symbol) => symbol.type === elf.STT_FUNC || !isInside(symbol));
}

function hasContent(section: ElfSection, start: number, end: number): boolean {
  return (
    section.data.subarray(start, end).some((byte) => byte !== 0) ||
    section.relocations.some((relocation) => relocation.offset >= start && relocation.offset < end)
  );
}

function makeAtom(section: ElfSection, rule: SectionRule, range: Range): Atom {
  return {
    section,
    rule,
    start: range.start,
    end: range.end,
    symbol: range.symbols[0],
    symbols: range.symbols,
    data: section.data.subarray(range.start, range.end),
    relocations: sliceRelocations(section, range.start, range.end),
  };
}

/** The relocations of a byte range, their offsets counted from its start. */
export function sliceRelocations(section: ElfSection, start: number, end: number): ElfRelocation[] {
  if (start === 0 && end >= section.size) return section.relocations;
  return section.relocations
    .filter((relocation) => relocation.offset >= start && relocation.offset < end)
    .map((relocation) => ({ ...relocation, offset: relocation.offset - start }));
}

/**
 * The assembler resolves branches inside a section itself. Where one leads to another atom, gives it a relocation
 * again, so that atoms compare and move independently.
 */
function detachBranches(atom: Atom, atoms: readonly Atom[], { code, machine }: Architecture): Atom {
  const relocated = new Set(atom.relocations.map((relocation) => relocation.offset));
  const added: ElfRelocation[] = [];
  for (const instruction of code.decode(atom.data)) {
    const { offset, size, branchTarget } = instruction;
    if (branchTarget === undefined) continue;
    const branchWidth = code.displacementSize(instruction);
    const field = offset + size - branchWidth;
    const targetOffset = atom.start + branchTarget;
    if (relocated.has(field) || (targetOffset >= atom.start && targetOffset < atom.end)) continue;
    const target = atoms.find((candidate) => targetOffset >= candidate.start && targetOffset < candidate.end);
    if (target?.symbol === undefined) continue;
    added.push({
      offset: field,
      type: branchWidth === machine.shortBranch.size ? machine.shortBranch : machine.nearBranch,
      symbol: target.symbol,
      addend: targetOffset - target.symbol.value - branchWidth,
    });
  }
  if (added.length === 0) return atom;
  const data = new Uint8Array(atom.data); // a copy: slice() of a Node Buffer would be a view
  for (const relocation of added) data.fill(0, relocation.offset, relocation.offset + relocation.type.size);
  return { ...atom, data, relocations: [...atom.relocations, ...added].sort((a, b) => a.offset - b.offset) };
}
