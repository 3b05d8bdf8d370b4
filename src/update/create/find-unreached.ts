import { HOOK_SECTION_PREFIX } from "../../diff/atoms/hook-kinds.js";
import { homeSection, type ElfSection } from "../../elf/model.js";
import type { UnitPart } from "./cut-out.js";
import { unreached, type LinkageRefusal } from "../linkage/refusals.js";

/**
 * Everything new must be reached from a replaced function, a data write, a hook, an export, or other new code: what is not would change nothing, although the
 * patched source says that it does. Judged on the new code itself, by its relocations.
 */
export function findUnreached(parts: readonly UnitPart[]): LinkageRefusal[] {
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
      return section === undefined || reached.has(section) ? [] : [unreached(part, name)];
    }),
  );
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
