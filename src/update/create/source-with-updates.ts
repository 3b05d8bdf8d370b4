import { join } from "node:path";
import { tellNobody, type Tell } from "../../events.js";
import { hashOf, readLatin1 } from "../../host/files.js";
import type { KernelTree } from "../../tree/kernel-tree.js";
import { applyPatch, PatchedFiles, type NamedPatch } from "../../kbuild/change/apply-patch.js";
import { numberLines } from "../../kbuild/change/number-lines.js";
import { makeView } from "../../kbuild/clean-source.js";
import { hooksInSource } from "./refusals.js";

/** What a patch with hooks includes. The kernel itself has no such header. */
const PATCH_HEADER = "ksplice-patch.h";

/**
 * The tree that holds the patches of updates, oldest first: a view of it in the cache, in which each file that they touch is a real one. So the next
 * update can be made of what runs once these are applied, and the user's tree stays as it is.
 * @throws Refusal where one does not apply to what the ones before have made, or has hooks
 */
export async function withUpdates(
  tree: KernelTree,
  patches: readonly NamedPatch[],
  cacheDir: string,
  tell: Tell = tellNobody,
): Promise<KernelTree> {
  const files = new PatchedFiles(tree.original);
  for (const patch of patches) await applyPatch(files, { ...patch, strip: 1 });
  const held = await files.changes();
  const texts = new Map<string, string | undefined>();
  for (const [path, text] of held) {
    if (text?.includes(PATCH_HEADER) === true) throw hooksInSource(path);
    texts.set(path, await numberLines(path, await readLatin1(join(tree.original, path)), text));
  }
  const place = join(cacheDir, "views", hashOf([tree.original, ...patches.map(({ text }) => text)]).slice(0, 16));
  return { ...tree, source: await makeView(tree, place, texts, tell), held };
}
