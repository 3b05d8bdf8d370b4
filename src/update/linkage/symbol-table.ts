import { STB_LOCAL, STB_WEAK } from "../../elf/constants.js";
import type { ElfSymbol } from "../../elf/model.js";
import type { Analysis } from "../../diff/compare/analyse.js";
import type { Atom } from "../../diff/atoms/atom.js";
import { isDeviceTableAlias } from "../../elf/made-names.js";
import type { SplitObject } from "../../diff/atoms/split-object.js";
import type { UnitDiff } from "../units/unit-diff.js";

/** One unit's definition of a name that other units can use. */
export interface Definition {
  readonly entry: UnitDiff;
  readonly analysis: Analysis;
  readonly atom: Atom;
  readonly symbol: ElfSymbol;
  readonly isWeak: boolean;
}

/** Where a name is defined in a target, before the patch and after it, among the units of the update: only what stays in memory. */
export interface GlobalName {
  readonly target: string;
  readonly name: string;
  readonly before: readonly Definition[];
  readonly after: readonly Definition[];
}

/** Every name with external linkage that the units of an update define, target by target: modules may have names of their own that others have too. */
export function tabulateNames(diffs: readonly UnitDiff[]): GlobalName[] {
  const names = new Map<string, { target: string; name: string; before: Definition[]; after: Definition[] }>();
  for (const entry of diffs) {
    const { analysis } = entry.diff;
    for (const side of ["before", "after"] as const)
      for (const definition of definitionsOf(entry, analysis, side === "before" ? analysis.pre : analysis.post)) {
        const { target } = entry.unit;
        const { name } = definition.symbol;
        const key = `${target} ${name}`;
        const known = names.get(key) ?? { target, name, before: [], after: [] };
        names.set(key, known);
        known[side].push(definition);
      }
  }
  return [...names.values()];
}

function* definitionsOf(entry: UnitDiff, analysis: Analysis, split: SplitObject): Generator<Definition> {
  for (const atom of split.atoms) {
    if ((atom.rule.kind !== "text" && atom.rule.kind !== "data") || atom.rule.area === "init") continue;
    for (const symbol of atom.symbols)
      if (symbol.bind !== STB_LOCAL && !isDeviceTableAlias(symbol.name))
        yield { entry, analysis, atom, symbol, isWeak: symbol.bind === STB_WEAK };
  }
}

/** The definition that the linker takes: the strong one; of weak ones the only one. Undefined where there is none, or which cannot be told. */
export function chosenOf(definitions: readonly Definition[]): Definition | undefined {
  const strong = definitions.filter(({ isWeak }) => !isWeak);
  const candidates = strong.length > 0 ? strong : definitions;
  return candidates.length === 1 ? candidates[0] : undefined;
}
