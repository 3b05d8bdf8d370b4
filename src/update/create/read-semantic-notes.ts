import { basename, join } from "node:path";
import { readLatin1 } from "../../host/files.js";
import type { Unit } from "../../kbuild/types.js";
import { semanticNotes } from "../../notes/semantic-notes.js";
import type { SemanticNote } from "../../notes/types.js";
import type { TouchedText } from "../units/touched-texts.js";

/**
 * The semantic notes on a patch, of the files that the update brings something of: what this kernel is not made of, and what gives the same code
 * before and after, is left out.
 * @param root top of the patched tree
 * @param texts what the patch touches
 * @param units those that the update changes
 */
export async function readSemanticNotes(
  root: string,
  texts: readonly TouchedText[],
  units: readonly Unit[],
): Promise<readonly SemanticNote[]> {
  const sources = new Set(units.map((unit) => unit.source));
  const included = await includedFiles(root, sources);
  return semanticNotes(texts.filter(({ path }) => sources.has(path) || path.endsWith(".h") || included.has(basename(path))));
}

/** Names of `.c` files that sources include, as kernel/sched/build_utility.c does. */
async function includedFiles(root: string, sources: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const texts = await Promise.all([...sources].map(async (path) => (await readLatin1(join(root, path))) ?? ""));
  return new Set(texts.flatMap((text) => Array.from(text.matchAll(/^\s*#\s*include\s+"([^"]+\.c)"/gm), ([, path = ""]) => basename(path))));
}
