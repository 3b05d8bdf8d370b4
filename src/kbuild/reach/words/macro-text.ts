import { codeTokens } from "../../../source/top-level-items.js";

/** A macro's definition. */
export interface Macro {
  readonly name: string;
  /** Undefined of one without parentheses. */
  readonly params: readonly string[] | undefined;
  /** The parameter that stands for any number of arguments: its own name, or `__VA_ARGS__`. */
  readonly rest: string | undefined;
  readonly body: readonly string[];
}

const DEFINE = /^\s*#\s*define\s+(\w+)(?:\(([^)]*)\))?([^]*)$/;

/** Reads a `#define` line, its continuations joined or not; undefined for what is none. */
export function parseMacro(text: string): Macro | undefined {
  const [, name, list, body = ""] = DEFINE.exec(text) ?? [];
  if (name === undefined) return undefined;
  const tokens = [...codeTokens(body)];
  if (list === undefined) return { name, params: undefined, rest: undefined, body: tokens };
  const params: string[] = [];
  let rest: string | undefined;
  for (const part of list
    .replaceAll(/\\\n|\/\*[^]*?\*\//g, " ")
    .split(",")
    .map((param) => param.trim())) {
    const [, own] = /^(\w*)\s*\.\.\.$/.exec(part) ?? [];
    if (own !== undefined) rest = own === "" ? "__VA_ARGS__" : own;
    else if (part !== "") params.push(part);
  }
  return { name, params, rest, body: tokens };
}

/** All macros that a source defines, under whatever conditions, in functions too. */
export function findMacros(source: string): Macro[] {
  const found: Macro[] = [];
  for (const [text] of source.matchAll(/^[ \t]*#[ \t]*define\b(?:\\\n|\/\*[^]*?\*\/|[^\n])*/gm)) {
    const macro = parseMacro(text);
    if (macro !== undefined) found.push(macro);
  }
  return found;
}

/** The use of a macro in a text. */
export interface MacroUse {
  readonly name: string;
  /** The tokens of each argument; undefined where the name stands without any, as the argument of another macro does. */
  readonly args: readonly (readonly string[])[] | undefined;
  /** Where it stands among the tokens. */
  readonly start: number;
  /** What comes behind it. */
  readonly end: number;
}

/** The uses of those macros that are asked for, nested ones too. */
export function findUses(tokens: readonly string[], isWanted: (name: string) => boolean): MacroUse[] {
  const uses: MacroUse[] = [];
  tokens.forEach((name, at) => {
    if (!isWanted(name) || isOnlyNamed(tokens, at)) return;
    const given = readArguments(tokens, at + 1);
    uses.push({ name, args: given?.args, start: at, end: given?.end ?? at + 1 });
  });
  return uses;
}

/** True where a directive asks for a macro, or makes or drops it, and does not replace it. */
function isOnlyNamed(tokens: readonly string[], at: number): boolean {
  const before = tokens[at - 1] ?? "";
  return /^(?:define|undef|ifdef|ifndef|defined)$/.test(before) || (before === "(" && tokens[at - 2] === "defined");
}

function readArguments(tokens: readonly string[], open: number): { readonly args: string[][]; readonly end: number } | undefined {
  if (tokens[open] !== "(") return undefined;
  const args: string[][] = [];
  let argument: string[] = [];
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    const token = tokens[at] ?? "";
    if (token === ")" && --depth === 0) return { args: [...args, argument], end: at + 1 };
    if (token === "," && depth === 1) {
      args.push(argument);
      argument = [];
    } else if (depth > 0) argument.push(token);
    if (token === "(") depth++;
  }
  return undefined;
}
