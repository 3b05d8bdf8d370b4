import { expandMacros, readMacros, type Macro } from "../../source/read-macros.js";
import { codeTokens, topLevelItems } from "../../source/top-level-items.js";

/** What a source says of a variable with an initial value in braces. */
export interface InitialValue {
  /** What stands before the name: `static const struct file_operations`. */
  readonly type: string;
  /** Members by their names, with what they are given, in the order of the text; of an array all that its elements give. */
  readonly members: readonly (readonly [name: string, value: string])[];
}

/** `struct file_operations a ## name ## _fops [] = ` in a macro's tokens, with blanks between them. */
const PASTED = /\b((?:\w+ )*struct \w+(?: const)?) (\w+(?: # # \w+)*) (?:\[[^=]*\] )?(?:__\w+ )*= /g;

/**
 * The initial values that a source gives to a variable: of branches of an #if one each. Macros of the same source in them count as what they stand for; where only a macro
 * can have defined the variable (`name ## _fops`), it is what that says.
 */
export function readInitialValues(source: string, name: string): InitialValue[] {
  const macros = readMacros(source);
  const start = new RegExp(String.raw`^(.*)\b${name} (?:\[[^=]*\] )?(?:__\w+ )*= `);
  const own = topLevelItems(source).flatMap(({ kind, head }) => {
    const found = kind === "declaration" ? start.exec(head) : null;
    return found === null ? [] : valuesIn(found[1] ?? "", head.slice(found[0].length), macros);
  });
  if (own.length > 0) return own;
  return macros.flatMap(({ tokens, parameters }) => {
    const text = tokens.join(" ");
    return Array.from(text.matchAll(PASTED)).flatMap((found) => {
      const parts = (found[2] ?? "").split(" # # ").map((part) => (parameters.has(part) ? String.raw`\w*` : part));
      const isIt = new RegExp(`^${parts.join("")}$`).test(name);
      return isIt ? valuesIn(found[1] ?? "", text.slice(found.index + found[0].length), macros) : [];
    });
  });
}

/** @param text what stands behind the equals sign */
function valuesIn(type: string, text: string, macros: readonly Macro[]): InitialValue[] {
  const tokens = expandMacros([...codeTokens(text)], macros);
  if (tokens[0] !== "{") return [];
  const own = tokens.slice(0, endOfBraces(tokens));
  const members = own.flatMap((token, at): (readonly [string, string])[] => {
    const member = own[at + 1];
    return token !== "." || member === undefined || own[at + 2] !== "=" ? [] : [[member, valueAt(own, at + 3)]];
  });
  return [{ type: type.trim(), members }];
}

/** Behind the brace that closes the first one. */
function endOfBraces(tokens: readonly string[]): number {
  let depth = 0;
  const last = tokens.findIndex((token) => {
    if (token === "{") depth++;
    if (token === "}") depth--;
    return depth === 0;
  });
  return last < 0 ? tokens.length : last + 1;
}

/** An expression, up to the comma or brace that ends it. */
function valueAt(tokens: readonly string[], start: number): string {
  let depth = 0;
  for (let at = start; at < tokens.length; at++) {
    const token = tokens[at] ?? "";
    if (depth === 0 && (token === "," || token === "}")) return tokens.slice(start, at).join(" ");
    if (token === "(" || token === "{" || token === "[") depth++;
    if (token === ")" || token === "}" || token === "]") depth--;
  }
  return tokens.slice(start).join(" ");
}
