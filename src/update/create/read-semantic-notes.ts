import { basename, join } from "node:path";
import { readLatin1 } from "../../host/files.js";
import { mapLimited } from "../../host/map-limited.js";
import { atomName } from "../../diff/atoms/atom.js";
import { semanticNotes } from "../../notes/semantic-notes.js";
import type { SemanticNote } from "../../notes/types.js";
import type { TouchedText } from "../units/touched-texts.js";
import type { UnitDiff } from "../units/unit-diff.js";

/** Of more, some tell enough. */
const MOST_UNTOUCHED = 100;

/**
 * The semantic notes on a patch, of the files that the update brings something of: what this kernel is not made of, and what gives the same code
 * before and after, is left out.
 * @param root top of the patched tree
 * @param texts what the patch touches
 * @param parts of the update
 */
export async function readSemanticNotes(
  root: string,
  texts: readonly TouchedText[],
  parts: readonly UnitDiff[],
): Promise<readonly SemanticNote[]> {
  const sources = new Set(parts.map(({ unit }) => unit.source));
  const included = await includedFiles(root, sources);
  // What holds a pointer to a callback that is renamed comes to the new one: it is no new function.
  const renamed = new Map(
    parts.flatMap(({ diff }) => [...diff.analysis.renamed].map(([after, before]) => [atomName(after), atomName(before)] as const)),
  );
  const touched = texts.filter(({ path }) => sources.has(path) || path.endsWith(".h") || included.has(basename(path)));
  return semanticNotes([...touched, ...(await untouchedTexts(root, sources, texts))], renamed);
}

/** Sources that a header's change comes into: what they put into fields, and look for in them. */
async function untouchedTexts(root: string, sources: ReadonlySet<string>, texts: readonly TouchedText[]): Promise<TouchedText[]> {
  if (!texts.some(({ path }) => path.endsWith(".h"))) return [];
  const untouched = [...sources]
    .filter((path) => path.endsWith(".c") && !texts.some((text) => text.path === path))
    .slice(0, MOST_UNTOUCHED);
  return await mapLimited(untouched, 4, async (path) => {
    const text = (await readLatin1(join(root, path))) ?? "";
    return { path, pre: text, post: text };
  });
}

/** Names of `.c` files that sources include, as kernel/sched/build_utility.c does. */
async function includedFiles(root: string, sources: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const texts = await Promise.all([...sources].map(async (path) => (await readLatin1(join(root, path))) ?? ""));
  return new Set(texts.flatMap((text) => Array.from(text.matchAll(/^\s*#\s*include\s+"([^"]+\.c)"/gm), ([, path = ""]) => basename(path))));
}
