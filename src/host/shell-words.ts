/**
 * Splits a command line into words as a POSIX shell does: blanks separate, quotes and backslashes protect.
 * A `;` that stands unquoted is a word of its own. Nothing is expanded: kbuild's saved commands hold no variables.
 */
export function splitShellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  const finish = (): void => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  for (const [token] of text.matchAll(/\s+|'[^']*'|"(?:[^"\\]|\\[^])*"|\\[^]|;|[^\s'"\\;]+|['"\\]/g)) {
    if (/^\s/.test(token)) finish();
    else if (token === ";") {
      finish();
      words.push(token);
    } else word = (word ?? "") + unquote(token);
  }
  finish();
  return words;
}

function unquote(token: string): string {
  if (token.length < 2) return token;
  if (token.startsWith("'")) return token.slice(1, -1);
  // Inside double quotes a backslash protects only these.
  if (token.startsWith('"')) return token.slice(1, -1).replaceAll(/\\([$`"\\\n])/g, "$1");
  if (token.startsWith("\\")) return token === "\\\n" ? "" : token.slice(1);
  return token;
}
