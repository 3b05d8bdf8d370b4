import { findSafeLineEnds } from "./c-line-ends.js";

/** One difference of two texts, as line numbers from 1; `preEnd` and `postEnd` are the first lines behind it. */
export interface LineChange {
  readonly preStart: number;
  readonly preEnd: number;
  readonly postStart: number;
  readonly postEnd: number;
}

/** Reads the output of `diff` without options (`3,5c3`, `7a8,9`, `4d3`). */
export function parseLineChanges(diff: string): LineChange[] {
  return Array.from(diff.matchAll(/^(\d+)(?:,(\d+))?([acd])(\d+)(?:,(\d+))?$/gm), ([, a = "0", b = a, kind, c = "0", d = c]) => ({
    // "a" names the line before the place in pre, "d" the line before the place in post.
    preStart: kind === "a" ? Number(a) + 1 : Number(a),
    preEnd: Number(b) + 1,
    postStart: kind === "d" ? Number(c) + 1 : Number(c),
    postEnd: Number(d) + 1,
  }));
}

/**
 * Restores the line numbers that a change has shifted: after each change, at the first line end where a directive may stand, the post
 * text gets a `#line` with the number that the line has in the pre text. So `__LINE__` differs only in code that was changed itself.
 * Where there is no such place before the next change, the lines in between keep their shifted numbers.
 */
export function restoreLineNumbers(post: string, changes: readonly LineChange[]): string {
  const lines = post.split("\n");
  const safe = findSafeLineEnds(post);
  /** Directives by the number of the line that they stand after. */
  const directives = new Map<number, number>();
  let shift = 0;
  changes.forEach((change, index) => {
    const wanted = change.preEnd - change.postEnd;
    if (wanted === shift) return;
    const end = changes[index + 1]?.postStart ?? lines.length;
    for (let line = change.postEnd - 1; line < end; line++) {
      if (line > 0 && safe[line - 1] !== true) continue;
      directives.set(line, line + 1 + wanted);
      shift = wanted;
      break;
    }
  });
  const numbered = lines.flatMap((line, index) => {
    const number = directives.get(index);
    return number === undefined ? [line] : [`#line ${number}`, line];
  });
  return numbered.join("\n");
}
