import { join } from "node:path";
import type { Tell } from "../../events.js";
import type { Change } from "../../kbuild/change/read-change.js";
import type { PatchedTree } from "../../kbuild/change/patched-tree.js";
import { shadowWithPatch } from "../../kbuild/change/patch-tree.js";
import { withoutBuild } from "../../kbuild/clean-source.js";
import { prepareBuild } from "../../kbuild/prepare-build.js";
import type { PreparedBuild } from "../../kbuild/types.js";
import type { KernelTree } from "../../tree/kernel-tree.js";
import { openKernelTree } from "../../tree/open-tree.js";
import { PATCH_FILE, type Update } from "../file/update-file.js";
import { updateOfOtherKernel } from "./refusals.js";
import { withUpdates } from "./source-with-updates.js";

export interface SourceRequest {
  /** The kernel source tree. Nothing is written into it. */
  readonly source: string;
  /** Default: `source`/ksplice. */
  readonly configDir?: string;
  readonly change: Change;
  /** Updates that the kernel has already, oldest first: this one is made from the source that holds them. */
  readonly after?: readonly Update[];
  /** How many objects are compiled at once. */
  readonly jobs: number;
  /** The kernel part's source. */
  readonly kmodDir: string;
  /** Where builds and objects are kept between runs. */
  readonly cacheDir: string;
  readonly tell: Tell;
}

/** A kernel's source before and after a change, and a build to compile both with. */
export interface PatchedSource {
  readonly patched: PatchedTree;
  /** Its tree is the source before the change, with the updates that the kernel has. */
  readonly build: PreparedBuild;
  readonly cacheDir: string;
}

/**
 * Opens the source, puts the change beside it, and prepares a build. The patched source is there while `action` runs.
 * @throws Refusal where tree, change or build are not fit for an update
 */
export async function withPatchedSource<T>(request: SourceRequest, action: (source: PatchedSource) => Promise<T>): Promise<T> {
  const { tell, jobs, after = [], cacheDir } = request;
  tell("stage", "looking at the source tree");
  const opened = await openKernelTree(request.source, request.configDir === undefined ? {} : { configDir: request.configDir });
  const tree = await holdUpdates(opened, after, cacheDir, tell);
  const patched = await shadowWithPatch(tree, request.change, join(request.kmodDir, "include"));
  try {
    for (const note of patched.notes) tell("note", note);
    const build = await prepareBuild(tree, { cacheDir, tell, jobs });
    for (const { manifest } of after) {
      if (manifest.kernel.release !== build.release) throw updateOfOtherKernel(manifest.id, manifest.kernel.release, build.release);
    }
    return await action({ patched, build, cacheDir });
  } finally {
    await patched.dispose();
  }
}

async function holdUpdates(tree: KernelTree, updates: readonly Update[], cacheDir: string, tell: Tell): Promise<KernelTree> {
  if (updates.length === 0) return await withoutBuild(tree, cacheDir, tell);
  const patches = updates.map(({ manifest, files }) => ({
    name: `update ${manifest.id}`,
    text: Buffer.from(files.get(PATCH_FILE) ?? new Uint8Array()).toString("latin1"),
  }));
  return await withUpdates(tree, patches, cacheDir, tell);
}
