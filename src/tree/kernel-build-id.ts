import { readTextIfThere } from "../host/files.js";
import { join } from "node:path";
import { z } from "zod";
import type { KernelTree } from "./kernel-tree.js";

/** What `ksplice prepare` writes down about the kernel that it fetched. */
const kernelFile = z.object({ buildId: z.string().optional() });

/** The build id of the kernel that a tree is for, hex; undefined where the configuration directory does not tell. */
export async function readKernelBuildId(tree: KernelTree): Promise<string | undefined> {
  const text = await readTextIfThere(join(tree.configDir, "kernel.json"));
  if (text === undefined) return undefined;
  const parsed = kernelFile.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data.buildId : undefined;
}
