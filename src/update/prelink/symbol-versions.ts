import { readCString } from "../../elf/binary-reader.js";
import type { ElfObject } from "../../elf/model.js";

/** `struct modversion_info`: an unsigned long with the CRC, then the NUL-padded name (include/linux/module.h, Linux 6.1). */
const ENTRY_SIZE = 64;
const NAME_OFFSET = 8;

/** Names that a module's `__versions` section lists: the exported symbols that it uses, which the kernel's loader resolves. */
export function symbolsWithVersions(ko: ElfObject): ReadonlySet<string> {
  const names = new Set<string>();
  for (const section of ko.sections) {
    if (section.name !== "__versions") continue;
    for (let at = 0; at + ENTRY_SIZE <= section.data.length; at += ENTRY_SIZE) {
      names.add(readCString(section.data.subarray(at, at + ENTRY_SIZE), NAME_OFFSET, ko.fileName));
    }
  }
  return names;
}
