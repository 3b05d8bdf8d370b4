import { memoized } from "../memoized.js";
import { lineAt, type SourceFunction } from "./read-functions.js";

/** A call in a function's text. */
export interface Call {
  readonly callee: string;
  readonly args: readonly string[];
  /** What the value is assigned to, as the text has it. */
  readonly target: string | undefined;
  readonly line: number;
}

const NO_CALLEE: ReadonlySet<string> = new Set(["if", "while", "for", "switch", "return", "sizeof", "typeof", "__typeof__", "defined"]);

/** All calls of a function, macros included, in the order of the text. */
export const findCalls = memoized((entry: SourceFunction): readonly Call[] => {
  const found: Call[] = [];
  for (const match of entry.body.matchAll(/\b([A-Za-z_]\w*)\s*\(/g)) {
    const callee = match[1] ?? "";
    if (NO_CALLEE.has(callee)) continue;
    const before = entry.body.slice(Math.max(0, match.index - 200), match.index);
    found.push({
      callee,
      args: splitArguments(entry.body, match.index + match[0].length),
      target: /([\w.[\]]+(?:\s*->\s*[\w.[\]]+)*)\s*=\s*(?:\([^()]*\)\s*)?$/.exec(before)?.[1],
      line: lineAt(entry.body, match.index, entry.bodyLine),
    });
  }
  return found;
});

/** Characters of arguments that are looked at; so a text in which nothing is closed is read in time. */
const LONGEST_ARGUMENTS = 1000;

/** The arguments behind an opening parenthesis, blanks made one. */
function splitArguments(text: string, start: number): string[] {
  const args: string[] = [];
  const looked = text.slice(start, start + LONGEST_ARGUMENTS);
  let depth = 1;
  let from = 0;
  for (const { 0: char, index } of looked.matchAll(/[()[\]{},]/g)) {
    if ("([{".includes(char)) depth++;
    else if (char !== ",") depth--;
    if (depth === 0 || (depth === 1 && char === ",")) {
      args.push(looked.slice(from, index).replaceAll(/\s+/g, " ").trim());
      from = index + 1;
    }
    if (depth === 0) break;
  }
  return args.length === 1 && args[0] === "" ? [] : args;
}

/** Characters; what is longer names nothing. */
const LONGEST_EXPRESSION = 500;

/** `&p->queue[i].lock` is the member `lock`; `&table_lock` the variable `table_lock`. */
export interface Place {
  readonly name: string;
  readonly isMember: boolean;
}

/** What an expression names at its end; undefined for a call and whatever has no name. */
export function placeOf(expression: string): Place | undefined {
  if (expression.length > LONGEST_EXPRESSION) return undefined;
  const plain = expression.replaceAll(/\[[^[\]]*\]/g, "").replaceAll(/\s|^[&*(]+|\)+$/g, "");
  const [, before = "", name] = /^(?:\([^()]*\))?&?(.*?)(\w+)$/.exec(plain) ?? [];
  if (name === undefined || /^\d/.test(name)) return undefined;
  return { name, isMember: /(?:->|\.)$/.test(before) };
}
