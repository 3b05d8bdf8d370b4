import { findLineEnds, type LineEnd } from "./line-ends.js";

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
 * A directive in a branch that the compiler skips has no effect, so each further branch gets one, and so does what follows the #endif.
 * Where there is no such place before the next change, the lines in between keep their shifted numbers.
 */
export function restoreLineNumbers(post: string, changes: readonly LineChange[]): string {
  const lines = post.split("\n");
  const ends = findLineEnds(post);
  /** Numbers to set by the number of the line that the directive stands after. */
  const directives = new Map<number, number>();
  let shift = 0;
  changes.forEach((change, index) => {
    const wanted = change.preEnd - change.postEnd;
    if (wanted === shift) return;
    const next = changes[index + 1]?.postStart ?? lines.length;
    for (let line = Math.max(1, change.postEnd - 1); line < next; line++) {
      const end = ends[line - 1];
      if (end?.safe !== true) continue;
      directives.set(line, line + 1 + wanted);
      repeatInBranches(ends, line, end.conditions, (after) => {
        const number = preNumberOf(after + 1, changes);
        if (number !== undefined) directives.set(after, number);
      });
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

/** Calls `repeat` for the #else, #elif and #endif lines of all conditions that are open behind a line. */
function repeatInBranches(ends: readonly LineEnd[], line: number, conditions: number, repeat: (line: number) => void): void {
  let level = conditions;
  for (let at = line; at < ends.length && level > 0; at++) {
    const end = ends[at];
    const isOwn = (end?.branch === "else" && end.conditions === level) || (end?.branch === "endif" && end.conditions === level - 1);
    if (!isOwn) continue;
    level = end.conditions;
    if (end.safe) repeat(at + 1);
  }
}

/** The number in the pre text of a line of the post text; undefined for a line of a change. */
function preNumberOf(line: number, changes: readonly LineChange[]): number | undefined {
  const change = changes.findLast((candidate) => candidate.postStart <= line);
  if (change === undefined) return line;
  return line < change.postEnd ? undefined : line + change.preEnd - change.postEnd;
}
