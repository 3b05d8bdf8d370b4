import { debuggingKernel } from "./debugging-kernel.js";
import { ALL_SERIES, type Series } from "./series.js";
import { backportsTree, testTree } from "./trees.js";

/** A kernel that the core is tested on: one of Debian's, or one of our own that watches what is done in it. */
export type CoreKernel = Series | "backports" | "debugging";

/**
 * By day those given, by night (`npm run nightly`) all. With `KSPLICE_TEST_SERIES=debugging` that one alone: it is built first, which takes long. With
 * `KSPLICE_TEST_SERIES=backports` that one alone: the newest of Debian 13's backports, which nothing else needs by day.
 */
export function coreKernels(...byDay: readonly Series[]): readonly CoreKernel[] {
  const wanted = process.env["KSPLICE_TEST_SERIES"];
  if (wanted === "debugging" || wanted === "backports") return [wanted];
  return wanted === "all" ? [...ALL_SERIES, "backports"] : byDay;
}

/** @returns the prepared source */
export async function coreTree(kernel: CoreKernel): Promise<string> {
  if (kernel === "debugging") return (await debuggingKernel()).tree;
  return (kernel === "backports" ? await backportsTree() : await testTree(kernel)).path;
}
