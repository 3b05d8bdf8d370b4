import { join } from "node:path";
import { isFile, readLatin1 } from "../../host/files.js";
import { runTool } from "../../host/run-tool.js";
import { makeTemporary, removeTemporary } from "../../host/temporary.js";
import type { PatchedTree } from "../change/patched-tree.js";
import type { IndexedObject, UnitIndex } from "../compile/unit-index.js";
import { makeKernel, withBuildLock } from "../make.js";
import type { PreparedBuild } from "../types.js";

/**
 * True if what kbuild generates of touched files is known to be the same with the change. Its command is run again, for the source with the change and
 * without; that this is the whole of it shows in the second, which must be the very file that kbuild made.
 */
export async function isGeneratedAlike(
  build: PreparedBuild,
  index: UnitIndex,
  entry: IndexedObject,
  { root }: Pick<PatchedTree, "root">,
): Promise<boolean> {
  const command = await index.commandOf(entry);
  if (command === "") return false;
  const own = join(build.outDir, entry.object);
  if (!(await isFile(own))) await makeUser(build, index, entry);
  const made = await readLatin1(own);
  if (made === undefined) return false;
  const { source } = build.tree;
  // Without the change last: should the command write anything else into the output directory, that is what stays.
  const changed = await generate(build, entry, command, root);
  return (await generate(build, entry, command, source)) === made && changed === made;
}

/** Kbuild generates a file when it makes an object that needs it. */
async function makeUser(build: PreparedBuild, index: UnitIndex, { object }: IndexedObject): Promise<void> {
  const user = index.objects.find(({ generated }) => generated.includes(object));
  if (user === undefined) return;
  await withBuildLock(build.cacheDir, () => makeKernel({ ...build, source: build.tree.source }, ["-k", user.object]));
}

/** @returns what the command writes; undefined where it fails, or does not name what it writes */
async function generate(build: PreparedBuild, { object }: IndexedObject, command: string, root: string): Promise<string | undefined> {
  const directory = await makeTemporary("generated-", join(build.cacheDir, "tmp"));
  try {
    const output = join(directory, "output");
    const text = command.replaceAll(build.tree.source, root).replaceAll(wordPattern(object), output);
    if (!text.includes(output)) return undefined;
    // What a script learns from its surroundings is no more than where the source lies.
    const bare = 'exec env -i PATH="$PATH" LC_ALL=C srctree="$1" objtree=. sh -e -c "$2"';
    const { exitCode } = await runTool("sh", ["-c", bare, "sh", root, text], { cwd: build.outDir, root: build.root });
    return exitCode === 0 ? await readLatin1(output) : undefined;
  } finally {
    await removeTemporary(directory);
  }
}

function wordPattern(path: string): RegExp {
  return new RegExp(`(?<![\\w./-])(?:\\./)?${path.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w./-])`, "g");
}
