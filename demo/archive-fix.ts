import { execa } from "execa";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Progress } from "../src/diagnostics.js";
import { compareDebianVersions } from "../src/distro/debian-version.js";
import { listDebianSources, readSourceFiles } from "../src/distro/debian.js";
import { makeTemporary, removeTemporary } from "../src/temporary.js";

/** A patch made of the difference between two versions of a source that the archive has. */
export interface ArchiveFix {
  readonly from: string;
  readonly to: string;
  /** As `patch -p1` takes it. */
  readonly patch: string;
}

/**
 * The change that the next source version in the archive makes to a file of a prepared tree.
 * @param version Debian version of the tree's source
 * @returns undefined if there is no later version, or it leaves the file as it is
 */
export async function fixFromNextSource(
  tree: string,
  version: string,
  file: string,
  options: { cacheDir: string; progress: Progress },
): Promise<ArchiveFix | undefined> {
  const series = version.split(".").slice(0, 2).join(".");
  const next = (await listDebianSources(series)).find((candidate) => compareDebianVersions(candidate, version) > 0);
  if (next === undefined) return undefined;
  options.progress(`reading ${file} of ${next}`);
  const after = (await readSourceFiles(next, [file], options)).get(file);
  const before = await readFile(join(tree, file));
  if (after === undefined || before.equals(after)) return undefined;
  return { from: version, to: next, patch: await unifiedDiff(file, before, after) };
}

/** `diff -u`, as `patch -p1` takes it. */
export async function unifiedDiff(file: string, before: Uint8Array, after: Uint8Array): Promise<string> {
  const dir = await makeTemporary(join(tmpdir(), "ksplice-fix-"));
  try {
    for (const [side, bytes] of [
      ["a", before],
      ["b", after],
    ] as const) {
      await mkdir(dirname(join(dir, side, file)), { recursive: true });
      await writeFile(join(dir, side, file), bytes);
    }
    const labels = ["--label", `a/${file}`, "--label", `b/${file}`];
    // Exit status 1 says that they differ.
    const { stdout } = await execa("diff", ["-up", ...labels, join(dir, "a", file), join(dir, "b", file)], {
      reject: false,
      stripFinalNewline: false,
    });
    return stdout;
  } finally {
    await removeTemporary(dir);
  }
}
