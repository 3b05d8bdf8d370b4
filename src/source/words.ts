const KEYWORDS: ReadonlySet<string> = new Set(
  (
    "auto break case char const continue default do double else enum extern float for goto if inline int long register return short signed sizeof " +
    "static struct switch typedef union unsigned void volatile while _Bool bool typeof __typeof__ asm __asm__ __volatile__ defined ifdef ifndef endif define"
  ).split(" "),
);

/** A word that can be the name of something: no number, no keyword. */
export function isName(token: string): boolean {
  return /^[A-Za-z_]/.test(token) && !KEYWORDS.has(token);
}
