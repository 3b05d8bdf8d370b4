import { SHF_MERGE, SHF_STRINGS } from "../../elf/constants.js";
import { parseObject } from "../../elf/parse-object.js";

/** Checks that the compiler puts into code, and whose messages name the source file as the command spells it: no option maps that path (gcc 14). */
const CHECK = "-fsanitize=";

/** True for a command whose object holds paths of source files that no `-fmacro-prefix-map` shortens. */
export function namesPlaces(compile: readonly string[]): boolean {
  return compile.some((word) => word.startsWith(CHECK));
}

/**
 * Makes the texts of an object that begin with a place, the top of a source tree or of a shadow of it, begin behind it: `/tmp/shadow/fs/dcache.c` becomes
 * `fs/dcache.c`, as `-fmacro-prefix-map` has it in all others. Where the patched source lies is no difference, and nobody reads it in a kernel's messages.
 * Each text stays where it begins; the bytes behind it become empty texts, which nothing refers to.
 */
export function dropPlaces(object: Uint8Array, top: string, fileName: string): Uint8Array {
  const bytes = Uint8Array.from(object);
  const place = new TextEncoder().encode(`${top}/`);
  for (const { flags, entsize, data } of parseObject(bytes, fileName).sections) {
    if ((flags & SHF_MERGE) === 0 || (flags & SHF_STRINGS) === 0 || entsize !== 1) continue;
    for (let start = 0; start < data.length;) {
      const nul = data.indexOf(0, start);
      const end = nul < 0 ? data.length : nul;
      if (place.every((byte, at) => data[start + at] === byte)) {
        data.copyWithin(start, start + place.length, end);
        data.fill(0, end - place.length, end);
      }
      start = end + 1;
    }
  }
  return bytes;
}
