import { dirname, join } from "node:path/posix";
import { codeWords } from "../../src/source/top-level-items.js";
import { declaredBy, type DeclaredName } from "./item-names.js";
import { maskText, type SourceItem } from "./source-items.js";
import { touchedItems, type Piece, type SplitFile } from "./split-pieces.js";

/** A name that a piece brings, takes away or gives another meaning. */
export interface ChangedName extends DeclaredName {
  readonly change: "added" | "removed" | "altered";
}

/** What a piece has to do with names. */
export interface PieceNames {
  readonly piece: Piece;
  readonly changed: readonly ChangedName[];
  /** Declared by whole items that come, or go: `function:foo`. The same name in two pieces of a file is an item that moves. */
  readonly come: ReadonlySet<string>;
  readonly gone: ReadonlySet<string>;
  /** Words of the statements that change, of either version. */
  readonly words: ReadonlySet<string>;
  /** Members that these statements use, each with the types of what they are members of; `""` where that cannot be told. */
  readonly members: ReadonlyMap<string, ReadonlySet<string>>;
  /** Functions and other items that the changes lie in, by the names they declare. */
  readonly declared: ReadonlySet<string>;
  /** Words of the functions and other items that the changes lie in. */
  readonly context: ReadonlySet<string>;
  /** What it includes that was not included, or is not any more: as between quotes or brackets. */
  readonly includes: readonly string[];
  /** Has nothing but #include lines. */
  readonly isInclude: boolean;
}

/** Lines that a statement is followed up or down from one of its lines that changes. */
const LONGEST_STATEMENT = 8;

/** Finds for each piece of a file which names it changes, and which it mentions. */
export function namesOfPieces(file: SplitFile): PieceNames[] {
  if (!/\.[ch]$/.test(file.path)) return file.pieces.map((piece) => namesOfRules(file, piece));
  const pre = sideOf(file.pre, file.preItems);
  const post = sideOf(file.post, file.postItems);
  return file.pieces.map((piece) => {
    const before = touchOf(piece, pre, "pre");
    const after = touchOf(piece, post, "post");
    const added = [...after.names.values()].filter(({ key, declared }) => isMeant(declared, after) && pre.names.get(key) !== declared.said);
    const removed = [...before.names.values()].filter(({ key, declared }) => isMeant(declared, before) && !post.names.has(key));
    const changed: ChangedName[] = [
      ...added.map(({ key, declared }) => ({ ...declared, change: pre.names.has(key) ? ("altered" as const) : ("added" as const) })),
      ...removed.map(({ declared }) => ({ ...declared, change: "removed" as const })),
      ...enclosed(piece, pre, "pre"),
      ...enclosed(piece, post, "post"),
      ...(file.pre === undefined || file.post === undefined ? objectOf(file) : []),
    ];
    const keysOnlyIn = (one: Touch, other: Touch): ReadonlySet<string> =>
      new Set([...one.names.keys()].filter((key) => !other.names.has(key)));
    const lines = [...before.lines, ...after.lines];
    return {
      piece,
      changed,
      come: keysOnlyIn(after, before),
      gone: keysOnlyIn(before, after),
      words: new Set([...before.words, ...after.words, ...changed.map(({ name }) => name)]),
      members: membersOf([...before.statements, ...after.statements], [...before.items, ...after.items]),
      declared: new Set([...before.names.values(), ...after.names.values()].map(({ declared }) => declared.name)),
      context: new Set([...before.items, ...after.items].flatMap(({ code }) => [...codeWords(code)])),
      includes: lines.flatMap((line) => includedBy(line) ?? []),
      isInclude:
        lines.some((line) => includedBy(line) !== undefined) && lines.every((line) => line.trim() === "" || includedBy(line) !== undefined),
    };
  });
}

/** The object that is made of a file that comes or goes: makefiles name it. */
function objectOf({ path, pre }: SplitFile): ChangedName[] {
  const change = pre === undefined ? "added" : "removed";
  return path.endsWith(".c") ? [{ kind: "object", name: path.replace(/c$/, "o"), isStatic: false, said: "", change }] : [];
}

/** Makefiles name objects and options of the configuration, Kconfig files bring them; assembly mentions names. */
function namesOfRules({ path, pre = "", post = "" }: SplitFile, piece: Piece): PieceNames {
  const cut = (text: string, from: "preStart" | "postStart", to: "preEnd" | "postEnd"): string =>
    piece.hunks
      .map((hunk) =>
        text
          .split("\n")
          .slice(hunk[from] - 1, hunk[to] - 1)
          .join("\n"),
      )
      .join("\n");
  const [before, after] = [cut(pre, "preStart", "preEnd"), cut(post, "postStart", "postEnd")];
  const text = `${before}\n${after}`;
  const objects = Array.from(text.matchAll(/[\w/-]+\.o\b/g), ([object]) => join(dirname(path), object));
  const options = Array.from(after.matchAll(/^\s*(?:menu)?config (\w+)/gm), ([, name = ""]) => `CONFIG_${name}`);
  return {
    piece,
    changed: options.map((name) => ({ kind: "macro", name, isStatic: false, said: "", change: "added" })),
    come: new Set(),
    gone: new Set(),
    words: new Set([...codeWords(text), ...objects, ...options]),
    members: new Map(),
    declared: new Set(),
    context: new Set(),
    includes: [],
    isInclude: false,
  };
}

