import { tokenPattern } from "./tokens.js";

/** Comments, strings, character constants, continuations, line ends, parentheses, and runs of everything else. */
const TOKEN = tokenPattern(/\\\n|\n|[()]|[^\S\n]+|[^\s"'\\/()]+|[^]/);

/** The end of one line of a C source. */
export interface LineEnd {
  /** A preprocessor directive may follow without changing what the code means. */
  readonly safe: boolean;
  /** How many #if are open behind the line. */
  readonly conditions: number;
  /** The line is a directive that begins another branch (#else, #elif) or ends all (#endif). */
  readonly branch: "else" | "endif" | undefined;
}

/**
 * Finds where in a C source a preprocessor directive can be put: at line ends outside comments, strings, directives that continue, and
 * parentheses (an argument list of a macro may not hold a directive), and behind a token that no argument list of a macro can follow.
 * @returns for line `n`, counted from 1, the element `n - 1`
 */
export function findLineEnds(text: string): LineEnd[] {
  const ends: LineEnd[] = [];
  /** Depths of parentheses at the open #ifs: every branch starts from the same. */
  const branches: number[] = [];
  let depth = 0;
  let lastToken = ";";
  let directive: string | undefined;
  let atLineStart = true;

  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "\n") {
      const name = directive === undefined ? "" : (/^#(\w+)/.exec(directive)?.[1] ?? "");
      if (name.startsWith("if")) branches.push(depth);
      else if (name.startsWith("el")) depth = branches.at(-1) ?? depth;
      else if (name === "endif") branches.pop();
      ends.push({
        safe: depth === 0 && (directive !== undefined || /[;{},:]$/.test(lastToken)),
        conditions: branches.length,
        branch: name.startsWith("el") ? "else" : name === "endif" ? "endif" : undefined,
      });
      directive = undefined;
      atLineStart = true;
      continue;
    }
    // Nothing may follow a line that ends inside a comment, a string or a continued line.
    for (const char of token) if (char === "\n") ends.push({ safe: false, conditions: branches.length, branch: undefined });
    if (isBlank(token)) continue;
    if (directive !== undefined) directive += token;
    else if (atLineStart && token.startsWith("#")) directive = token;
    else {
      if (token === "(") depth++;
      else if (token === ")") depth = Math.max(0, depth - 1);
      lastToken = token;
    }
    atLineStart = false;
  }
  return ends;
}

function isBlank(token: string): boolean {
  return /^\s+$/.test(token) || token.startsWith("/*") || token.startsWith("//") || token === "\\\n";
}
