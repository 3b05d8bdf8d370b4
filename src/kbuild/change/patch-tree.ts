import { join } from "node:path";
import { Refusal } from "../../diagnostics.js";
import { notOfModule } from "./refusals.js";
import { unifiedDiff } from "./diff-texts.js";
import { numberLines } from "./number-lines.js";
import { readChange, type Change, type ReadChange } from "./read-change.js";
import { readLatin1 } from "../../host/files.js";
import { ShadowTree } from "./shadow-tree.js";
import type { PatchedTree } from "./patched-tree.js";
import type { FileChanges } from "./shadow-tree.js";
import type { KernelTree } from "../../tree/kernel-tree.js";

/** What a patch with hooks includes. Not a header of the kernel's. */
const PATCH_HEADER = "ksplice-patch.h";

/**
 * A tree with the change in it: a shadow of links, with real files where the change touches. In `.c` and `.h` files the line
 * numbers are restored behind each hunk. The user's tree stays as it is. The caller disposes of the shadow.
 * @param patchHeaders where `ksplice-patch.h` lies, for a patch that includes it
 * @throws Refusal if the patch is missing, empty, no patch, does not apply (with patch's own words) or not at one place only, or names files outside the tree
 */
export async function shadowWithPatch(tree: KernelTree, change: Change, patchHeaders?: string): Promise<PatchedTree> {
  const { files: changes, notes, description, cves, made } = await readChangeOf(tree, change);
  const paths = [...changes.keys()].sort();
  const contents = new Map<string, string | undefined>();
  const added: string[] = [];
  const removed: string[] = [];
  const patches: string[] = [];
  for (const path of paths) {
    const original = await readLatin1(join(tree.original, path));
    const pre = tree.held?.has(path) === true ? tree.held.get(path) : original;
    const post = changes.get(path);
    if (pre === undefined) added.push(path);
    if (post === undefined) removed.push(path);
    patches.push(await unifiedDiff(path, pre, post));
    // What updates before have changed was numbered so, too, and runs.
    contents.set(path, await numberLines(path, original ?? pre, post));
  }
  const shadow = await ShadowTree.create(tree.source, contents);
  const patch = patches.join("");
  const includeDir = patch.includes(PATCH_HEADER) ? patchHeaders : undefined;
  const told = { description, cves, made, notes };
  return { shadow, root: shadow.root, touched: paths, added, removed, patch, ...told, includeDir, dispose: () => shadow.dispose() };
}

/** A change of an external module names its files as its own source has them. */
async function readChangeOf({ original, external, held }: KernelTree, change: Change): Promise<ReadChange> {
  if (external === undefined) return await readChange(original, change, held);
  const top = `${external.directory}/`;
  const renamed = (files: FileChanges, rename: (path: string) => string): FileChanges =>
    new Map([...files].map(([path, text]) => [rename(path), text]));
  const own = new Map([...(held ?? [])].filter(([path]) => path.startsWith(top)));
  const unheld = renamed(own, (path) => path.slice(top.length));
  const read = await readChange(join(original, external.directory), change, unheld).catch((error: unknown) => {
    throw error instanceof Refusal && error.code === "patch-does-not-apply" ? notOfModule(error, external.name) : error;
  });
  return { ...read, files: renamed(read.files, (path) => top + path) };
}
