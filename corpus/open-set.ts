import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Refusal } from "../src/diagnostics.js";
import type { Tell } from "../src/events.js";
import { debian } from "../src/distro/debian/debian.js";
import { downloadDebianSource } from "../src/distro/debian/debian-source.js";
import { isDirectory } from "../src/host/files.js";
import type { CorpusSet } from "./types.js";

export interface SetOptions {
  readonly from: string;
  readonly to: string;
  readonly cacheDir: string;
  readonly tell: Tell;
}

/**
 * Finds the kernel that was built from a source version, and fetches it and the two sources: what is there already is taken.
 * @throws Refusal where the archive has no such kernel or source
 */
export async function openSet({ from, to, cacheDir, tell }: SetOptions): Promise<CorpusSet> {
  const kernels = (await debian.kernels({ cacheDir })).filter((kernel) => kernel.sourceAvailable && !/-(cloud|rt)-/.test(kernel.release));
  const release = kernels.find((kernel) => kernel.version === from)?.release;
  if (release === undefined) {
    throw new Refusal({
      code: "no-such-kernel",
      message: `the archive has no kernel built from source ${from}`,
      hint: `it has ${kernels.map((kernel) => kernel.version).join(", ")}`,
    });
  }
  const fromTree = join(cacheDir, "trees", release);
  await debian.prepare({ release, dir: fromTree, cacheDir, tell });
  const toTree = join(cacheDir, "sources", to);
  if (!(await isDirectory(toTree))) {
    await mkdir(join(cacheDir, "sources"), { recursive: true });
    const unfinished = await mkdtemp(join(cacheDir, "sources", ".unfinished-"));
    try {
      await downloadDebianSource(to, unfinished, { cacheDir, tell });
      await rename(unfinished, toTree);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  }
  return { from, to, release, fromTree, toTree };
}
