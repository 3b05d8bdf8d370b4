import { join } from "node:path";
import { MARK_SECTION, readMark } from "../../elf/module-mark.js";
import { readOptional } from "./read-file.js";

/**
 * Ids of the updates that a loaded module came with, from a file on the disk that was built with them, oldest first; none for any other module.
 * @param root directory that holds `sys/`
 */
export function readModuleMarks(module: string, root = "/"): string[] {
  return readMark(readOptional(join(root, "sys/module", module, "notes", MARK_SECTION)) ?? new Uint8Array());
}
