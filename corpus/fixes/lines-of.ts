/** The lines of a text, each with what ends it: the last may have nothing. `join("")` gives the text again. */
export function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
