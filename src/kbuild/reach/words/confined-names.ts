import type { ReachIndex } from "./reach-index.js";

/** A closure over more names than this does not end in few places. */
const MOST_NAMES = 20_000;

/**
 * Where a change of headers stays within their own lines: all names that mean something else with it and that these headers declare. A unit has them from
 * nowhere else, so that it is not concerned if none stands in any other line of it once all macros are replaced.
 * @param index of all that these headers and those who include them are made of
 * @param changed the names that the change itself gives another meaning, by header; no macro is among them
 * @returns undefined where something in the headers that is not asked for by a name, as data of their own, mentions one
 */
export function confinedNames(index: ReachIndex, changed: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> | undefined {
  const confined = new Set([...changed.values()].flatMap((names) => [...names]));
  const reached = new Set(confined);
  /** Macros that form one of the names if they are given the right arguments, as in `closeWords()`. */
  const hidden = new Set<string>();
  const seen = { nameless: false };
  const pass = (items: Iterable<number>): void => {
    for (const item of items) {
      const names = index.namesOf(item);
      const isInside = changed.has(index.pathOf(index.fileOf(item)));
      if (names === undefined && isInside) seen.nameless = true;
      for (const name of names ?? []) {
        reached.add(name);
        if (isInside) confined.add(name);
      }
    }
  };
  const passHidden = (name: string, called: boolean): void => {
    for (const macro of index.macrosFor(name, called)) {
      if (hidden.has(macro)) continue;
      hidden.add(macro);
      pass(index.itemsForming(macro, true));
      passHidden(macro, true);
    }
  };
  for (const name of reached) {
    pass(index.itemsWith(name));
    pass(index.itemsForming(name));
    passHidden(name, false);
    if (seen.nameless || reached.size > MOST_NAMES) return undefined;
  }
  return confined;
}
