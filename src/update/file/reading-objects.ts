import { ElfFormatError } from "../../elf/elf-format-error.js";
import { badUpdate } from "./refusals.js";

/**
 * Does something with objects of an update: whoever made it made them, so that they may be anything.
 * @throws Refusal `bad-update` where one is no object
 */
export function readingObjects<T>(updateId: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ElfFormatError) throw badUpdate(`ksplice-${updateId}`, error.message);
    throw error;
  }
}
