import type { Hunk } from "./parse-patch.js";

/** Where the hunks of one file section land, found without the program `patch`: a second witness. */
export type Placement =
  | { readonly kind: "placed"; readonly text: string; readonly notes: readonly string[] }
  /** `lines` are those of the file where the hunk's old lines stand, from 1; none of a hunk that has no old lines, and so stands anywhere. */
  | { readonly kind: "ambiguous"; readonly hunk: number; readonly lines: readonly number[] }
  | { readonly kind: "nowhere"; readonly hunk: number };

/**
 * Places hunks without fuzz. A hunk stands where its line number says, if its lines are there and no hunk before it was shifted; else it must fit at one
 * place of the whole file only. One that has none of the file's lines (`diff -U0`) nothing holds: that its number is of this very text, only its author knows.
 * @param text the file; empty where there is none yet
 * @param file for the notes, which tell what is shifted
 */
export function placeHunks(file: string, text: string, hunks: readonly Hunk[]): Placement {
  const lines = splitLines(text);
  const out: string[] = [];
  const notes: string[] = [];
  let taken = 0;
  let offset = 0;
  for (const [index, hunk] of hunks.entries()) {
    if (hunk.old.length === 0 && lines.length > 0) return { kind: "ambiguous", hunk: index + 1, lines: [] };
    const told = hunk.old.length === 0 ? hunk.oldStart : hunk.oldStart - 1;
    const fits = findAll(lines, hunk.old);
    const [only] = fits;
    const isExact = offset === 0 && told >= taken && fits.includes(told);
    if (!isExact && fits.length > 1) return { kind: "ambiguous", hunk: index + 1, lines: fits.map((at) => at + 1) };
    const at = isExact ? told : only;
    if (at === undefined || at < taken) return { kind: "nowhere", hunk: index + 1 };
    offset = at - told;
    if (offset !== 0) notes.push(`hunk ${index + 1} of ${file} applies ${describe(offset)} than it says`);
    out.push(...lines.slice(taken, at), ...hunk.new);
    taken = at + hunk.old.length;
  }
  return { kind: "placed", text: [...out, ...lines.slice(taken)].join(""), notes };
}

function describe(offset: number): string {
  const count = Math.abs(offset);
  return `${count} line${count === 1 ? "" : "s"} further ${offset > 0 ? "down" : "up"}`;
}

/** Lines with the newline that ends each. */
function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Every index at which `wanted` stands in `lines`; of no lines at all, every one there is. */
function findAll(lines: readonly string[], wanted: readonly string[]): number[] {
  const found: number[] = [];
  for (let at = 0; at + wanted.length <= lines.length; at++) if (wanted.every((line, index) => lines[at + index] === line)) found.push(at);
  return found;
}
