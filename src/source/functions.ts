import { topLevelItems, splitHead, type TopLevelItem } from "./top-level-items.js";
import { isName } from "./words.js";

/** The functions that a source defines, by name; of several definitions of one name, as the branches of an `#if` have them, the last. */
export function functionsOf(source: string): ReadonlyMap<string, TopLevelItem> {
  return new Map(
    topLevelItems(source).flatMap((item) => {
      const name = item.kind === "function" ? splitHead(item.head)?.name : undefined;
      return name === undefined ? [] : [[name, item] as const];
    }),
  );
}

/** A call, or a use of a macro with arguments; each argument's tokens with one blank between them. */
export interface TokenCall {
  readonly callee: string;
  readonly args: readonly string[];
}

/** All calls and uses of macros in the body of a `TopLevelItem`, those in arguments of others included. */
export function callsIn(body: string): TokenCall[] {
  const tokens = body.split(" ");
  return tokens.flatMap((callee, at): TokenCall[] => {
    if (tokens[at + 1] !== "(" || !isName(callee)) return [];
    return [{ callee, args: splitList(tokens.slice(at + 2, closingOf(tokens, at + 1))) }];
  });
}

/** Index of the parenthesis that closes the one at `open`; past the end where none does. */
function closingOf(tokens: readonly string[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if (isOpening(tokens[at])) depth++;
    if (isClosing(tokens[at]) && --depth === 0) return at;
  }
  return tokens.length;
}

/** The parts of a list between commas that stand in no parentheses; none of an empty list. */
export function splitList(tokens: readonly string[]): string[] {
  if (tokens.every((token) => token === "")) return [];
  const parts: string[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (isOpening(token)) depth++;
    if (isClosing(token)) depth--;
    if (token === "," && depth === 0) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts.map((part) => part.join(" "));
}

const isOpening = (token: string | undefined): boolean => token === "(" || token === "[" || token === "{";
const isClosing = (token: string | undefined): boolean => token === ")" || token === "]" || token === "}";
