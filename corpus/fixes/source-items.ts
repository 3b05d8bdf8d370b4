import { tokenPattern } from "../../src/source/tokens.js";

/** What stands outside of all others in a C source, as lines: comments and blank lines in front of it belong to it. */
export interface SourceItem {
  readonly kind: "function" | "type" | "declaration" | "macro" | "include" | "condition";
  /** Line numbers from 1; `end` is the first line behind it. */
  readonly start: number;
  readonly end: number;
  /** The code of it, without comments and with empty strings. */
  readonly code: string;
}

const COMMENT_OR_STRING = tokenPattern();

/** The text without comments and what strings say, line for line. */
export function maskText(source: string): string {
  return source.replace(COMMENT_OR_STRING, (found) => {
    const kept = found.replace(/[^\n\\]|\\(?!\n)/g, "");
    return found.startsWith('"') ? `""${kept}` : found.startsWith("'") ? `'0'${kept}` : kept === "" ? " " : kept.replaceAll("\\", "");
  });
}

/** How braces, parentheses and conditions (#if, #endif) stand behind a text that began with none of them open. */
export function nesting(masked: string): { readonly brackets: number; readonly conditions: number } {
  let conditions = 0;
  for (const [, word] of masked.matchAll(/^[ \t]*#[ \t]*(if|endif)/gm)) conditions += word === "if" ? 1 : -1;
  return { brackets: bracketsOf(masked.replace(/^[ \t]*#(?:.*\\\n)*.*$/gm, "")), conditions };
}

function bracketsOf(code: string): number {
  let depth = 0;
  for (const [sign] of code.matchAll(/[(){}]/g)) depth += sign === "(" || sign === "{" ? 1 : -1;
  return depth;
}

/**
 * The items of a source in order; together they have all of its lines. It never gives up, as a parser has to: where a branch of an #if holds half
 * a block, the first branch counts, and a brace in the first column ends an item.
 */
export function findItems(source: string): SourceItem[] {
  const lines = maskText(source).split("\n");
  const items: SourceItem[] = [];
  let start = 0;
  let code: string[] = [];
  let depth = 0;
  const branches: number[] = [];
  const finish = (kind: SourceItem["kind"], end: number): void => {
    items.push({ kind, start: start + 1, end: end + 1, code: code.join("\n") });
    start = end;
    code = [];
    depth = 0;
  };
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (/^\s*#/.test(line)) {
      const first = at;
      while ((lines[at] ?? "").endsWith("\\") && at + 1 < lines.length) at++;
      const word = /^\s*#\s*(\w+)/.exec(line)?.[1] ?? "";
      const isCondition = /^(?:if|el|endif)/.test(word);
      if (word.startsWith("if")) branches.push(depth);
      else if (word.startsWith("el")) depth = branches.at(-1) ?? depth;
      else if (word === "endif") branches.pop();
      const isInside = code.some((text) => text.trim() !== "");
      code.push(...lines.slice(first, at + 1));
      if (!isInside) finish(isCondition ? "condition" : word === "include" ? "include" : "macro", at + 1);
      continue;
    }
    code.push(line);
    if (line.startsWith("}")) depth = 1;
    const isEnded = line.trim() !== "" && endsItem(line, depth);
    depth = Math.max(0, depth + bracketsOf(line));
    if (line.trim() === "" || depth > 0) continue;
    const text = code.join("\n");
    if (isFunction(text) ? line.includes("}") : isEnded || isBareMacro(text, lines.slice(at + 1))) finish(kindOf(text), at + 1);
  }
  if (code.some((line) => line.trim() !== "")) finish(kindOf(code.join("\n")), lines.length);
  else if (start < lines.length) {
    // Blank lines and comments at the end belong to what is before them.
    const last = items.pop();
    items.push(
      last === undefined ? { kind: "declaration", start: 1, end: lines.length + 1, code: "" } : { ...last, end: lines.length + 1 },
    );
  }
  return items;
}

/** Whether a line has a semicolon outside of all brackets. */
function endsItem(line: string, depth: number): boolean {
  for (const sign of line) {
    if (sign === "(" || sign === "{") depth++;
    else if (sign === ")" || sign === "}") depth--;
    else if (sign === ";" && depth <= 0) return true;
  }
  return false;
}

/** Braces behind parentheses, and neither a value nor a type before them. */
function isFunction(code: string): boolean {
  const head = code.slice(0, code.search(/\{|$(?![^])/)).replace(/^[ \t]*#(?:.*\\\n)*.*$/gm, "");
  if (!code.includes("{") || !/(?:\)|\b__\w+)\s*$/.test(head) || /[=]/.test(head.replace(/\([^]*$/, ""))) return false;
  return !/^\s*(?:typedef\s+)?(?:struct|union|enum)\s+(?:\w+\s+)?(?:__\w+|[A-Z\d_]+)\s*\(/.test(head) && bracketsOf(head) === 0;
}

/** `DEFINE_GUARD(…)` without a semicolon: what follows begins in the first column. */
function isBareMacro(code: string, following: readonly string[]): boolean {
  if (!/^\s*(?:static\s+)?[A-Z][A-Z\d_]+\s*\(/.test(code) || !/\)\s*$/.test(code)) return false;
  const next = following.find((line) => line.trim() !== "");
  return next === undefined || /^(?:\w|#)/.test(next);
}

function kindOf(code: string): SourceItem["kind"] {
  if (isFunction(code)) return "function";
  return /^\s*(?:(?:typedef|static|const)\s+)*(?:struct|union|enum)\b[^;=()]*(?:__\w+\s*\([^()]*\)[^;=()]*)?\{/.test(code)
    ? "type"
    : "declaration";
}
