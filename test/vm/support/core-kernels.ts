import { debuggingKernel } from "./debugging-kernel.js";
import { ALL_SERIES, type Series } from "./series.js";
import { testTree } from "./trees.js";

/** A kernel that the core is tested on: one of Debian's, or one of our own that watches what is done in it. */
export type CoreKernel = Series | "debugging";

/** By day those given, by night (`npm run nightly`) all. With `KSPLICE_TEST_SERIES=debugging` that one alone: it is built first, which takes long. */
export function coreKernels(...byDay: readonly Series[]): readonly CoreKernel[] {
  const wanted = process.env["KSPLICE_TEST_SERIES"];
  if (wanted === "debugging") return ["debugging"];
  return wanted === "all" ? ALL_SERIES : byDay;
}

/** @returns the prepared source */
export async function coreTree(kernel: CoreKernel): Promise<string> {
  return kernel === "debugging" ? (await debuggingKernel()).tree : (await testTree(kernel)).path;
}
