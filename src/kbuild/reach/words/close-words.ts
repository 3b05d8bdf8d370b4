import { ANY_CHANGE } from "./header-items.js";
import type { ReachIndex } from "./reach-index.js";
import { addAll, common, withoutAll, type UnitSet, type UnitSets } from "./unit-sets.js";

/** What a change of some names means for the units, as far as headers go. */
export interface ClosedWords {
  /** Names that may mean something else, and for which units. */
  readonly words: ReadonlyMap<string, UnitSet>;
  /** Macros that form one of the words if they are given the right arguments: what they are given was looked up where they are named; for these, not. */
  readonly hidden: ReadonlyMap<string, UnitSet>;
  /** Units that get code or data out of a header which mentions one of the names: whatever they mention themselves. */
  readonly reached: UnitSet;
}

/**
 * Closes changed names over the headers: an item that mentions one of them, or puts one together from parts, passes the change on to its own names,
 * in the units that include both its header and the one that the change came from.
 */
export function closeWords(index: ReachIndex, sets: UnitSets, changed: ReadonlyMap<string, UnitSet>): ClosedWords {
  const words = new Map<string, UnitSet>();
  const hidden = new Map<string, UnitSet>();
  const reached = sets.empty();
  const queue = new Set<string>();
  const setsByFile = Array.from({ length: index.fileCount }, (_, file) => sets.of(index.pathOf(file)));

  const mark = (map: Map<string, UnitSet>, word: string, units: UnitSet, key: string): void => {
    let known = map.get(word);
    if (known === undefined) map.set(word, (known = sets.empty()));
    if (addAll(known, units)) queue.add(key);
  };
  // A macro is one only where a header that defines it is included.
  const markMacros = (macros: readonly string[], units: UnitSet): void => {
    for (const macro of macros)
      for (const file of index.filesDefining(macro)) {
        const both = common(units, setsByFile[file] ?? sets.empty());
        if (both !== undefined) mark(hidden, macro, both, `${HIDDEN}${macro}`);
      }
  };
  const pass = (items: Iterable<number>, units: UnitSet): void => {
    for (const item of items) {
      const file = setsByFile[index.fileOf(item)];
      const both = file === undefined ? undefined : common(units, file);
      // Of a unit that is reached whatever it mentions nothing more need be known.
      const rest = both === undefined ? undefined : withoutAll(both, reached);
      if (rest === undefined) continue;
      const names = index.namesOf(item);
      if (names === undefined) addAll(reached, rest);
      else for (const name of names) mark(words, name, rest, name);
    }
  };

  for (const [word, units] of changed) {
    mark(words, word, units, word);
    pass(index.itemsWith(ANY_CHANGE), units);
  }
  for (const key of queue) {
    queue.delete(key);
    if (key.startsWith(HIDDEN)) {
      const name = key.slice(1);
      const units = hidden.get(name) ?? sets.empty();
      pass(index.itemsForming(name, true), units);
      markMacros(index.macrosFor(name, true), units);
      continue;
    }
    const units = words.get(key) ?? sets.empty();
    pass(index.itemsWith(key), units);
    pass(index.itemsForming(key), units);
    markMacros(index.macrosFor(key), units);
  }
  return { words, hidden, reached };
}

/** No word begins with it. */
const HIDDEN = "!";
