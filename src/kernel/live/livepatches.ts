import { readdirSync } from "node:fs";
import { join } from "node:path";
import { isMissing } from "../../host/files.js";

/** A function that a livepatch of the kernel's own (CONFIG_LIVEPATCH) replaces. */
export interface LivepatchedFunction {
  /** Name of the livepatch's module. */
  readonly patch: string;
  /** `vmlinux`, or the module that has the function. */
  readonly target: string;
  readonly name: string;
}

/**
 * All functions of the livepatches that are loaded, enabled or not: /sys/kernel/livepatch/PATCH/OBJECT/FUNCTION,POSITION
 * (Documentation/ABI/testing/sysfs-kernel-livepatch, Linux 6.1). None where the kernel has no livepatching.
 * @param root directory that holds `sys/`
 */
export function readLivepatchedFunctions(root = "/"): LivepatchedFunction[] {
  const directory = join(root, "sys/kernel/livepatch");
  return listDirectories(directory).flatMap((patch) =>
    listDirectories(join(directory, patch)).flatMap((target) =>
      listDirectories(join(directory, patch, target)).map((entry) => ({ patch, target, name: entry.replace(/,\d+$/, "") })),
    ),
  );
}

function listDirectories(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    // There is none, or it has gone meanwhile. What cannot be read must not pass for none.
    if (isMissing(error)) return [];
    throw error;
  }
}
