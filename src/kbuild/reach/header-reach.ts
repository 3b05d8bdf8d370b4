import type { Tell } from "../../events.js";
import { memoized } from "../../memoized.js";
import { join } from "node:path";
import type { IncludeGraph } from "./include-graph.js";
import { listSources, openReachIndex, type LastIndex } from "./words/build-reach-index.js";
import { changedWords } from "./words/changed-words.js";
import { closeWords } from "./words/close-words.js";
import { reachByOwnText } from "./words/own-text.js";
import { confinedNames } from "./words/confined-names.js";
import type { ReachIndex } from "./words/reach-index.js";
import { addAll, has, UnitSets, withoutAll, type UnitSet } from "./words/unit-sets.js";
import { readLatin1 } from "../../host/files.js";

/** What a change of headers may change the code of. */
export interface HeaderReach {
  /** Files that include one of the headers, directly or not, and may use what changed. */
  readonly files: ReadonlySet<string>;
  /** Headers of which it is known what their change can mean, with the names that change; of all others everything that includes them is in `files`. */
  readonly words: ReadonlyMap<string, ReadonlySet<string>>;
  /**
   * Of files that are reached only by what they say themselves, and not by what a header makes of the change: whether a name may mean something
   * else in them.
   */
  readonly byOwnText: ReadonlyMap<string, (name: string) => boolean>;
  /** What the preprocessor makes of these files may be another text. */
  readonly macrosChange: boolean;
  /** What the preprocessor makes of a file tells whether its code may change: the headers change by nothing but macros. */
  readonly onlyMacrosChange: boolean;
  /** Where it is known and no macro changes: see {@link confinedNames}. */
  readonly confined: ReadonlySet<string> | undefined;
}

export interface HeaderReachOptions {
  /** Where the index of the headers is kept; undefined: nowhere. */
  readonly cacheDir?: string;
  readonly tell?: Tell;
  /** An index of all files that the units are made of. Default: it is read from the cache, or made. */
  readonly index?: () => Promise<ReachIndex>;
  /** Where the build keeps what it generates: headers among that may mention what changes. */
  readonly outDir?: string;
  /** The C files that are asked about. Default: all. */
  readonly among?: ReadonlySet<string>;
}

/** Headers that every unit includes by an option of the compiler (LINUXINCLUDE, c_flags: Makefile, scripts/Makefile.lib, Linux 6.1). */
export const ALWAYS_INCLUDED = ["include/linux/compiler-version.h", "include/linux/kconfig.h", "include/linux/compiler_types.h"];

/** It is as large as the graph, and asked for as often. */
const lastIndexOf = memoized<IncludeGraph, LastIndex>(() => ({}));

/**
 * The C files that a change of headers may change the code of: those that include one and mention a name that changes, directly or through what
 * they mention in other headers. Where it cannot be told what a header's change means, all that include it.
 * @param changedFiles headers, by paths from the top of the tree, of C files too that others include
 * @param source top of the unpatched tree
 * @param patched top of the patched one; undefined where what changes is not known
 */
export async function headerReach(
  graph: IncludeGraph,
  changedFiles: readonly string[],
  source: string,
  patched: string | undefined,
  options: HeaderReachOptions = {},
): Promise<HeaderReach> {
  const words = new Map<string, ReadonlySet<string>>();
  let macrosChange = false;
  let onlyMacrosChange = true;
  let isKnown = true;
  for (const header of changedFiles) {
    const pre = await readLatin1(join(source, header));
    const post = patched === undefined ? undefined : await readLatin1(join(patched, header));
    const changed = pre === undefined || post === undefined || !header.endsWith(".h") ? undefined : await changedWords(pre, post);
    onlyMacrosChange &&= changed?.onlyMacros === true;
    isKnown &&= changed !== undefined;
    if (changed === undefined) continue;
    words.set(header, changed.names);
    macrosChange ||= changed.macros;
  }
  const files = await graph.includersOf(changedFiles.filter((header) => !words.has(header)));
  const includers = new Map<string, ReadonlySet<string>>();
  for (const [header, changed] of words) {
    if (changed.size === 0) continue;
    const found = await graph.includersOf([header]);
    if ([header, ...found].some((path) => ALWAYS_INCLUDED.includes(path))) for (const file of graph.includingFiles()) found.add(file);
    includers.set(header, found);
  }
  const including = [...new Set([...includers.values()].flatMap((found) => [...found]))].filter(
    (path) => path.endsWith(".c") && !files.has(path) && options.among?.has(path) !== false,
  );
  // For most of them the same index does as for all, which then serves for other headers too.
  const all = [...(options.among ?? [])].filter((path) => path.endsWith(".c")).sort();
  const units = including.length * 2 > all.length && all.length > 0 ? [...new Set([...all, ...including])] : including;
  const byOwnText = new Map<string, (name: string) => boolean>();
  const rest = { files, words, byOwnText, macrosChange, onlyMacrosChange };
  if (including.length === 0) return { ...rest, confined: undefined };
  const generated = options.outDir === undefined ? [] : await listSources(options.outDir, ["."]);
  const headers = (await listSources(source, graph.directories)).filter((path) => path.endsWith(".h"));
  const sets = UnitSets.of(graph, source, units, [...headers, ...generated], ALWAYS_INCLUDED);
  const roots = [source, ...(options.outDir === undefined ? [] : [options.outDir])];
  const index = await (options.index?.() ?? openReachIndex(roots, [...sets.files()], options.cacheDir, options.tell, lastIndexOf(graph)));
  const changed = new Map<string, UnitSet>();
  for (const [header, names] of words) {
    const found = sets.where((unit) => includers.get(header)?.has(unit) === true);
    for (const name of names) {
      const known = changed.get(name);
      if (known === undefined) changed.set(name, found.slice());
      else addAll(known, found);
    }
  }
  const closed = closeWords(index, sets, changed);
  // What is said to include the header, without it being seen how, may use everything.
  for (const [header, found] of includers) {
    const unseen = withoutAll(
      sets.where((unit) => found.has(unit)),
      sets.of(header) ?? sets.empty(),
    );
    if (unseen !== undefined) addAll(closed.reached, unseen);
  }
  // Text that is generated, and no header, is not read.
  for (const path of generated) if (path.endsWith(".c")) addAll(closed.reached, sets.of(path) ?? sets.empty());
  const reached = await reachByOwnText(source, sets, index, closed);
  const isAsked = new Set(including);
  for (const [unit, path] of units.entries()) {
    if (!isAsked.has(path) || !has(reached, unit)) continue;
    files.add(path);
    if (!has(closed.reached, unit)) byOwnText.set(path, (name) => has(closed.words.get(name) ?? sets.empty(), unit));
  }
  // Of a header that no unit is seen to include the index does not tell what else in it mentions a name.
  const isSeen = [...includers.keys()].every((header) => sets.of(header) !== undefined);
  return { ...rest, confined: isKnown && isSeen && !macrosChange ? confinedNames(index, words) : undefined };
}
