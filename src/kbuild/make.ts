import { mkdir } from "node:fs/promises";
import lockfile from "proper-lockfile";
import type { BuildRoot } from "../host/build-root.js";
import { requireProgram } from "../host/refusals.js";
import { runTool, type ToolResult } from "../host/run-tool.js";

/** What a make call on a kernel build needs to know. {@link PreparedBuild} has it all. */
export interface MakeContext {
  readonly source: string;
  readonly outDir: string;
  readonly makeVariables: readonly string[];
  readonly jobs: number;
  readonly root?: BuildRoot | undefined;
}

/** Compiler flags that every object gets, through kbuild's own variable for a user's flags: it comes last. */
export const UNIT_FLAGS = ["-ffunction-sections", "-fdata-sections", "-g0"];

/** Flags for whole modules of our own: nothing is correlated in them. */
export const MODULE_FLAGS = ["-g0"];

/** Runs kbuild. Does not judge the outcome. Callers hold {@link withBuildLock}. @throws Refusal if there is no make */
export async function makeKernel(context: MakeContext, args: readonly string[], compilerFlags = UNIT_FLAGS): Promise<ToolResult> {
  const words = [
    ...["-C", context.source, `O=${context.outDir}`, "-s", "--no-print-directory", `-j${context.jobs}`],
    ...[`KCFLAGS=${compilerFlags.join(" ")}`, ...context.makeVariables, ...args],
  ];
  const result = await runTool("make", words, { root: context.root });
  if (result.notFound) throw requireProgram("make", "make");
  return result;
}

/** Runs `work` while no other process runs kbuild in the same cache directory. A lock left by a killed process goes stale in a minute. */
export async function withBuildLock<T>(cacheDir: string, work: () => Promise<T>): Promise<T> {
  await mkdir(cacheDir, { recursive: true });
  const release = await lockfile.lock(cacheDir, {
    lockfilePath: `${cacheDir}/lock`,
    stale: 60_000,
    update: 5_000,
    retries: { retries: 10_000, minTimeout: 100, maxTimeout: 500, factor: 1.2 },
  });
  try {
    return await work();
  } finally {
    await release();
  }
}
