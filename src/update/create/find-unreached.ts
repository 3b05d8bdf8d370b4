import { HOOK_SECTION_PREFIX } from "../../diff/atoms/hook-kinds.js";
import type { Atom } from "../../diff/atoms/atom.js";
import { homeSection, type ElfRelocation, type ElfSection } from "../../elf/model.js";
import type { UnitPart } from "./cut-out.js";
import { unreached as refuseUnreached, type LinkageRefusal } from "../linkage/refusals.js";

/** New code that nothing in the update leads to. */
export interface Unreached {
  readonly refusals: readonly LinkageRefusal[];
  /** Of that which only initialization code leads to: it has run. */
  readonly notes: readonly string[];
}

/**
 * Everything new must be reached from a replaced function, a data write, a hook, an export, or other new code: what is not would change nothing, although the
 * patched source says that it does. Judged on the new code itself, by its relocations.
 */
export function findUnreached(parts: readonly UnitPart[]): Unreached {
  const unreached = new Set(unreachedFunctions(parts));
  const ofInit = calledByInitOnly(unreached, parts);
  return {
    refusals: [...unreached].filter((entry) => !ofInit.has(entry)).map(({ part, name }) => refuseUnreached(part, name)),
    notes: [...ofInit].map(({ name }) => `${name} is new, and only initialization code calls it, which has run already`),
  };
}

/** A new function that nothing leads to. */
interface Lonely {
  readonly part: UnitPart;
  readonly name: string;
}

function unreachedFunctions(parts: readonly UnitPart[]): Lonely[] {
  const globals = new Map<string, ElfSection>();
  for (const { newCode } of parts)
    for (const symbol of newCode.object.symbols) {
      const section = homeSection(symbol);
      if (section !== undefined && newCode.newGlobals.includes(symbol.name)) globals.set(symbol.name, section);
    }
  const reached = new Set<ElfSection>();
  for (const part of parts) {
    const movedHere = parts.flatMap(({ redirects }) =>
      redirects.filter(({ to }) => to.unit === part.unit).map(({ newSymbol }) => newSymbol),
    );
    for (const section of rootsOf(part, movedHere)) reached.add(section);
  }
  for (const section of reached)
    for (const { symbol } of section.relocations) {
      const target = homeSection(symbol) ?? globals.get(symbol.name);
      if (target !== undefined) reached.add(target);
    }
  return parts.flatMap((part) =>
    part.diff.functions.new.flatMap(({ name }) => {
      const symbol = part.newCode.object.symbols.find((candidate) => candidate.name === name);
      const section = symbol === undefined ? undefined : homeSection(symbol);
      return section === undefined || reached.has(section) ? [] : [{ part, name }];
    }),
  );
}

/** Those that initialization code of the patched units refers to, and besides it none but others of the kind. */
function calledByInitOnly(unreached: ReadonlySet<Lonely>, parts: readonly UnitPart[]): Set<Lonely> {
  const usersOf = new Map([...unreached].map((entry) => [entry, findUsers(entry, parts)]));
  const left = new Set([...unreached].filter((entry) => (usersOf.get(entry) ?? []).length > 0));
  const isOfKind = ({ part, atom }: User): boolean =>
    isInit(atom) || [...left].some((other) => other.part === part && atom.symbols.some(({ name }) => name === other.name));
  for (let size = -1; size !== left.size;) {
    size = left.size;
    for (const entry of left) if (!(usersOf.get(entry) ?? []).every(isOfKind)) left.delete(entry);
  }
  // A circle of functions that call each other only is none that initialization code leads to.
  const led = new Set([...left].filter((entry) => (usersOf.get(entry) ?? []).some(({ atom }) => isInit(atom))));
  for (const entry of led)
    for (const other of left)
      if ((usersOf.get(other) ?? []).some(({ part, atom }) => part === entry.part && atom.symbols.some(({ name }) => name === entry.name)))
        led.add(other);
  return led;
}

interface User {
  readonly part: UnitPart;
  readonly atom: Atom;
}

/** What refers to a function in the patched objects. */
function findUsers({ part: owner, name }: Lonely, parts: readonly UnitPart[]): User[] {
  return parts.flatMap((part) => {
    const { post } = part.diff.analysis;
    const own = part === owner ? post.atoms.find((atom) => atom.symbols.some((symbol) => symbol.name === name)) : undefined;
    const isMeant = (relocation: ElfRelocation, atom: Atom): boolean => {
      if (own === undefined) return homeSection(relocation.symbol) === undefined && relocation.symbol.name === name;
      const target = post.target(relocation, atom);
      return target.kind === "atom" && target.atom === own && atom !== own;
    };
    return post.atoms.filter((atom) => atom.relocations.some((relocation) => isMeant(relocation, atom))).map((atom) => ({ part, atom }));
  });
}

function isInit({ rule }: Atom): boolean {
  return "area" in rule && rule.area === "init";
}

function rootsOf({ newCode }: UnitPart, further: readonly string[]): ElfSection[] {
  const names = new Set([
    ...newCode.functions.map(({ newSymbol }) => newSymbol),
    ...newCode.writes.map(({ newSymbol }) => newSymbol),
    ...newCode.exports.map(({ symbol }) => symbol),
    ...further,
  ]);
  const { symbols, sections } = newCode.object;
  return [
    ...symbols.flatMap((symbol) => (names.has(symbol.name) ? (homeSection(symbol) ?? []) : [])),
    ...sections.filter(({ name }) => name.startsWith(HOOK_SECTION_PREFIX)),
  ];
}
