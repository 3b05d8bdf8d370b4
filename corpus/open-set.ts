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
  /** Which of the kernels that were built from `from`. Default: the one without a flavour. */
  readonly release?: string;
  /** Release of the distribution that both are of. Default: what the machine's own package lists have. */
  readonly suite?: string;
  readonly cacheDir: string;
  readonly tell: Tell;
}

/**
 * Finds the kernel that was built from a source version, and fetches it and the two sources: what is there already is taken.
 * @throws Refusal where the archive has no such kernel or source
 */
export async function openSet({ from, to, release: wanted, ...place }: SetOptions): Promise<CorpusSet> {
  const { cacheDir } = place;
  const kernels = (await debian.kernels(place)).filter((kernel) => kernel.sourceAvailable);
  const isWanted = (release: string): boolean => (wanted === undefined ? !/-(cloud|rt)-/.test(release) : release === wanted);
  const release = kernels.find((kernel) => kernel.version === from && isWanted(kernel.release))?.release;
  if (release === undefined) {
    throw new Refusal({
      code: "no-such-kernel",
      message: `the archive has no kernel ${wanted === undefined ? "" : `${wanted} `}built from source ${from}`,
      hint: `it has ${kernels.map((kernel) => `${kernel.release} (${kernel.version})`).join(", ")}`,
    });
  }
  const fromTree = join(cacheDir, "trees", release);
  await debian.prepare({ release, dir: fromTree, ...place });
  const toTree = join(cacheDir, "sources", to);
  if (!(await isDirectory(toTree))) {
    await mkdir(join(cacheDir, "sources"), { recursive: true });
    const unfinished = await mkdtemp(join(cacheDir, "sources", ".unfinished-"));
    try {
      await downloadDebianSource(to, unfinished, place);
      await rename(unfinished, toTree);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  }
  return { from, to, release, fromTree, toTree };
}
