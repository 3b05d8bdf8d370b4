import { join } from "node:path";
import { readLatin1 } from "../../../host/files.js";
import { runTool } from "../../../host/run-tool.js";
import { codeTokens } from "../../../source/top-level-items.js";
import type { ClosedWords } from "./close-words.js";
import { findMacros } from "./macro-text.js";
import { bareShape, mayBeCalled } from "./pasted-names.js";
import type { ReachIndex } from "./reach-index.js";
import { SortedWords } from "./shapes.js";
import { addAll, common, withoutAll, type UnitSet, type UnitSets } from "./unit-sets.js";

/** So many paths are passed to one call of grep. */
const PATHS_AT_ONCE = 4000;

/**
 * The units that mention one of the words in a file of theirs that is no header, outside of comments and strings, or put one together from parts.
 * Adds them to what is reached already.
 */
export async function reachByOwnText(source: string, sets: UnitSets, index: ReachIndex, closed: ClosedWords): Promise<UnitSet> {
  const reached = closed.reached.slice();
  const formed = [closed.words, closed.hidden].map((map) => ({ map, words: new SortedWords(map.keys()), called: map === closed.hidden }));
  for (const file of await filesWorthReading(source, sets, closed)) {
    const units = withoutAll(sets.of(file) ?? sets.empty(), reached);
    if (units === undefined) continue;
    const text = (await readLatin1(join(source, file))) ?? "";
    const tokens = [...codeTokens(text)];
    const shapes = (): ReadonlySet<string> => index.formedIn(file, () => ({ tokens, macros: findMacros(text) }));
    addAll(reached, reachOfText(tokens, shapes, units, closed.words, formed, sets.empty()));
  }
  return reached;
}

/** Names, and the units in which each may mean something else. */
interface NamedUnits {
  readonly map: ReadonlyMap<string, UnitSet>;
  readonly words: SortedWords;
  /** They are macros with parameters: what no parenthesis follows is none of them. */
  readonly called: boolean;
}

/** Those of the units that one file of theirs makes use a changed name, by its words or by what it puts together. */
function reachOfText(
  tokens: readonly string[],
  shapes: () => ReadonlySet<string>,
  units: UnitSet,
  words: ReadonlyMap<string, UnitSet>,
  formed: readonly NamedUnits[],
  found: UnitSet,
): UnitSet {
  const meet = (set: UnitSet | undefined): void => {
    const both = set === undefined ? undefined : common(units, set);
    if (both !== undefined) addAll(found, both);
  };
  for (const token of new Set(tokens)) {
    meet(words.get(token));
    // The compiler's own name for a function of the library, whose declaration counts for both.
    if (token.startsWith(BUILTIN)) meet(words.get(token.slice(BUILTIN.length)));
  }
  if (withoutAll(units, found) === undefined) return found;
  for (const shape of shapes())
    for (const names of formed)
      if (!names.called || mayBeCalled(shape)) for (const word of names.words.matching(bareShape(shape))) meet(names.map.get(word));
  return found;
}

/** Files that have one of the words, or a macro that can form one, in a unit where that counts, or macros of their own that put names together. */
async function filesWorthReading(source: string, sets: UnitSets, { words, hidden }: ClosedWords): Promise<string[]> {
  const files = [...sets.files()].filter((path) => !path.endsWith(".h"));
  const found = new Set<string>();
  const patterns = [...words.keys(), ...hidden.keys(), ...Array.from(words.keys(), (word) => BUILTIN + word)].join("\n");
  const counts = (word: string, file: string): boolean =>
    [words.get(word), hidden.get(word), words.get(word.replace(BUILTIN, ""))].some(
      (units) => units !== undefined && common(units, sets.of(file) ?? sets.empty()) !== undefined,
    );
  for (let at = 0; at < files.length; at += PATHS_AT_ONCE) {
    const paths = files.slice(at, at + PATHS_AT_ONCE);
    const grep = async (options: readonly string[], input: string): Promise<string[]> =>
      (await runTool("grep", [...options, "--", ...paths], { cwd: source, input: Buffer.from(input, "latin1") })).stdout.split("\n");
    for (const path of await grep(["-lF", "-e", "##"], "")) if (path !== "") found.add(path);
    for (const match of new Set(await grep(["-oHwF", "-f", "-"], patterns))) {
      const colon = match.lastIndexOf(":");
      const [path, word] = [match.slice(0, colon), match.slice(colon + 1)];
      if (colon > 0 && !found.has(path) && counts(word, path)) found.add(path);
    }
  }
  return [...found].sort();
}

/** The compiler's own name for a function of the library begins with it. */
const BUILTIN = "__builtin_";
