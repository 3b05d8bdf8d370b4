import { codeTokens, readTopLevel } from "../../source/top-level-items.js";

/** What a source says of a variable with an initial value in braces. */
export interface InitialValue {
  /** What stands before the name: `static const struct file_operations`. */
  readonly type: string;
  /** Members by their names, with what they are given, in the order of the text; of an array all that its elements give. */
  readonly members: readonly (readonly [name: string, value: string])[];
}

/** The initial values that a source gives to a variable: of branches of an #if one each. */
export function readInitialValues(source: string, name: string): InitialValue[] {
  const start = new RegExp(String.raw`^(.*)\b${name} (?:\[[^=]*\] )?(?:__\w+ )*= \{`);
  return (readTopLevel(source) ?? []).flatMap(({ kind, head }) => {
    const found = kind === "declaration" ? start.exec(head) : null;
    if (found === null) return [];
    const tokens = [...codeTokens(head.slice(found[0].length))];
    const members = tokens.flatMap((token, at): (readonly [string, string])[] => {
      const member = tokens[at + 1];
      return token !== "." || member === undefined || tokens[at + 2] !== "=" ? [] : [[member, valueAt(tokens, at + 3)]];
    });
    return [{ type: (found[1] ?? "").trim(), members }];
  });
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
