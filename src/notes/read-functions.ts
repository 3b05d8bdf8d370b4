import { blank, blankOutside } from "../source/blank-text.js";

/** A function of a C source, with its place. In its texts comments, strings and preprocessor lines are blank; lines and offsets stay. */
export interface SourceFunction {
  readonly name: string;
  /** What stands before the body. */
  readonly head: string;
  /** The body, in its braces. */
  readonly body: string;
  /** Line of the name, from 1. */
  readonly line: number;
  /** Line of the body's first brace, from 1. */
  readonly bodyLine: number;
}

/** A source taken apart. */
export interface SourceText {
  readonly functions: readonly SourceFunction[];
  /** The text with all function bodies blank too: tables and declarations. */
  readonly fileLevel: string;
}

/** Where the last declaration, function or line of another kind ends before a function's head. */
const ITEM_END = /[;}]/g;

/**
 * Finds the functions of a C source by the kernel's style, without preprocessing: what begins in the first column ends with a brace in the first
 * column. So branches of an #if that hold half a block each do no harm; a file in another style gives fewer functions.
 */
export function readFunctions(source: string): SourceText {
  const text = blankOutside(source);
  const functions: SourceFunction[] = [];
  let fileLevel = "";
  let end = 0;
  /** The line that `end` lies in. */
  let endLine = 1;
  for (const { open, close } of findBlocks(text)) {
    if (open < end) continue;
    const before = text.slice(end, open);
    const headStart = Array.from(before.matchAll(ITEM_END)).at(-1)?.index ?? -1;
    const head = before.slice(headStart + 1);
    const name = functionName(head);
    if (name === undefined) continue;
    const body = text.slice(open, close);
    const line = lineAt(before, headStart + 1 + name.at, endLine);
    const bodyLine = lineAt(before, before.length, endLine);
    functions.push({ name: name.name, head, body, line, bodyLine });
    endLine = lineAt(body, body.length, bodyLine);
    fileLevel += before + blank(body);
    end = close;
  }
  return { functions, fileLevel: fileLevel + text.slice(end) };
}

/** The number of the line, from 1, that an offset lies in. */
export function lineAt(text: string, offset: number, first = 1): number {
  let line = first;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

/** Braces that may hold a function's body: one alone in the first column or at the end of a line that began there, up to one in the first column. */
function* findBlocks(text: string): Generator<{ open: number; close: number }> {
  for (const match of text.matchAll(/^\{|^(?![\s#]).*?\)[^\S\n]*(?:__\w+[^\S\n]*)?\{|\{(?<=\)\s*\{)[^\S\n]*$/gm)) {
    const open = match.index + match[0].trimEnd().length - 1;
    const lineEnd = endOfLine(text, open);
    const rest = text.slice(open, lineEnd);
    if (/\}\s*$/.test(rest) && isBalanced(rest)) {
      yield { open, close: open + rest.trimEnd().length };
      continue;
    }
    const close = text.indexOf("\n}", open);
    if (close >= 0) yield { open, close: close + 2 };
  }
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

function isBalanced(text: string): boolean {
  return text.split("{").length === text.split("}").length;
}

/** `__printf(2, 3)` and `__acquires(lock)` stand in heads too. */
const ATTRIBUTE = /^(?:__\w+|[A-Z_\d]+)$/;

/** Of a block inside a function, where the braces in the first column misled. */
const KEYWORD = /^(?:if|while|for|switch|return|sizeof)$/;

/** What a head declares, and the offset of its name in it; undefined where it is no function's. */
function functionName(head: string): { name: string; at: number } | undefined {
  if (!/\)(?:\s+__\w+)*\s*$/.test(head) || /=|\b(?:typedef|enum)\s[^()]*$/.test(head)) return undefined;
  const groups: { name: string; at: number; open: number }[] = [];
  let depth = 0;
  for (const match of head.matchAll(/\b(\w+)\s*\(|[()]/g)) {
    if (match[0] === ")") depth--;
    else {
      if (depth === 0 && match[1] !== undefined) groups.push({ name: match[1], at: match.index, open: match.index + match[0].length });
      depth++;
    }
  }
  const found = groups.find(({ name }) => !ATTRIBUTE.test(name));
  if (found !== undefined && KEYWORD.test(found.name)) return undefined;
  if (found !== undefined) return { name: found.name, at: found.at };
  // DEFINE_X(name, …) names it inside; `__name(…)` is an attribute or a function, and a function if nothing else is.
  const [first] = groups;
  if (first === undefined || /\b(?:struct|union)\b[^()]*$/.test(head.slice(0, first.at))) return undefined;
  if (first.name.startsWith("__")) return { name: first.name, at: first.at };
  const inside = /^\s*(\w+)/.exec(head.slice(first.open))?.[1];
  if (inside === undefined) return undefined;
  return { name: /^(?:COMPAT_)?SYSCALL_DEFINE/.test(first.name) ? `sys_${inside}` : inside, at: first.at };
}
