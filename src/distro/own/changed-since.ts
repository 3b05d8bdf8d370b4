import { stat } from "node:fs/promises";
import { join } from "node:path";
import { listSourceFiles } from "../../tree/source-files.js";
import type { KernelBuild } from "./read-build.js";

/** No part of the kernel's text. */
const OTHER = /^(?:Documentation|tools|samples|scripts|LICENSES)\//;

/** The C sources and headers that were written to after the kernel was linked: what is made of them is not what runs. Empty where that cannot be told. */
export async function changedSince({ directory, source }: Pick<KernelBuild, "directory" | "source">): Promise<string[]> {
  const linked = await stat(join(directory, "vmlinux"));
  const files = (await listSourceFiles(source))?.files ?? [];
  const changed: string[] = [];
  for (const path of files) {
    if (!/\.[chS]$/.test(path) || OTHER.test(path)) continue;
    if ((await stat(join(source, path))).mtimeMs > linked.mtimeMs) changed.push(path);
  }
  return changed;
}
