import type { LineChange } from "../../src/source/line-directives.js";
import { linesOf } from "./lines-of.js";
import type { FilePair, Piece } from "./split-pieces.js";

/**
 * A file with some hunks of its difference in it. With all of them it is the new file, to the byte.
 * @param hunks of the file, in any order; where several come at one place, they come as in the new file
 * @returns undefined where the file is not there: not yet, or not any more
 */
export function withHunks(file: FilePair, hunks: readonly LineChange[]): string | undefined {
  if (hunks.length === 0) return file.pre;
  if (file.pre === undefined || file.post === undefined) return file.post;
  const [pre, post] = [linesOf(file.pre), linesOf(file.post)];
  const lines: string[] = [];
  let at = 1;
  for (const hunk of [...hunks].sort((a, b) => a.preStart - b.preStart || a.postStart - b.postStart)) {
    lines.push(...pre.slice(at - 1, hunk.preStart - 1), ...post.slice(hunk.postStart - 1, hunk.postEnd - 1));
    at = hunk.preEnd;
  }
  return [...lines, ...pre.slice(at - 1)].join("");
}

/** The files that pieces change, as they are with them. */
export function withPieces(files: ReadonlyMap<string, FilePair>, pieces: Iterable<Piece>): Map<string, string | undefined> {
  const hunks = new Map<string, LineChange[]>();
  for (const piece of pieces) hunks.set(piece.path, [...(hunks.get(piece.path) ?? []), ...piece.hunks]);
  const texts = new Map<string, string | undefined>();
  for (const [path, own] of hunks) {
    const file = files.get(path);
    if (file === undefined) throw new Error(`${path} is none of the files that differ`);
    texts.set(path, withHunks(file, own));
  }
  return texts;
}
