import { CLONE_SUFFIX, coldParent, isPrefixName } from "../elf/made-names.js";
import { STT_FUNC } from "../elf/constants.js";
import type { Place } from "./pre-object.js";
import type { RunKernel, RunSymbol } from "../run-kernel.js";

const MAX_CLONE_NUMBER = 9;

/** Symbols of the running kernel that a pre function may be, by name, in the unit's target. */
export function findCandidates(run: RunKernel, place: Place, target: string): readonly RunSymbol[] {
  const names = place.symbols.filter(({ type, name }) => type === STT_FUNC && !isPrefixName(name)).map(({ name }) => name);
  return lookUp(run, [...names, ...names.flatMap(renumbered)], target);
}

/** Code that an update replaced and its replacement count once, under the older address. */
function lookUp(run: RunKernel, names: readonly string[], target: string): RunSymbol[] {
  const symbols = new Map<bigint, RunSymbol>();
  for (const name of names) {
    for (const symbol of run.symbolsNamed(name)) {
      if (!run.holdsCodeOf(target, symbol.module) || !/[tw]/i.test(symbol.type)) continue;
      const newest = run.newestCode(symbol.addr);
      if (!symbols.has(newest)) symbols.set(newest, symbol);
    }
  }
  return [...symbols.values()];
}

/** The same clone with every other small number. */
function renumbered(name: string): string[] {
  const suffix = [...name.matchAll(CLONE_SUFFIX)].findLast((match) => match[2] !== undefined);
  if (suffix?.[2] === undefined) return [];
  const start = suffix.index + suffix[0].length - suffix[2].length;
  const rest = name.slice(start + suffix[2].length);
  return Array.from({ length: MAX_CLONE_NUMBER + 1 }, (_, number) => `${name.slice(0, start)}.${number}${rest}`).filter(
    (other) => other !== name,
  );
}

/** True for a piece that gcc split off a function: it is found through the function that jumps into it. */
export function isSplitPart(place: Place): boolean {
  return coldParent(place.name) !== undefined;
}
