import { dirname } from "node:path/posix";
import { DisjointSets } from "./disjoint-sets.js";
import type { ChangedName, PieceNames } from "./piece-names.js";
import type { Piece } from "./split-pieces.js";

/** What belongs together of a release: none of it makes sense without the rest. */
export interface Fix {
  /** The first of its pieces' ids. */
  readonly name: string;
  readonly pieces: readonly Piece[];
}

/** What connecting has to know of the trees. */
export interface FileFacts {
  /** Files that a header comes into, directly or not, of those that differ. */
  readonly includersOf: (header: string) => ReadonlySet<string>;
  /** Whether a file declares a name itself, as a static function, say. */
  readonly declaresItself: (path: string, name: string) => boolean;
  /** Whether the old, or the new, text of a file has a word. */
  readonly hasWord: (path: string, version: "pre" | "post", word: string) => boolean;
  /** The names that what a file includes by these words declares. */
  readonly declaredByInclude: (path: string, spec: string) => ReadonlySet<string>;
  /** The path that a file includes by these words. */
  readonly includedPath: (path: string, spec: string) => string | undefined;
  /** Whether a file comes or goes with the release. */
  readonly isNew: (path: string) => boolean;
  /** Functions that a file puts into a member of a table: `.open = foo_open`. */
  readonly assignedTo: (path: string, member: string) => readonly string[];
}

/** Names shorter than this are anybody's; not a member's, of which the type must be told. */
const SHORTEST_NAME = 3;

/** Why two pieces were connected, for one who looks into a fix that is too large. */
export type Reason = (a: string, b: string, name: string) => void;

/** Finds the fixes of a release: pieces are connected where one mentions what another brings, takes away or gives another meaning. */
export function connectPieces(pieces: readonly PieceNames[], facts: FileFacts, reason: Reason = () => undefined): Fix[] {
  const sets = new DisjointSets(pieces.length);
  const join = (a: number, b: number, name: string): void => {
    if (sets.find(a) === sets.find(b)) return;
    sets.join(a, b);
    reason(pieces[a]?.piece.id ?? "", pieces[b]?.piece.id ?? "", name);
  };
  const byWord = indexBy(pieces, ({ words }) => words);
  const byPath = indexBy(pieces, ({ piece }) => [piece.path]);
  pieces.forEach((one, index) => {
    const beside = byPath.get(one.piece.path) ?? [];
    for (const other of beside) if (other !== index && moves(one, pieces[other])) join(index, other, "moved");
    for (const change of one.changed) {
      if (change.kind !== "member" && change.name.length < SHORTEST_NAME) continue;
      for (const other of byWord.get(change.name) ?? [])
        if (other !== index && needs(pieces[other], one, change, facts)) join(index, other, change.name);
      for (const other of change.kind === "member" ? implementers(change, one, pieces, byWord, facts) : []) join(index, other, change.name);
    }
  });
  pieces.forEach((one, index) => {
    for (const other of includeUsers(one, index, pieces, byPath, facts)) join(index, other, `#include ${one.includes.join(" ")}`);
  });
  return sets.groups().map((members) => {
    const own = members.flatMap((index) => pieces[index]?.piece ?? []);
    return { name: own[0]?.id ?? "", pieces: own };
  });
}

function indexBy(pieces: readonly PieceNames[], keysOf: (piece: PieceNames) => Iterable<string>): ReadonlyMap<string, readonly number[]> {
  const index = new Map<string, number[]>();
  pieces.forEach((piece, at) => {
    for (const key of keysOf(piece)) {
      const list = index.get(key);
      if (list === undefined) index.set(key, [at]);
      else list.push(at);
    }
  });
  return index;
}

/** An item that goes here and comes there. */
function moves(from: PieceNames, to: PieceNames | undefined): boolean {
  for (const key of from.gone) if (to?.come.has(key) === true) return true;
  return false;
}

/** Whether a piece that has the word of a changed name means that name. */
function needs(user: PieceNames | undefined, owner: PieceNames, change: ChangedName, facts: FileFacts): boolean {
  if (user === undefined || !canSee(user, owner, change, facts)) return false;
  return change.kind !== "member" || meansMember(user, owner, change, facts);
}

