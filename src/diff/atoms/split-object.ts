import { ElfFormatError } from "../../elf/elf-format-error.js";
import type { Architecture } from "../../arch/arch.js";
import { architectureOf } from "../../arch/architectures.js";
import * as elf from "../../elf/constants.js";
import { isPaddingName } from "../../elf/made-names.js";
import { homeSection, type ElfObject, type ElfRelocation, type ElfSection, type ElfSymbol } from "../../elf/model.js";
import { readCodeTables, type CodeTables } from "./code-tables.js";
import { refersToTable } from "./refusals.js";
import type { Atom, Target } from "./atom.js";
import { UNKNOWN_SECTION_RULE, findSectionRule, type SectionRule } from "./section-rules.js";
import { splitAtReferences, splitAtSymbols } from "./split-section.js";

const PATCHABLE_ENTRIES = "__patchable_function_entries";
/** Sections that are read in another way; pieces are split last. */
const WITHOUT_ATOMS: ReadonlySet<SectionRule["kind"]> = new Set(["pieces", "table", "exports", "ignored", "literals"]);

/** An object taken apart into atoms, with the question answered what each relocation refers to. */
export class SplitObject {
  readonly object: ElfObject;
  readonly arch: Architecture;
  readonly atoms: readonly Atom[];
  /** Sections in memory that no rule is known for. */
  readonly unknownSections: readonly ElfSection[];
  readonly rules: ReadonlyMap<ElfSection, SectionRule>;
  readonly #atomsOf = new Map<ElfSection, readonly Atom[]>();
  readonly #biases = new Map<Atom, Map<number, number>>();
  readonly #targets = new Map<ElfRelocation, Target>();
  #tables: CodeTables | undefined;

  constructor(object: ElfObject) {
    this.object = object;
    this.arch = architectureOf(object);
    const rules = new Map<ElfSection, SectionRule>();
    const unknown: ElfSection[] = [];
    for (const section of object.sections) {
      const rule = findSectionRule(section);
      rules.set(section, rule ?? UNKNOWN_SECTION_RULE);
      if (rule === undefined && section.size > 0) unknown.push(section);
    }
    this.rules = rules;
    this.unknownSections = unknown;

    const symbolsOf = groupBy(object.symbols, homeSection);
    const paddingOf = findPadding(object);
    for (const [section, rule] of rules) {
      if (WITHOUT_ATOMS.has(rule.kind)) continue;
      this.#atomsOf.set(section, splitAtSymbols(section, rule, symbolsOf.get(section) ?? [], paddingOf.get(section) ?? [], this.arch));
    }
    // Pieces are cut where they are referred to, so what refers to them is split first.
    const pieces = [...rules].filter(([, rule]) => rule.kind === "pieces");
    for (const [section, rule] of pieces) this.#atomsOf.set(section, splitAtReferences(section, rule, this.#referencesTo(section)));
    this.atoms = [...this.#atomsOf.values()].flat();
  }

  /** The tables that describe the object's code. */
  get tables(): CodeTables {
    return (this.#tables ??= readCodeTables(this));
  }

  /** The atoms of a section in order of place; none for literals, tables and ignored sections. */
  atomsOf(section: ElfSection): readonly Atom[] {
    return this.#atomsOf.get(section) ?? [];
  }

  /** The atom that `offset` of a section belongs to: the last that starts at or before it, the first for one below all. */
  locate(section: ElfSection, offset: number): Atom | undefined {
    const atoms = this.atomsOf(section);
    let low = 0;
    let high = atoms.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((atoms[middle]?.start ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return atoms[low];
  }

  /**
   * What a relocation refers to.
   * @param owner the atom that the relocation is in; undefined for one of a table
   * @throws ElfFormatError where it refers to a section that has neither atoms nor literals; Refusal `refers-to-table`
   */
  target(relocation: ElfRelocation, owner: Atom | undefined): Target {
    const known = this.#targets.get(relocation);
    if (known !== undefined) return known;
    const target = this.#resolve(relocation, owner);
    this.#targets.set(relocation, target);
    return target;
  }

  #resolve(relocation: ElfRelocation, owner: Atom | undefined): Target {
    const { symbol, addend } = relocation;
    const section = homeSection(symbol);
    if (section === undefined) return { kind: "outside", symbol, addend };
    const offset = symbol.value + addend;
    if (this.rules.get(section)?.kind === "table") return this.#entry(section, offset, this.#bias(relocation, owner), owner);
    if (this.rules.get(section)?.kind === "literals") return this.#literal(section, relocation, this.#bias(relocation, owner));
    const atoms = this.atomsOf(section);
    const only = atoms.length === 1 ? atoms[0] : undefined;
    if (only?.symbol !== undefined) return { kind: "atom", atom: only, offset: offset - only.start, bias: 0 };
    // A symbol that names its atom says which one is meant, whatever the addend.
    if (symbol.type !== elf.STT_SECTION && atoms.length > 0) {
      const atom = this.locate(section, symbol.value);
      if (atom?.symbol !== undefined) return { kind: "atom", atom, offset: offset - atom.start, bias: 0 };
    }
    const bias = this.#bias(relocation, owner);
    const atom = this.locate(section, offset + bias);
    if (atom === undefined)
      throw new ElfFormatError(this.object.fileName, `a relocation refers to section ${section.name}, which has no content to refer to`);
    return { kind: "atom", atom, offset: offset - atom.start, bias };
  }

  /** How far the end of the instruction, which a PC-relative field counts from, lies behind the field. 0 outside code. */
  #bias(relocation: ElfRelocation, owner: Atom | undefined): number {
    if (owner === undefined || (owner.rule.kind !== "text" && owner.rule.kind !== "pieces")) return 0;
    if (!relocation.type.pcRelative) return 0;
    let biases = this.#biases.get(owner);
    if (biases === undefined) {
      biases = measureBiases(owner, this.arch);
      this.#biases.set(owner, biases);
    }
    return biases.get(relocation.offset) ?? 4;
  }

  #entry(section: ElfSection, offset: number, bias: number, owner: Atom | undefined): Target {
    const own = owner === undefined ? [] : (this.tables.entriesOf.get(owner) ?? []);
    const entry = own.find((candidate) => candidate.section === section && candidate.offset === offset + bias);
    if (entry?.layout.isReferredTo !== true) throw refersToTable(this.object.fileName, owner?.symbol?.name, section.name);
    return { kind: "entry", entry, bias };
  }

  /**
   * A label stands at the start of its string, wherever in it or behind it the code begins: with the last character, to go back from there, say. The assembler leaves the label
   * where that is not the start, for the linker merges strings.
   */
  #literal(section: ElfSection, { symbol, addend }: ElfRelocation, bias: number): Target {
    const place = symbol.value + addend + bias;
    const { entsize, data } = section;
    const isString = (section.flags & elf.SHF_STRINGS) !== 0;
    const isLabel = symbol.type !== elf.STT_SECTION;
    const start = !isString ? place - (place % entsize) : isLabel ? symbol.value : place;
    if (start < 0 || start >= data.length)
      throw new ElfFormatError(
        this.object.fileName,
        `a relocation refers to offset ${String(start)} of ${section.name}, which has ${String(data.length)} bytes`,
      );
    const end = isString ? stringEnd(data, start, entsize) : start + entsize;
    return { kind: "literal", bytes: data.subarray(start, end), align: section.align, delta: place - start, bias };
  }

