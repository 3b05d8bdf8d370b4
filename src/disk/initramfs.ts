import { access } from "node:fs/promises";
import { join } from "node:path";
import { moduleName } from "../host/module-file.js";
import { runTool } from "../host/run-tool.js";
import type { ModuleDirectory } from "./module-directory.js";

/** Initial file systems by the names that distributions give them, what lists one, and what makes it anew. */
const KINDS = [
  {
    file: (release: string) => `boot/initrd.img-${release}`,
    list: "lsinitramfs",
    make: (release: string) => `update-initramfs -u -k ${release}`,
  },
  {
    file: (release: string) => `boot/initramfs-${release}.img`,
    list: "lsinitrd",
    make: (release: string) => `dracut -f --kver ${release}`,
  },
] as const;

/**
 * What to tell of a module that the boot loads out of the initial file system, which has a copy of its own: from there the other one is loaded.
 * @returns undefined where it is not in one
 */
export async function initramfsNote({ root, release }: ModuleDirectory, name: string): Promise<string | undefined> {
  for (const { file, list, make } of KINDS) {
    const path = join(root, file(release));
    if (!(await isThere(path))) continue;
    const listed = await runTool(list, [path]);
    if (listed.exitCode !== 0) return `whether ${name} is in ${path} could not be found out (${list}); if it is: ${make(release)}`;
    if (listed.stdout.split("\n").some((line) => moduleName(line.trim().split(/\s+/).at(-1) ?? "") === name))
      return `${name} is in ${path} as well, from where the next boot may load it as it is there: ${make(release)}`;
  }
  return undefined;
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