function canSee(user: PieceNames, owner: PieceNames, { name, isStatic, kind }: ChangedName, facts: FileFacts): boolean {
  const [from, to] = [user.piece.path, owner.piece.path];
  if (from === to) return true;
  // The definition of what a prototype declares, or of what goes elsewhere.
  const isOwn = user.changed.some((other) => other.name === name && !other.isStatic);
  if (to.endsWith(".h")) {
    if (!facts.includersOf(to).has(from)) return false;
    return isOwn || kind === "member" || !facts.declaresItself(from, name);
  }
  // What a C file defines, others see by a prototype.
  if (isStatic || (kind !== "function" && kind !== "object")) return false;
  return isOwn || !facts.declaresItself(from, name);
}

/** A member's name can be that of many types: its own must be told by the variable or be at hand, or the file must learn the name, or lose it, with the change. */
function meansMember(user: PieceNames, owner: PieceNames, { name, tag, change }: ChangedName, facts: FileFacts): boolean {
  if (user.changed.some((other) => other.kind === "member" && other.name === name && other.tag === tag)) return true;
  const types = user.members.get(name);
  if (types === undefined) return false;
  if (tag !== undefined && types.has(tag)) return true;
  // Through other members, or in a table: only a name that few types have says anything.
  if (!types.has("") || !isTelling(name)) return false;
  const { path } = user.piece;
  if (change === "added" && !facts.hasWord(path, "pre", name)) return true;
  if (change === "removed" && !facts.hasWord(path, "post", name)) return true;
  return (tag !== undefined && user.context.has(tag)) || dirname(path) === dirname(owner.piece.path);
}

/** `flags` and `lock` are members of hundreds of types. */
function isTelling(name: string): boolean {
  return name.includes("_") || name.length >= 8;
}

/** Functions that stand in a member of another type now, and change their own parameters for it. */
function implementers(
  { name, change }: ChangedName,
  owner: PieceNames,
  pieces: readonly PieceNames[],
  byWord: ReadonlyMap<string, readonly number[]>,
  facts: FileFacts,
): number[] {
  if (change !== "altered") return [];
  const includers = facts.includersOf(owner.piece.path);
  const found: number[] = [];
  for (const path of new Set(pieces.map(({ piece }) => piece.path))) {
    if (path !== owner.piece.path && !includers.has(path)) continue;
    for (const implementer of facts.assignedTo(path, name))
      for (const index of byWord.get(implementer) ?? []) {
        const other = pieces[index];
        if (other?.piece.path === path && other.changed.some((changed) => changed.kind === "function" && changed.name === implementer))
          found.push(index);
      }
  }
  return found;
}

/** Who needs an #include: those of the file that first use what it declares; else, if there is one piece besides, that. */
function includeUsers(
  one: PieceNames,
  index: number,
  pieces: readonly PieceNames[],
  byPath: ReadonlyMap<string, readonly number[]>,
  facts: FileFacts,
): number[] {
  const found: number[] = [];
  const { path } = one.piece;
  const beside = (byPath.get(path) ?? []).filter((other) => other !== index && pieces[other]?.isInclude === false);
  for (const spec of one.includes) {
    // A header that comes or goes with the release.
    const included = facts.includedPath(path, spec);
    for (const other of included === undefined ? [] : (byPath.get(included) ?? [])) {
      const file = pieces[other];
      if (file !== undefined && facts.isNew(file.piece.path)) found.push(other);
    }
    if (!one.isInclude) continue;
    const declared = facts.declaredByInclude(path, spec);
    const uses = (other: number, isFirst: boolean): boolean =>
      [...(pieces[other]?.words ?? [])].some(
        (word) => declared.has(word) && (!isFirst || !facts.hasWord(path, "pre", word) || !facts.hasWord(path, "post", word)),
      );
    const first = beside.filter((other) => uses(other, true));
    found.push(...(first.length > 0 ? first : beside.length === 1 ? beside : []));
  }
  return found;
}