  #referencesTo(section: ElfSection): Set<number> {
    const offsets = new Set<number>();
    const note = (relocation: ElfRelocation, owner: Atom | undefined): void => {
      if (relocation.symbol.home === section) offsets.add(relocation.symbol.value + relocation.addend + this.#bias(relocation, owner));
    };
    for (const atoms of this.#atomsOf.values()) for (const atom of atoms) for (const relocation of atom.relocations) note(relocation, atom);
    for (const [other, rule] of this.rules) {
      if (rule.kind === "table") for (const relocation of other.relocations) note(relocation, undefined);
      // A replacement jumps into .altinstr_aux; such a jump ends with its field.
      if (rule.kind === "pieces" && other !== section)
        for (const { symbol, addend } of other.relocations) if (symbol.home === section) offsets.add(symbol.value + addend + 4);
    }
    return offsets;
  }
}

/** Names of what an object has in memory for good: code and data of initialization are gone by the time that an update comes. */
export function namesThatStay({ object, rules }: SplitObject): ReadonlySet<string> {
  const stays = ({ home }: ElfSymbol): boolean => {
    const section = typeof home === "object" && "data" in home ? home : undefined;
    const rule = section === undefined ? undefined : rules.get(section);
    return rule !== undefined && !("area" in rule && rule.area === "init");
  };
  return new Set(object.symbols.filter(stays).map(({ name }) => name));
}

function measureBiases(atom: Atom, { code }: Architecture): Map<number, number> {
  const biases = new Map<number, number>();
  const instructions = code.decode(atom.data);
  let index = 0;
  for (const { offset } of atom.relocations) {
    while (index < instructions.length - 1 && (instructions[index + 1]?.offset ?? 0) <= offset) index++;
    const instruction = instructions[index];
    if (instruction !== undefined) biases.set(offset, instruction.offset + instruction.size - offset);
  }
  return biases;
}

function stringEnd(data: Uint8Array, start: number, entsize: number): number {
  for (let at = start; at + entsize <= data.length; at += entsize)
    if (data.subarray(at, at + entsize).every((byte) => byte === 0)) return at + entsize;
  return data.length;
}

/** Where the call padding of functions starts, by section (gcc's -fpatchable-function-entry=16,16; objtool's --prefix). */
function findPadding(object: ElfObject): Map<ElfSection, number[]> {
  const padding = new Map<ElfSection, number[]>();
  const add = (section: ElfSection | undefined, offset: number): void => {
    if (section !== undefined) padding.set(section, [...(padding.get(section) ?? []), offset]);
  };
  for (const section of object.sections.filter(({ name }) => name === PATCHABLE_ENTRIES))
    for (const { symbol, addend } of section.relocations) add(homeSection(symbol), symbol.value + addend);
  for (const symbol of object.symbols) if (isPaddingName(symbol.name)) add(homeSection(symbol), symbol.value);
  for (const offsets of padding.values()) offsets.sort((a, b) => a - b);
  return padding;
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K | undefined): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
