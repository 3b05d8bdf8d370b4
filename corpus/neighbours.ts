import { dirname } from "node:path/posix";
import type { Refusal } from "../src/diagnostics.js";
import { lastParts, parseFunctions, parseIdentifiers, parseMissingHeaders } from "./compiler-words.js";
import type { Fix } from "./fixes/connect-pieces.js";
import type { FixSet } from "./fixes/find-fixes.js";
import type { PieceNames } from "./fixes/piece-names.js";

/** Pieces of which a name that is missing is one that they change, the best first; no more than these are taken at once. */
const MOST_AT_ONCE = 4;

/** Finds what else of a release a fix needs that does not compile or link by itself: always other fixes, whole. */
export class NeighbourFinder {
  readonly #pieces: readonly PieceNames[];
  readonly #fixOf: ReadonlyMap<string, Fix>;

  constructor({ pieces, fixes }: Pick<FixSet, "pieces" | "fixes">) {
    this.#pieces = pieces;
    this.#fixOf = new Map(fixes.flatMap((fix) => fix.pieces.map((piece): [string, Fix] => [piece.id, fix])));
  }

  /**
   * Which other fixes a patch needs that is not complete; empty if that cannot be told.
   * @param refusals of the patch: one, or one for each unit that does not compile
   * @param sourcesOf files that an unpatched unit (`a/b.o`) is compiled from
   * @param taken fixes that are in the patch already
   */
  async neededFor(
    refusals: readonly Refusal[],
    sourcesOf: (unit: string) => Promise<readonly string[]>,
    taken: ReadonlySet<Fix>,
  ): Promise<Fix[]> {
    const free = this.#pieces.filter(({ piece }) => !taken.has(this.#requireFix(piece.id)));
    const unresolved = refusals.find(({ code }) => code === "unresolved-symbol");
    if (unresolved !== undefined) return this.#fixesOf(definersOf(unresolved.items[0]?.symbol ?? "", free));
    const broken = refusals.flatMap(({ code, location, message }) =>
      code === "does-not-compile" && location !== undefined ? [{ unit: location, message }] : [],
    );
    // Units that do not compile because of a header in the patch: what changes in them themselves comes first, that of all.
    const own = broken.flatMap(({ unit, message }) => piecesOfUnit(unit, message, free));
    if (own.length > 0) return this.#fixesOf(own);
    for (const { unit, message } of broken) {
      const found = suppliersOf(message, unit, await sourcesOf(unit), free);
      if (found.length > 0) return this.#fixesOf(found);
    }
    return [];
  }

  #fixesOf(pieces: readonly PieceNames[]): Fix[] {
    return [...new Set(pieces.map(({ piece }) => this.#requireFix(piece.id)))];
  }

  #requireFix(piece: string): Fix {
    const fix = this.#fixOf.get(piece);
    if (fix === undefined) throw new Error(`${piece} is in no fix`);
    return fix;
  }
}

const sourceOf = (unit: string): string => unit.replace(/\.o$/, ".c");

/** What defines a symbol for others that was not there, or not for others, before. */
function definersOf(symbol: string, free: readonly PieceNames[]): PieceNames[] {
  return free
    .filter(({ changed }) =>
      changed.some(({ name, kind, change }) => name === symbol && change !== "removed" && /^(?:function|object)$/.test(kind)),
    )
    .slice(0, MOST_AT_ONCE);
}

/** Pieces of the unit's own source that mention what the compiler names, or lie in the function that it stopped in. */
function piecesOfUnit(unit: string, message: string, free: readonly PieceNames[]): PieceNames[] {
  const own = free.filter(({ piece }) => piece.path === sourceOf(unit));
  const { errors, conflicts } = parseIdentifiers(message);
  const names = [...errors, ...conflicts].filter((name) => name.length > 2);
  const mentioning = own.filter(({ words, changed }) => changed.length + words.size > 0 && names.some((name) => words.has(name)));
  if (mentioning.length > 0) return mentioning.slice(0, MOST_AT_ONCE);
  const functions = parseFunctions(message);
  return own.filter(({ declared }) => functions.some((name) => declared.has(name))).slice(0, MOST_AT_ONCE);
}

/** Pieces, of headers most often, that change a name which the compiler misses or does not expect. */
function suppliersOf(message: string, unit: string, read: readonly string[], free: readonly PieceNames[]): PieceNames[] {
  const missing = parseMissingHeaders(message);
  const named = free.filter(({ piece }) => missing.some((name) => `/${piece.path}`.endsWith(`/${name}`)));
  if (named.length > 0) return named.slice(0, MOST_AT_ONCE);

  const source = sourceOf(unit);
  const seen = new Set(read);
  const isHeader = ({ piece }: PieceNames): boolean => piece.path.endsWith(".h");
  const visible = free.filter(({ piece }) => seen.has(piece.path) || piece.path === source);
  // A patched file may include what it did not: most often what lies beside it.
  const beside = free.filter((entry) => isHeader(entry) && dirname(entry.piece.path) === dirname(source));
  const { errors, notes, conflicts, source: shown } = parseIdentifiers(message);
  const parts = errors.flatMap(lastParts);
  const changes = (names: readonly string[]) => (entry: PieceNames) => entry.changed.some(({ name }) => names.includes(name));
  for (const [among, fits] of [
    [visible, changes(conflicts)],
    [visible, changes(errors)],
    [beside, changes(errors)],
    [free.filter(isHeader), changes(errors)],
    // Names that a macro of the header puts together: dev_ready_to_probe(), trace_mark().
    [visible, changes(parts)],
    [visible, changes(notes)],
    // An #include of the file itself that was taken for another fix's.
    [visible.filter(({ piece }) => piece.path === source), ({ isInclude }: PieceNames) => isInclude],
    // The compiler does not always say what it means: "void value not ignored".
    [visible.filter(isHeader), changes(shown)],
    [visible, ({ words }: PieceNames) => [...errors, ...parts].some((name) => name.length > 3 && words.has(name))],
  ] satisfies readonly (readonly [readonly PieceNames[], (entry: PieceNames) => boolean])[]) {
    const found = among.filter(fits);
    if (found.length > 0) return found.slice(0, MOST_AT_ONCE);
  }
  return [];
}
