import { SHF_ALLOC, SHT_NOTE } from "./constants.js";
import { concatBytes } from "./concat-bytes.js";
import type { ElfObject } from "./model.js";
import { alignTo4, noteHeader, parseNotes } from "./notes.js";

/**
 * Where a whole module says which updates it holds: notes of a loaded module can be read in /sys/module/NAME/notes, as long as it is loaded, while
 * `.modinfo` is gone then.
 */
export const MARK_SECTION = ".note.ksplice";

/** Which updates a module holds is said a second time in `.modinfo`, for modinfo(8). */
export const MARK_TAG = "ksplice";

const OWNER = "ksplice";
/** The only type so far: an update's id. */
const NOTE_UPDATE = 1;

/** Adds the mark to a module. @param ids of the updates that it holds, oldest first */
export function addMark(module: ElfObject, ids: readonly string[]): void {
  const notes = ids.map((id) => {
    const content = new Uint8Array(alignTo4(id.length));
    content.set(new TextEncoder().encode(id));
    return concatBytes([noteHeader(OWNER, NOTE_UPDATE, id.length), content]);
  });
  const data = concatBytes(notes);
  const about = { type: SHT_NOTE, flags: SHF_ALLOC, align: 4, entsize: 0, relocations: [] };
  module.sections.push({ name: MARK_SECTION, ...about, data, size: data.length });
}

/** The ids in a mark, oldest first. @param notes contents of {@link MARK_SECTION}, of a file or as the kernel shows it */
export function readMark(notes: Uint8Array): string[] {
  return [...parseNotes(notes)]
    .filter(({ owner, type }) => owner === OWNER && type === NOTE_UPDATE)
    .map(({ content }) => new TextDecoder("latin1").decode(content));
}
