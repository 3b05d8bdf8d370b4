import { tokenPattern } from "./tokens.js";

/** Comments, strings and character constants; and preprocessor lines with those that they continue on. */
const COMMENTS = tokenPattern();
const DIRECTIVES = /^[^\S\n]*#(?:\\\n|[^\n])*/gm;

/** What `src/source/line-directives.ts` puts into a patched source; the source's own lines have no such. */
const LINE_DIRECTIVE = /^#line \d+\n/gm;

/** The text as the patch's author wrote it, without the directives that restore line numbers. */
export function withoutLineDirectives(text: string): string {
  return text.replaceAll(LINE_DIRECTIVE, "");
}

/** A C source with comments, and what is in strings and character constants, made blank. Lines and offsets stay. */
export function blankComments(source: string): string {
  return source.replaceAll(COMMENTS, (token) => {
    const quote = token.startsWith("/") ? "" : (token[0] ?? "");
    if (quote === "" || token.length < 2) return blank(token);
    return `${quote}${blank(token.slice(1, -1))}${quote}`;
  });
}

/** The same without preprocessor lines. */
export function blankOutside(source: string): string {
  return blankComments(source).replaceAll(DIRECTIVES, blank);
}

/** As many blanks and line ends. */
export function blank(text: string): string {
  return text
    .split("\n")
    .map((line) => " ".repeat(line.length))
    .join("\n");
}