function membersOf(statements: readonly string[], items: readonly SourceItem[]): Map<string, Set<string>> {
  // Comments were blanked out: a pattern would go through long runs of spaces again and again.
  const context = items.map(({ code }) => code.replaceAll(/\s+/g, " ")).join(" ");
  const found = new Map<string, Set<string>>();
  for (const text of statements)
    for (const [, base, member = ""] of text.matchAll(/(?:\b([A-Za-z_]\w*)\s*(?:\[[^\]]*\]\s*)?)?(?:->|\.)\s*([A-Za-z_]\w*)/g)) {
      const types = found.get(member) ?? new Set();
      for (const type of base === undefined ? [""] : typesOf(base, context)) types.add(type);
      found.set(member, types);
    }
  return found;
}

/** The structures that a variable or parameter is declared to be of, or to point to. */
function typesOf(variable: string, context: string): string[] {
  const pattern = new RegExp(
    `\\b(?:struct|union)\\s+(\\w+)\\s*[\\s*]\\s*(?:const\\s+)?(?:\\w+\\s*(?:=[^,;()]*)?,\\s*\\**\\s*)*${variable}\\b`,
    "g",
  );
  const types = Array.from(context.matchAll(pattern), ([, type = ""]) => type);
  return types.length === 0 ? [""] : types;
}

/** What an #include line names. */
function includedBy(line: string): string | undefined {
  return /^\s*#\s*include\s*["<]([^">]+)[">]/.exec(line)?.[1];
}

interface Side {
  readonly lines: readonly string[];
  readonly masked: readonly string[];
  readonly items: readonly SourceItem[];
  readonly namesOf: ReadonlyMap<SourceItem, readonly DeclaredName[]>;
  /** What the file says of each name, by `kind:tag.name`. */
  readonly names: ReadonlyMap<string, string>;
}

function sideOf(text: string | undefined, items: readonly SourceItem[]): Side {
  const namesOf = new Map(items.map((item): [SourceItem, DeclaredName[]] => [item, declaredBy(item)]));
  const names = new Map<string, string>();
  for (const declared of [...namesOf.values()].flat()) {
    const key = keyOf(declared);
    // A macro that is defined in two branches says both.
    names.set(key, names.has(key) && names.get(key) !== declared.said ? `${names.get(key) ?? ""}\n${declared.said}` : declared.said);
  }
  return { lines: (text ?? "").split("\n"), masked: maskText(text ?? "").split("\n"), items, namesOf, names };
}

function keyOf({ kind, tag, name }: DeclaredName): string {
  return `${kind}:${tag === undefined ? "" : `${tag}.`}${name}`;
}

interface Touch {
  readonly items: readonly SourceItem[];
  readonly names: ReadonlyMap<string, { readonly key: string; readonly declared: DeclaredName }>;
  /** The lines that change. */
  readonly lines: readonly string[];
  readonly statements: readonly string[];
  readonly words: ReadonlySet<string>;
}

function touchOf(piece: Piece, side: Side, version: "pre" | "post"): Touch {
  const ranges = piece.hunks.map(({ preStart, preEnd, postStart, postEnd }): [number, number] =>
    version === "pre" ? [preStart, preEnd] : [postStart, postEnd],
  );
  const items = [...new Set(ranges.flatMap(([start, end]) => touchedItems(side.items, side.lines, start, end)))];
  const names = new Map(
    items.flatMap((item) =>
      (side.namesOf.get(item) ?? []).map((declared) => [keyOf(declared), { key: keyOf(declared), declared }] as const),
    ),
  );
  const statements = ranges.flatMap(([start, end]) => statementAround(side.masked, start, end));
  return {
    items,
    names,
    lines: ranges.flatMap(([start, end]) => side.lines.slice(start - 1, end - 1)),
    statements,
    words: new Set(statements.flatMap((text) => [...codeWords(text)])),
  };
}

/** Items between the lines of a piece that puts a condition around them, or takes one away: who uses one that is left out fails to compile. */
function enclosed(piece: Piece, side: Side, version: "pre" | "post"): ChangedName[] {
  const ranges = piece.hunks.map((hunk) => [hunk[`${version}Start`], hunk[`${version}End`]] as const);
  const isCondition = ranges.every(([start, end]) =>
    side.lines.slice(start - 1, end - 1).every((line) => /^\s*(?:#\s*(?:if|el|endif)|$)/.test(line)),
  );
  const [from, to] = [ranges[0]?.[1] ?? 0, ranges.at(-1)?.[0] ?? 0];
  if (!isCondition || ranges.length < 2 || ranges.every(([start, end]) => start === end)) return [];
  const inside = side.items.filter((item) => item.start >= from && item.end <= to);
  return inside.flatMap((item) => side.namesOf.get(item) ?? []).map((declared) => ({ ...declared, change: "altered" as const }));
}

/** Of a type, only what the changed statements name is changed by a piece. */
function isMeant({ kind, name }: DeclaredName, { words }: Touch): boolean {
  return kind === "member" || kind === "enumerator" ? words.has(name) : true;
}

/** The changed lines with the rest of the statements that they are part of: `f(a,` may stand a line above the one that changes. */
function statementAround(lines: readonly string[], start: number, end: number): string {
  if (start === end) return "";
  let [from, to] = [start, end];
  while (from > 1 && start - from < LONGEST_STATEMENT && !isBoundary(lines[from - 2] ?? "")) from--;
  while (to <= lines.length && to - end < LONGEST_STATEMENT && !isBoundary(lines[to - 2] ?? "")) to++;
  return lines.slice(from - 1, to - 1).join("\n");
}

/** A line that a statement ends with, or an entry of a table. */
function isBoundary(line: string): boolean {
  return /(?:[;{}:]|\},)\s*$|^\s*(?:#.*)?$|^\s*\.\w+\s*=.*,\s*$/.test(line);
}
