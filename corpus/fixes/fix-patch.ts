import { unifiedDiff } from "../../src/kbuild/change/diff-texts.js";
import { withPieces } from "./compose-fix.js";
import type { FilePair, Piece } from "./split-pieces.js";

/** The patch of some pieces, and nothing else, as `patch -p1` takes it for the old tree. */
export async function patchOfPieces(files: ReadonlyMap<string, FilePair>, pieces: Iterable<Piece>): Promise<string> {
  const texts = [...withPieces(files, pieces)].sort(([a], [b]) => (a < b ? -1 : 1));
  const patches: string[] = [];
  for (const [path, text] of texts) patches.push(await unifiedDiff(path, files.get(path)?.pre, text));
  return patches.join("");
}
