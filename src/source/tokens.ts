/** Comments, strings and character constants of C, each as a whole; one that does not end, up to the end of the line or text. For use in larger patterns. */
export const COMMENT_OR_LITERAL = /\/\*[^]*?(?:\*\/|$)|\/\/(?:\\\n|[^\n])*|"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?/;

/** A pattern for walking over a text: comments and literals first, then what else counts. */
export function tokenPattern(...others: readonly RegExp[]): RegExp {
  return new RegExp([COMMENT_OR_LITERAL, ...others].map(({ source }) => source).join("|"), "g");
}
