import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeTemporary, removeTemporary } from "../../host/temporary.js";
import { requireProgram } from "../../host/refusals.js";
import { runTool } from "../../host/run-tool.js";

/**
 * The difference between two versions of a file as `patch -p1` takes it, latin1 as they are; empty where they are equal.
 * @param path from the top of the tree
 * @param pre text as latin1, so bytes survive; undefined where there is no such file
 */
export async function unifiedDiff(path: string, pre: string | undefined, post: string | undefined): Promise<string> {
  return await diffTexts(path, pre, post, ["-u", "-p"]);
}

/** The difference without context, as `diff` prints it without options (`3,5c3`, `7a8,9`, `4d3`). */
export async function plainDiff(path: string, pre: string, post: string): Promise<string> {
  return await diffTexts(path, pre, post, []);
}

async function diffTexts(path: string, pre: string | undefined, post: string | undefined, options: readonly string[]): Promise<string> {
  const directory = await makeTemporary("ksplice-diff-");
  try {
    const files: string[] = [];
    const labels: string[] = [];
    for (const [top, content] of [
      ["a", pre],
      ["b", post],
    ] as const) {
      const file = content === undefined ? "/dev/null" : join(directory, top, path);
      if (content !== undefined) {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, content, "latin1");
      }
      files.push(file);
      // What `patch -p1` expects.
      labels.push(content === undefined ? "/dev/null" : `${top}/${path}`);
    }
    const labelArgs = options.length === 0 ? [] : labels.flatMap((label) => ["--label", label]);
    const result = await runTool("diff", [...options, ...labelArgs, ...files], { encoding: "latin1" });
    if (result.notFound) throw requireProgram("diff", "diffutils");
    return result.stdout;
  } finally {
    await removeTemporary(directory);
  }
}
