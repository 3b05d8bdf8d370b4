import { tokenPattern } from "./tokens.js";

/** Comments, strings, character constants, continuations, line ends, punctuation that matters, words, blanks, and everything else by characters. */
const TOKEN = tokenPattern(/\\\n|\n|\w+|[^\S\n]+|[^]/);

/** A function, a declaration or a preprocessor line that stands outside of all others. Comments are left out; between two tokens stands one blank. */
export interface TopLevelItem {
  readonly kind: "directive" | "function" | "declaration";
  /** The directives of the branches that it stands in, outermost first: of each #if, #elif and #else up to it. */
  readonly conditions: readonly string[];
  /** Of a function what stands before its body; of a declaration all of it, its semicolon included; the line of a directive, whose own blanks stay. */
  readonly head: string;
  /** The body of a function, in its braces; else empty. */
  readonly body: string;
  /** Preprocessor lines in the midst of a function or declaration. */
  readonly directives: readonly string[];
}

/** Where the reader of a source is. */
interface Place {
  readonly braces: number;
  readonly parentheses: number;
  readonly inFunction: boolean;
}

/**
 * Takes a C source apart without preprocessing it. What follows the last semicolon or function is a declaration too.
 * @returns undefined where that cannot be done: a branch of an #if holds half a block
 */
export function readTopLevel(source: string): TopLevelItem[] | undefined {
  return readItems(source, false);
}

/**
 * The same, of any source, for rules that look for what speaks against a change. Where a branch of an #if holds half a block, what the other branches have of it is read as
 * words of the same function; and a function ends where a line begins with its brace, whatever was counted.
 */
export function topLevelItems(source: string): TopLevelItem[] {
  return readItems(source, false) ?? readItems(source, true) ?? [];
}

function readItems(source: string, isLenient: boolean): TopLevelItem[] | undefined {
  const items: TopLevelItem[] = [];
  /** What stands since the last declaration or function ended, outside of all function bodies. */
  let head: string[] = [];
  /** The function that is being read: its body. */
  let body: string[] | undefined;
  let directives: string[] = [];
  let braces = 0;
  let parentheses = 0;
  const branches: Branch[] = [];
  const place = (): Place => ({ braces, parentheses, inFunction: body !== undefined });
  const conditions = (): string[] => branches.flatMap(({ texts }) => texts);
  let started = conditions();

  const finish = (kind: TopLevelItem["kind"]): void => {
    items.push({ kind, conditions: started, head: head.join(" "), body: body?.join(" ") ?? "", directives });
    head = [];
    body = undefined;
    directives = [];
  };

  for (const line of logicalLines(source)) {
    if (line.directive !== undefined) {
      const { name, text } = line.directive;
      if (name === "line") continue;
      const isInside = head.length > 0;
      if (isInside) directives.push(text);
      else items.push({ kind: "directive", conditions: conditions(), head: text, body: "", directives: [] });
      if (name.startsWith("if")) branches.push({ place: place(), texts: [text], isOther: false, isForeign: FOR_CPLUSPLUS.test(text) });
      else if (name.startsWith("el") || name === "endif") {
        const branch = branches.at(-1);
        const isWhole = branch !== undefined && isSamePlace(branch.place, place());
        if (!isWhole && !isLenient) return undefined;
        if (name === "endif") branches.pop();
        else if (branch !== undefined) {
          branch.texts.push(text);
          branch.isForeign = false;
          branch.isOther ||= !isWhole;
        }
      }
      continue;
    }
    if (branches.some(({ isForeign }) => isForeign)) continue;
    const isCounted = !branches.some(({ isOther }) => isOther);
    for (const [at, token] of line.tokens.entries()) {
      if (head.length === 0) started = conditions();
      if (!isCounted) {
        (body ?? head).push(token);
        continue;
      }
      if (isLenient && at === 0 && line.isAtMargin && token === "}" && body !== undefined) [braces, parentheses] = [1, 0];
      if (token === "{" && braces === 0 && parentheses === 0 && isFunctionHead(head.join(" "))) body = [];
      if (token === "{") braces++;
      if (token === "(") parentheses++;
      if (token === ")") parentheses--;
      if (token === "}") braces--;
      if (braces < 0 || parentheses < 0) {
        if (!isLenient) return undefined;
        [braces, parentheses] = [Math.max(0, braces), Math.max(0, parentheses)];
      }
      if (body !== undefined) {
        body.push(token);
        if (braces === 0) finish("function");
        continue;
      }
      head.push(token);
      if (token === ";" && braces === 0 && parentheses === 0) finish("declaration");
    }
  }
  if (!isLenient && (braces !== 0 || parentheses !== 0 || branches.length > 0)) return undefined;
  if (head.length > 0) finish(body === undefined ? "declaration" : "function");
  return items;
}

