import type { Rename } from "../../btf/compare-records.js";
import { blankComments } from "../../source/blank-text.js";
import { codeTokens } from "../../source/top-level-items.js";
import type { TouchedText } from "../units/touched-texts.js";

/**
 * True where a patch does no more with some members than to rename them: every statement that uses one stands in the patched text with the new name, and
 * none uses the new name that did not use the old one. A patch that takes one thing out of a struct and puts another in its place does not read so.
 */
export function areRenamedThroughout(renames: readonly Rename[], texts: readonly TouchedText[]): boolean {
  const newNames = new Map(renames.map(({ before, after }) => [fieldName(before), fieldName(after)]));
  const known = new Set(newNames.values());
  return texts.every(({ pre, post }) => {
    const [before, after] = [statementsOf(pre), statementsOf(post)];
    const expected = new Set<string>();
    const patched = new Set(after.map(({ text }) => text));
    for (const { tokens } of before) {
      const forms = [tokens, rename(tokens, newNames, false), rename(tokens, newNames, true)].map((form) => form.join(" "));
      forms.forEach((form) => expected.add(form));
      if (tokens.some((token) => newNames.has(token)) && isUse(tokens) && !forms.slice(1).some((form) => patched.has(form))) return false;
    }
    return after.every(({ tokens, text }) => !tokens.some((token) => known.has(token)) || !isUse(tokens) || expected.has(text));
  });
}

/**
 * The same of enumerators: whatever used one uses the new name, and nothing else does. One that nothing used is a number that nobody has.
 * Where they are declared does not count.
 */
export function areEnumeratorsRenamedThroughout(renames: readonly Rename[], texts: readonly TouchedText[]): boolean {
  return renames.every(({ before, after }) => {
    const names = new Map([[before, after]]);
    const sides = texts.map(({ pre, post }) => ({ old: usesOf(pre, before), now: usesOf(post, after) }));
    if (sides.every(({ old }) => old.length === 0)) return true;
    return sides.every(({ old, now }) => {
      const [expected, found] = [old.map(({ tokens }) => rename(tokens, names, true).join(" ")), now.map(({ text }) => text)];
      return expected.toSorted().join("\n") === found.toSorted().join("\n");
    });
  });
}

function usesOf(source: string, name: string): Statement[] {
  return source.includes(name) ? statementsOf(withoutEnums(source)).filter(({ tokens }) => tokens.includes(name)) : [];
}

/** Lists of enumerators, without a brace in them. */
function withoutEnums(source: string): string {
  return blankComments(source).replaceAll(/\benum\b(?:\s+\w+)*\s*\{[^{}]*\}/g, ";");
}

interface Statement {
  readonly tokens: readonly string[];
  readonly text: string;
}

/** What stands between semicolons and braces. */
function statementsOf(source: string): Statement[] {
  const statements: Statement[] = [];
  let tokens: string[] = [];
  for (const token of codeTokens(source)) {
    if (token !== ";" && token !== "{" && token !== "}") {
      if (token !== "\n") tokens.push(token);
      continue;
    }
    statements.push({ tokens, text: tokens.join(" ") });
    tokens = [];
  }
  return statements;
}

/** False for the declaration of a member, whose type may be spelled differently. */
function isUse(tokens: readonly string[]): boolean {
  return tokens.some((token) => token === "." || token === "(" || token === "=" || token === ">");
}

/** @param everywhere also where the word is no member that is read or written, but a macro's argument, or another thing */
function rename(tokens: readonly string[], names: ReadonlyMap<string, string>, everywhere: boolean): string[] {
  return tokens.map((token, index) => {
    const isMember = tokens[index - 1] === "." || (tokens[index - 1] === ">" && tokens[index - 2] === "-");
    return everywhere || isMember ? (names.get(token) ?? token) : token;
  });
}

/** Members of nameless structs are called by the way to them. */
function fieldName(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
