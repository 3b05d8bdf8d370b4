import { parseObject } from "./parse-object.js";
import { writeObject } from "./write-object.js";

/** An object for the same machine that has nothing in it: what a unit was that is not there yet. @throws ElfFormatError */
export function withoutContent(object: Uint8Array, fileName: string): Uint8Array {
  return writeObject({ ...parseObject(object, fileName), sections: [], symbols: [] });
}
