import { FollowFinder, type Followed, type ParameterData } from "./called-names.js";
import { findUses, type Macro } from "./macro-text.js";

/** A piece of a name that `##` puts together: text, with `*` for what cannot be told and `#` for a number; or the parameter that it is taken from. */
export type Piece = string | number;
/** The last piece ends with one of {@link MARKS} where that is not known to be wrong: the name may be that of a macro with parameters. */
export type NamePattern = readonly Piece[];

/** What stands behind a name that a parenthesis follows; `~` if it does where the macro's use is followed by one. */
const MARKS: Readonly<Record<Followed, string>> = { no: "", tail: "~", yes: "(" };

/** A shape, or the last piece of a pattern, without its mark. */
export function bareShape(shape: string): string {
  return shape.replace(/[~(]$/, "");
}

/** False where a macro with parameters is not replaced even if it has such a name. */
export function mayBeCalled(shape: string): boolean {
  return /[~(]$/.test(shape);
}

function bare(pattern: NamePattern): NamePattern {
  const last = pattern.at(-1);
  if (typeof last !== "string" || !mayBeCalled(last)) return pattern;
  return last.length === 1 ? pattern.slice(0, -1) : [...pattern.slice(0, -1), bareShape(last)];
}

function marked(pattern: NamePattern, followed: Followed): NamePattern {
  return simplify([...bare(pattern), MARKS[followed]]);
}

const ANY = "*";
const NUMBER = "#";

/** More patterns than this for one name, and what it forms is taken for anything. */
const MOST_PATTERNS = 500;
const MOST_PIECES = 16;

const isWord = (token: string | undefined): token is string => token !== undefined && /^\w/.test(token);

/** What each macro without parameters may stand for, as a piece of a name. */
export type Aliases = Pick<ReadonlyMap<string, readonly Piece[]>, "get">;

/** Collects what the macros without parameters stand for. */
export function aliasesOf(macros: Iterable<Macro>): ReadonlyMap<string, readonly Piece[]> {
  const aliases = new Map<string, Piece[]>();
  for (const { name, params, body } of macros) {
    if (params !== undefined) continue;
    const known = aliases.get(name) ?? [];
    const more = body.length === 0 ? [""] : edgesOf(body).map((piece) => (/^\d/.test(piece) ? NUMBER : piece));
    aliases.set(name, [...new Set([...known, ...more])]);
  }
  return aliases;
}

/** Of a text only the token beside the `##` becomes part of the name: its first or its last. */
function edgesOf(tokens: readonly string[]): string[] {
  const [first, second] = tokens;
  const last = tokens.at(-1);
  // What a macro's use comes to is not looked up.
  if ((isWord(first) && second === "(") || second === "#" || tokens.at(-2) === "#" || (last === ")" && first !== "(")) return [ANY];
  return [...new Set([first, last])].filter(isWord);
}

function joinAliases(one: Aliases, other: Aliases): Aliases {
  return { get: (name) => [...(one.get(name) ?? []), ...(other.get(name) ?? [])] };
}

/** What an argument, or the word beside a `##`, may be when names are put together. */
class Context {
  constructor(
    private readonly macro: Pick<Macro, "params" | "rest"> | undefined,
    private readonly aliases: Aliases,
    /** The patterns of a macro that comes to nothing but one name; undefined of others. */
    private readonly nameOf: (name: string) => readonly NamePattern[] | undefined = () => undefined,
  ) {}

  /** One piece for a word as it stands. */
  plain(word: string): Piece {
    if (word === this.macro?.rest) return ANY;
    const param = this.macro?.params?.indexOf(word) ?? -1;
    return param >= 0 ? param : word;
  }

  argument(tokens: readonly string[]): NamePattern[] {
    const [word] = tokens;
    if (tokens.length === 0) return [[]];
    if (tokens.length === 1 && isWord(word)) return this.#expanded(word).map((piece) => [piece]);
    const chain = readChain(tokens, 0, (part) => this.plain(part));
    if (chain?.end === tokens.length) return [chain.pattern];
    const inner = word === undefined || this.macro?.params?.includes(word) === true ? undefined : this.nameOf(word);
    const [use] = inner === undefined ? [] : findUses(tokens, (name) => name === word);
    const isWhole = use?.args !== undefined && tokens.at(-1) === ")" && tokens.length === lengthOf(use.args);
    if (inner !== undefined && isWhole) return inner.flatMap((pattern) => atUse(bare(pattern), use.args, this));
    return edgesOf(tokens).flatMap((edge) => (edge === ANY ? [[ANY]] : this.#expanded(edge).map((piece) => [piece])));
  }

  /** What a word comes to where macros are replaced first, itself included. */
  #expanded(word: string): Piece[] {
    const found = new Set<Piece>();
    const queue: Piece[] = [this.plain(word)];
    for (let piece = queue.pop(); piece !== undefined; piece = queue.pop()) {
      if (found.has(piece)) continue;
      found.add(piece);
      if (typeof piece === "number" || piece === "") continue;
      // Macros for numbers are not kept where they are many; they have names in capitals.
      if (/[A-Z]/.test(piece)) queue.push(NUMBER);
      queue.push(...(this.aliases.get(piece) ?? []));
    }
    return found.has(ANY) ? [ANY] : [...found];
  }
}

/** How many tokens a use has. */
function lengthOf(args: readonly (readonly string[])[]): number {
  return 2 + args.reduce((sum, argument) => sum + argument.length + 1, 0);
}

function readChain(
  tokens: readonly string[],
  at: number,
  piece: (word: string) => Piece,
): { pattern: NamePattern; end: number } | undefined {
  const isPaste = (index: number): boolean => tokens[index] === "#" && tokens[index + 1] === "#";
  const first = tokens[at];
  if (!isWord(first) || !isPaste(at + 1)) return undefined;
  const pieces = [piece(first)];
  let end = at + 1;
  while (isPaste(end)) {
    const next = tokens[end + 2];
    if (!isWord(next)) return undefined;
    pieces.push(piece(next));
    end += 3;
  }
  return { pattern: simplify(pieces), end };
}

/** Joins what stands side by side. */
function simplify(pieces: NamePattern): NamePattern {
  const joined: Piece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (piece === "") continue;
    if (typeof piece === "string" && typeof last === "string") joined[joined.length - 1] = (last + piece).replaceAll(/\*+/g, ANY);
    else joined.push(piece);
  }
  return joined.length > MOST_PIECES ? [ANY + MARKS.yes] : joined;
}

/** Every way in which a macro's own pattern comes out for one use of it. */
function atUse(pattern: NamePattern, args: readonly (readonly string[])[] | undefined, context: Context): NamePattern[] {
  let made: NamePattern[] = [[]];
  for (const piece of pattern) {
    const choices = typeof piece !== "number" ? [[piece]] : args === undefined ? [[ANY]] : context.argument(args[piece] ?? []);
    made = made.flatMap((start) => choices.map((choice) => [...start, ...choice]));
    if (made.length > MOST_PATTERNS) return [[ANY + MARKS.yes]];
  }
  return made.map(simplify);
}

export const hasParameter = (pattern: NamePattern): boolean => pattern.some((piece) => typeof piece === "number");

/** The shape of the names that a pattern can form, whatever the arguments: `*` for what is open, with the pattern's mark. */
export function shapeOf(pattern: NamePattern): string {
  return pattern
    .map((piece) => (typeof piece === "string" ? piece : ANY))
    .join("")
    .replaceAll(/\*+/g, "*");
}

/** {@link PastedNames} as plain data. */
export interface PastedData {
  readonly patterns: readonly (readonly [name: string, patterns: readonly NamePattern[]])[];
  readonly aliases: ReadonlyMap<string, readonly Piece[]>;
  readonly names: readonly string[];
  readonly parameters: ParameterData;
}

/** What macros put names together from, each by itself and by those that its body uses. */
export class PastedNames {
  readonly #patterns = new Map<string, Map<string, NamePattern>>();
  readonly #aliases: ReadonlyMap<string, readonly Piece[]>;
  /** Macros whose whole body is one name that is put together, or the use of such a macro. */
  readonly #names = new Set<string>();

  private constructor(
    aliases: ReadonlyMap<string, readonly Piece[]>,
    private readonly follow: FollowFinder,
  ) {
    this.#aliases = aliases;
  }

  static ofData({ patterns, aliases, names, parameters }: PastedData): PastedNames {
    const pasted = new PastedNames(aliases, FollowFinder.ofData(parameters));
    for (const name of names) pasted.#names.add(name);
    for (const [name, list] of patterns) pasted.#patterns.set(name, new Map(list.map((pattern) => [JSON.stringify(pattern), pattern])));
    return pasted;
  }

  toData(): PastedData {
    return {
      patterns: Array.from(this.#patterns, ([name, patterns]) => [name, [...patterns.values()]] as const),
      aliases: this.#aliases,
      names: [...this.#names],
      parameters: this.follow.data,
    };
  }

  /** @param foreign macros of C files, that headers may be given what they stand for */
  static ofMacros(macros: readonly Macro[], foreign: readonly Macro[] = []): PastedNames {
    const pasted = new PastedNames(aliasesOf([...macros, ...foreign]), FollowFinder.ofMacros(macros, foreign));
    pasted.#collect(macros);
    return pasted;
  }

  #collect(macros: readonly Macro[]): void {
    this.#findNames(macros);
    const users = new Map<string, Macro[]>();
    for (const macro of macros)
      for (const word of new Set(macro.body)) {
        if (!isWord(word)) continue;
        const list = users.get(word);
        if (list === undefined) users.set(word, [macro]);
        else list.push(macro);
      }
    const queue = new Set<string>();
    for (const macro of macros) if (this.#add(macro.name, this.#ownPatterns(macro))) queue.add(macro.name);
    for (const name of queue) {
      queue.delete(name);
      for (const user of users.get(name) ?? [])
        if (
          this.#add(
            user.name,
            this.#usedBy(user, (used) => used === name),
          )
        )
          queue.add(user.name);
    }
  }

  #findNames(macros: readonly Macro[]): void {
    const others = new Set<string>();
    for (const { name } of macros) this.#names.add(name);
    const isName = ({ params, body }: Macro): boolean => {
      const [first = ""] = body;
      if (params === undefined) return false;
      if (readChain(body, 0, (word) => word)?.end === body.length) return true;
      const [use] = this.#names.has(first) ? findUses(body, (name) => name === first) : [];
      return use?.args !== undefined && !params.includes(first) && body.length === lengthOf(use.args);
    };
    // What is none makes others none.
    for (let before = -1; before !== others.size;) {
      before = others.size;
      for (const macro of macros) if (!others.has(macro.name) && !isName(macro)) others.add(macro.name);
      for (const name of others) this.#names.delete(name);
    }
  }

  #nameOf(name: string): readonly NamePattern[] | undefined {
    return this.#names.has(name) ? [...(this.#patterns.get(name)?.values() ?? [])] : undefined;
  }

  #add(name: string, patterns: readonly NamePattern[]): boolean {
    const known = this.#patterns.get(name) ?? new Map<string, NamePattern>();
    const before = known.size;
    if (known.has(ANY)) return false;
    for (const pattern of patterns) if (mayBeName(pattern)) known.set(JSON.stringify(pattern), pattern);
    if (known.size > MOST_PATTERNS) {
      known.clear();
      known.set(ANY, [ANY + MARKS.yes]);
      this.#patterns.set(name, known);
      return true;
    }
    if (known.size > 0) this.#patterns.set(name, known);
    return known.size > before;
  }

  #usedBy(macro: Macro, isWanted: (name: string) => boolean): NamePattern[] {
    return this.#usesBy(macro, isWanted, this.#aliases);
  }

  #usesBy(macro: Macro, isWanted: (name: string) => boolean, aliases: Aliases, isMacro?: (name: string) => boolean): NamePattern[] {
    // Its own name is not replaced again in what it comes to.
    const isOther = (name: string): boolean =>
      isWanted(name) && name !== macro.name && name !== macro.rest && macro.params?.includes(name) !== true;
    const context = new Context(macro, aliases, (name) => this.#nameOf(name));
    return this.#usesIn(macro.body, isOther, context, (start, end) => this.follow.behind(macro.body, start, end, macro, isMacro));
  }

  /** @param behind what follows a use */
  #usesIn(
    tokens: readonly string[],
    isWanted: (name: string) => boolean,
    context: Context,
    behind: (start: number, end: number) => Followed,
  ): NamePattern[] {
    return findUses(tokens, isWanted).flatMap(({ name, args, start, end }) => {
      const patterns = [...(this.#patterns.get(name)?.values() ?? [])];
      return patterns
        .filter((pattern) => hasParameter(pattern) && (args !== undefined || !isNumber(pattern)))
        .flatMap((pattern) => {
          const last = pattern.at(-1);
          const isTail = typeof last === "string" && last.endsWith(MARKS.tail);
          // Where only the macro's name is passed on, it is not seen what follows.
          return atUse(isTail ? marked(pattern, args === undefined ? "yes" : behind(start, end)) : pattern, args, context);
        });
    });
  }

  /** The names that a pattern comes to for these arguments, as shapes. */
  atUse(pattern: NamePattern, args: readonly (readonly string[])[]): string[] {
    const context = new Context(undefined, this.#aliases, (name) => this.#nameOf(name));
    return atUse(bare(pattern), args, context).map((made) => shapeOf(bare(made)));
  }

  /** The names that a macro forms whatever its arguments are, as shapes: who uses it uses them. */
  fixedShapes(name: string): Set<string> {
    const patterns = [...(this.#patterns.get(name)?.values() ?? [])];
    return new Set(patterns.filter((pattern) => !hasParameter(pattern)).map(shapeOf));
  }

  /** All patterns of all macros. */
  *patterns(): Generator<readonly [name: string, pattern: NamePattern]> {
    for (const [name, patterns] of this.#patterns) for (const pattern of patterns.values()) yield [name, pattern];
  }

  /**
   * The names that a text which is no macro forms by its uses of macros, as shapes.
   * @param macros those that the text itself defines, if they are not among those of this object
   */
  formedBy(tokens: readonly string[], macros: readonly Macro[] = []): Set<string> {
    const shapes = new Set<string>();
    const isWanted = (name: string): boolean => this.#patterns.has(name);
    const own = aliasesOf(macros);
    const aliases = own.size === 0 ? this.#aliases : joinAliases(this.#aliases, own);
    const ownNames = new Set(macros.map(({ name }) => name));
    const isOwn = (name: string): boolean => ownNames.has(name);
    const context = new Context(undefined, aliases, (name) => this.#nameOf(name));
    const behind = (start: number, end: number): Followed => this.follow.behind(tokens, start, end, undefined, isOwn);
    for (const pattern of this.#usesIn(tokens, isWanted, context, behind)) if (mayBeName(pattern)) shapes.add(shapeOf(pattern));
    // Of a file's own macros it is not looked up who uses them how.
    for (const macro of macros)
      for (const pattern of [...this.#ownPatterns(macro, isOwn), ...this.#usesBy(macro, isWanted, aliases, isOwn)])
        if (mayBeName(pattern)) shapes.add(shapeOf(pattern));
    return shapes;
  }

  #ownPatterns(macro: Macro, isMacro?: (name: string) => boolean): NamePattern[] {
    const context = new Context(macro, new Map());
    return macro.body.flatMap((_, at) => {
      const isInChain = macro.body[at - 1] === "#" && macro.body[at - 2] === "#";
      const chain = isInChain ? undefined : readChain(macro.body, at, (word) => context.plain(word));
      return chain === undefined ? [] : [marked(chain.pattern, this.follow.behind(macro.body, at, chain.end, macro, isMacro))];
    });
  }
}

/** True of `x##UL`: what it is given where only its name is seen is a number, which makes no name. */
function isNumber(marked: NamePattern): boolean {
  const pattern = bare(marked);
  return (
    typeof pattern[0] === "number" &&
    pattern.length > 1 &&
    pattern.slice(1).every((piece) => typeof piece === "string" && /^(?:[uUlL]+|#)$/.test(piece))
  );
}

function mayBeName(pattern: NamePattern): boolean {
  const [first] = bare(pattern);
  return first !== undefined && !(typeof first === "string" && /^[\d#]/.test(first));
}
