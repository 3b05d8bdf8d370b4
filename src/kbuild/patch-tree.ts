import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseLineChanges, restoreLineNumbers } from "./line-directives.js";
import { readChange, readLatin1, type Change } from "./read-change.js";
import { requireProgram } from "./refusals.js";
import { runTool } from "./run-tool.js";
import { ShadowTree } from "./shadow-tree.js";
import type { KernelTree, PatchedTree } from "./types.js";
import { makeTemporary, removeTemporary } from "../temporary.js";

/**
 * A tree with the change in it: a shadow of links, with real files where the change touches. In `.c` and `.h` files the line
 * numbers are restored behind each hunk. The user's tree stays as it is. The caller disposes of the shadow.
 * @throws Refusal if the patch is missing, empty, no patch, does not apply (with patch's own words), or names files outside the tree
 */
export async function shadowWithPatch(tree: KernelTree, change: Change): Promise<PatchedTree> {
  const changes = await readChange(tree.source, change);
  const paths = [...changes.keys()].sort();
  const contents = new Map<string, string | undefined>();
  const added: string[] = [];
  const removed: string[] = [];
  const patches: string[] = [];
  const directory = await makeTemporary(join(tmpdir(), "ksplice-diff-"));
  try {
    for (const path of paths) {
      const pre = await readLatin1(join(tree.source, path));
      const post = changes.get(path);
      if (pre === undefined) added.push(path);
      if (post === undefined) removed.push(path);
      patches.push(await compare(directory, path, pre, post, ["-u", "-p"]));
      const restored =
        pre !== undefined && post !== undefined && /\.[ch]$/.test(path)
          ? restoreLineNumbers(post, parseLineChanges(await compare(directory, path, pre, post, [])))
          : post;
      contents.set(path, restored);
    }
  } finally {
    await removeTemporary(directory);
  }
  const shadow = await ShadowTree.create(tree.source, contents);
  return { shadow, root: shadow.root, touched: paths, added, removed, patch: patches.join(""), dispose: () => shadow.dispose() };
}

/** What the program `diff` says of a file before and after. The labels are what `patch -p1` expects. */
async function compare(
  directory: string,
  path: string,
  pre: string | undefined,
  post: string | undefined,
  options: readonly string[],
): Promise<string> {
  const sides = [
    { top: "a", content: pre },
    { top: "b", content: post },
  ];
  const files: string[] = [];
  const labels: string[] = [];
  for (const { top, content } of sides) {
    const file = join(directory, top, path);
    if (content !== undefined) {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content, "latin1");
    }
    files.push(content === undefined ? "/dev/null" : file);
    labels.push(content === undefined ? "/dev/null" : `${top}/${path}`);
  }
  const labelArgs = options.length === 0 ? [] : labels.flatMap((label) => ["--label", label]);
  const result = await runTool("diff", [...options, ...labelArgs, ...files]);
  if (result.notFound) throw requireProgram("diff", "diffutils");
  return result.stdout;
}
