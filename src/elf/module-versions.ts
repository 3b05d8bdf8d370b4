import { readCString } from "./binary-reader.js";
import type { ElfObject } from "./model.js";

/** `MODULE_NAME_LEN` (include/linux/module.h, Linux 6.1): bytes for a name and its NUL, in struct module and in struct modversion_info. */
export const MODULE_NAME_LEN = 56;

/** `struct modversion_info`: an unsigned long with the CRC, then the NUL-padded name (include/linux/module.h, Linux 6.1). */
const NAME_OFFSET = 8;
const ENTRY_SIZE = NAME_OFFSET + MODULE_NAME_LEN;

/** Where a module lists the exported symbols that it uses, which the kernel's loader resolves. Modules that kbuild makes for a kernel without CONFIG_MODVERSIONS have none. */
export const VERSIONS_SECTION = "__versions";

/** CRCs that a module expects of exported symbols, by name. */
export function parseVersions(module: ElfObject): Map<string, number> {
  const versions = new Map<string, number>();
  for (const section of module.sections) {
    if (section.name !== VERSIONS_SECTION) continue;
    const { data } = section;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0; at + ENTRY_SIZE <= data.length; at += ENTRY_SIZE)
      versions.set(readCString(data.subarray(at, at + ENTRY_SIZE), NAME_OFFSET, module.fileName), view.getUint32(at, true));
  }
  return versions;
}

/** The section's content, sorted by name. */
export function encodeVersions(versions: ReadonlyMap<string, number>): Uint8Array {
  const data = new Uint8Array(versions.size * ENTRY_SIZE);
  const view = new DataView(data.buffer);
  [...versions]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .forEach(([name, crc], index) => {
      view.setBigUint64(index * ENTRY_SIZE, BigInt(crc), true);
      data.set(new TextEncoder().encode(name), index * ENTRY_SIZE + NAME_OFFSET);
    });
  return data;
}