/** An #if that is open. */
interface Branch {
  /** Where it began. */
  readonly place: Place;
  /** Its directives up to here. */
  readonly texts: string[];
  /** True once one of its branches has held half a block: braces of the others are not counted. */
  isOther: boolean;
  /** True in the branch that only C++ sees, as headers for user space have one: half a block, which is no C. */
  isForeign: boolean;
}

const FOR_CPLUSPLUS = /^# ?if(?:def __cplusplus| defined ?(?:\( ?__cplusplus ?\)|__cplusplus))$/;

function isSamePlace(a: Place, b: Place): boolean {
  return a.braces === b.braces && a.parentheses === b.parentheses && a.inFunction === b.inFunction;
}

/** The words and numbers of a source, those in comments, strings and character constants left out. */
export function* codeWords(source: string): Generator<string> {
  for (const [token] of source.matchAll(TOKEN)) if (/^\w/.test(token)) yield token;
}

/** All tokens of a source but comments and blanks. */
export function* codeTokens(source: string): Generator<string> {
  for (const [token] of source.matchAll(TOKEN)) if (!/^(?:\s|\\\n|\/[*/])/.test(token)) yield token;
}

interface LogicalLine {
  readonly tokens: readonly string[];
  /** True if no blank stands before its first token. */
  readonly isAtMargin: boolean;
  readonly directive?: { readonly name: string; readonly text: string };
}

/** Lines with those that they continue on, without comments and blanks. A directive's text keeps its blanks. */
function* logicalLines(source: string): Generator<LogicalLine> {
  let tokens: string[] = [];
  let text = "";
  const finish = (): LogicalLine => {
    const isDirective = tokens[0] === "#";
    const isAtMargin = !/^\s/.test(text);
    const directive = isDirective ? { directive: { name: tokens[1] ?? "", text: text.trim().replaceAll(/\s+/g, " ") } } : {};
    const line = { tokens: isDirective ? [] : tokens, isAtMargin, ...directive };
    tokens = [];
    text = "";
    return line;
  };
  for (const [token] of source.matchAll(TOKEN)) {
    if (token === "\n") yield finish();
    else if (token.startsWith("/*") || token.startsWith("//") || token === "\\\n" || /^\s+$/.test(token)) text += " ";
    else {
      tokens.push(token);
      text += token;
    }
  }
  yield finish();
}

/** The text before the first parentheses, which ends in what is called; and what is behind them. */
export function splitHead(head: string): { readonly before: string; readonly name: string; readonly behind: string } | undefined {
  const open = head.indexOf("(");
  const [, before = "", name = ""] = /^(.*?) ?(\w+) $/.exec(head.slice(0, Math.max(0, open))) ?? [];
  let depth = 0;
  for (let at = open; at >= 0 && at < head.length; at++) {
    if (head[at] === "(") depth++;
    if (head[at] === ")" && --depth === 0) return name === "" ? undefined : { before, name, behind: head.slice(at + 1).trim() };
  }
  return undefined;
}

/** `struct foo __aligned(8)` looks like a function that gives a struct; so does `struct foo ATTRIBUTE(8)`. */
const ATTRIBUTE = /^(?:__\w+|[A-Z\d_]+)$/;

/** True where the braces behind are a function's body, not a struct, a list of constants or an initial value. */
function isFunctionHead(head: string): boolean {
  const parts = splitHead(head);
  if (parts === undefined || !/(?:\)|__\w+)$/.test(head)) return false;
  const { before, name, behind } = parts;
  if (before.includes("=") || behind.includes("=") || /\btypedef\b/.test(before)) return false;
  return !(ATTRIBUTE.test(name) && /\b(?:struct|union|enum)\b/.test(before) && !before.includes("*"));
}
