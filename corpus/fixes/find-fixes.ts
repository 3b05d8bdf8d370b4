import { join } from "node:path";
import type { Tell } from "../../src/events.js";
import type { LineChange } from "../../src/source/line-directives.js";
import { readLatin1 } from "../../src/host/files.js";
import { mapLimited } from "../../src/host/map-limited.js";
import { compareTrees } from "../changed-files.js";
import { connectPieces, type Fix, type Reason } from "./connect-pieces.js";
import { readFileFacts } from "./file-facts.js";
import { linesOf } from "./lines-of.js";
import { namesOfPieces, type PieceNames } from "./piece-names.js";
import { splitPieces, type FilePair, type SplitFile } from "./split-pieces.js";

/** The difference of two trees, taken apart. */
export interface FixSet {
  /** By path. */
  readonly files: ReadonlyMap<string, SplitFile>;
  readonly pieces: readonly PieceNames[];
  /** Each piece is in exactly one. */
  readonly fixes: readonly Fix[];
}

const READS_AT_ONCE = 4;

/** Derives the fixes of a release from the sources before and after it. Takes half a minute: it reads both. */
export async function findFixes(
  trees: { readonly fromTree: string; readonly toTree: string },
  tell: Tell,
  reason?: Reason,
): Promise<FixSet> {
  tell("stage", "comparing the two sources");
  const { changes, added, removed } = await compareTrees(trees.fromTree, trees.toTree);
  const paths = [...changes.keys(), ...added, ...removed].sort();
  const split = await mapLimited(paths, READS_AT_ONCE, async (path) => splitPieces(await readPair(path, trees, changes.get(path))));
  const files = new Map(split.map((file): [string, SplitFile] => [file.path, file]));
  tell("stage", "finding out what belongs together");
  const pieces = split.flatMap(namesOfPieces);
  const facts = readFileFacts(files, trees);
  return { files, pieces, fixes: connectPieces(pieces, facts, reason) };
}

async function readPair(
  path: string,
  { fromTree, toTree }: { readonly fromTree: string; readonly toTree: string },
  changes: readonly LineChange[] | undefined,
): Promise<FilePair> {
  const [pre, post] = await Promise.all([readLatin1(join(fromTree, path)), readLatin1(join(toTree, path))]);
  const end = (text: string | undefined): number => linesOf(text ?? "").length + 1;
  return { path, pre, post, changes: changes ?? [{ preStart: 1, preEnd: end(pre), postStart: 1, postEnd: end(post) }] };
}
