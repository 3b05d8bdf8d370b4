import { STB_LOCAL } from "../../elf/constants.js";
import { atomName, isText, type Atom } from "../../diff/atoms/atom.js";
import type { UnitPart } from "./cut-out.js";
import type { UnitDiff } from "../units/unit-diff.js";
import type { Prototypes } from "../linkage/prototypes.js";
import { changedInterface, leftOutDefinition, type LinkageRefusal } from "../linkage/refusals.js";

export interface LeftOutUses {
  readonly refusals: readonly LinkageRefusal[];
  /** What new code calls, and goes on as before: in words. */
  readonly notes: readonly string[];
}

/**
 * What the new code of an update uses of units that the patch changes as well, and that were left out at the user's wish (`--only-targets`): it was compiled for
 * what they would be, and meets what they are.
 */
export async function findUsesOfLeftOut(
  parts: readonly UnitPart[],
  leftOut: readonly UnitDiff[],
  prototypes: Pick<Prototypes, "difference">,
): Promise<LeftOutUses> {
  const refusals: LinkageRefusal[] = [];
  const notes: string[] = [];
  const definitions = new Map(leftOut.flatMap((entry) => globalsOf(entry).map(({ name, atom }) => [name, { entry, atom }] as const)));
  for (const part of parts)
    for (const { name, preSymbol } of part.newCode.imports) {
      const definition = preSymbol === undefined ? definitions.get(name) : undefined;
      if (definition === undefined) continue;
      const { entry, atom } = definition;
      const { twins, included } = entry.diff.analysis;
      const before = twins.get(atom);
      if (before === undefined) {
        refusals.push(leftOutDefinition(part, name, entry.unit));
        continue;
      }
      if (!isText(atom) || !included.has(atom)) continue;
      const difference = await prototypes.difference({ unit: entry.unit, name: atomName(before) }, { unit: entry.unit, name });
      if (difference === undefined) notes.push(`${part.unit.path} calls ${name} of ${entry.unit.target}, which stays as it is`);
      else refusals.push(changedInterface(part, name, `the running one is used, as ${entry.unit.target} is left out`, difference));
    }
  return { refusals, notes };
}

function globalsOf({ diff }: UnitDiff): { name: string; atom: Atom }[] {
  return diff.analysis.post.atoms.flatMap((atom) =>
    atom.symbols.filter(({ bind }) => bind !== STB_LOCAL).map(({ name }) => ({ name, atom })),
  );
}
