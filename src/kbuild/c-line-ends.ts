/** Comments, strings, character constants, continuations, line ends, parentheses, and runs of everything else. */
const TOKEN =
  /\/\*[^]*?(?:\*\/|$)|\/\/(?:\\\n|[^\n])*|"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?|\\\n|\n|[()]|[^\S\n]+|[^\s"'\\/()]+|[^]/g;

/**
 * Says for each line of a C source whether a preprocessor directive may follow it without changing what the code means:
 * the line ends outside comments, strings, directives that continue, and parentheses (an argument list of a macro may not hold a
 * directive), and after a token that no argument list of a macro can follow.
 * @returns for line `n`, counted from 1, the element `n - 1`
 */
export function findSafeLineEnds(text: string): boolean[] {
  const safe: boolean[] = [];
  /** Depths of parentheses at the open #ifs: every branch starts from the same. */
  const branches: number[] = [];
  let depth = 0;
  let lastToken = ";";
  let directive: string | undefined;
  let atLineStart = true;

  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "\n") {
      if (directive !== undefined) depth = depthAfter(directive, depth, branches);
      safe.push(depth === 0 && (directive !== undefined || /[;{},:]$/.test(lastToken)));
      directive = undefined;
      atLineStart = true;
      continue;
    }
    // Nothing may follow a line that ends inside a comment, a string or a continued line.
    for (const char of token) if (char === "\n") safe.push(false);
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
  return safe;
}

function isBlank(token: string): boolean {
  return /^\s+$/.test(token) || token.startsWith("/*") || token.startsWith("//") || token === "\\\n";
}

function depthAfter(directive: string, depth: number, branches: number[]): number {
  const name = /^#(\w+)/.exec(directive)?.[1] ?? "";
  if (name.startsWith("if")) branches.push(depth);
  else if (name.startsWith("el")) return branches.at(-1) ?? depth;
  else if (name === "endif") branches.pop();
  return depth;
}
