import { globPattern } from "../src/host/glob.js";
import { judgeTouchedFile } from "../src/kbuild/change/touched-files.js";
import type { Fix } from "./fixes/connect-pieces.js";
import { shuffled } from "./shuffled.js";

export interface Choice {
  /** Only fixes that have one of these names, or change a file of these; `*` stands for anything. */
  readonly only?: readonly string[];
  /** Only so many, chosen at random of those that may be of this architecture's kernel. */
  readonly sample?: number;
  readonly seed: number;
}

/** The fixes that are asked for, in their order; those of a sample as they were drawn, so that a part of a run is a sample too. */
export function chooseFixes(fixes: readonly Fix[], { only, sample, seed }: Choice): Fix[] {
  const patterns = only?.map(globPattern);
  const chosen = fixes.filter(
    (fix) => patterns?.some((pattern) => pattern.test(fix.name) || pathsOf(fix).some((path) => pattern.test(path))) ?? true,
  );
  if (sample === undefined) return chosen;
  return shuffled(chosen.filter(mayBeBuilt), seed).slice(0, sample);
}

/** The files of a fix, each once. */
export function pathsOf({ pieces }: Fix): string[] {
  return [...new Set(pieces.map(({ path }) => path))];
}

function mayBeBuilt(fix: Fix): boolean {
  return pathsOf(fix).some((path) => judgeTouchedFile(path).kind !== "ignore");
}
