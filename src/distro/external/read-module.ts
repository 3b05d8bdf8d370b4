import { findSection } from "../../elf/find-section.js";

/** What a module's file says of itself. */
export interface ModuleFacts {
  /** As the kernel spells it: `i2c_dev`. Undefined where the file does not say. */
  readonly name: string | undefined;
  /** Release of the kernel that it was built for. */
  readonly release: string | undefined;
}

/** Reads `.modinfo`: `KEY=VALUE`, each ended by a zero byte (include/linux/moduleparam.h, Linux 6.1). @throws ElfFormatError for what is no object */
export function readModuleFacts(bytes: Uint8Array, fileName: string): ModuleFacts {
  const section = findSection(bytes, ".modinfo", fileName);
  const entries = section === undefined ? [] : Buffer.from(section).toString("latin1").split("\0");
  const valueOf = (key: string): string | undefined => entries.find((entry) => entry.startsWith(`${key}=`))?.slice(key.length + 1);
  return { name: valueOf("name"), release: valueOf("vermagic")?.split(" ")[0] };
}

/**
 * The directory that a module was built in, as its own texts tell it: `__FILE__` is an absolute path there, in kernels before 6.13.
 * @param files of its source, from its top
 * @returns undefined where no text names one of them, or several do in different places
 */
export function findBuiltIn(bytes: Uint8Array, files: readonly string[]): string | undefined {
  // A text may stand right behind code.
  const absolute = Array.from(
    Buffer.from(bytes)
      .toString("latin1")
      .matchAll(/\/[ -~]*\.[ch](?=\0)/g),
    ([text]) => text,
  );
  const tops = absolute.flatMap((text) => files.filter((file) => text.endsWith(`/${file}`)).map((file) => text.slice(0, -file.length - 1)));
  const absoluteTops = tops.filter((top) => top !== "");
  // Of `words.c` and `lib/words.c` the longest that fits is meant, and that leaves the shortest.
  const shortest = [...new Set(absoluteTops)].sort((a, b) => a.length - b.length);
  const [first] = shortest;
  return first !== undefined && shortest.every((top) => top === first || top.startsWith(`${first}/`)) ? first : undefined;
}
