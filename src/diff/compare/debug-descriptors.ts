import type { Atom } from "../atoms/atom.js";

/** The line stands in the low bits of a word behind the pointers to names and message (struct _ddebug, include/linux/dynamic_debug.h, Linux 6.1 and 6.12). */
const LINE_BITS = 18;
const WORD = 4;
const POINTER = 8;

/**
 * True for two descriptors of one debugging message that say alike how it begins: its flags, its class, and the kind of its jump label, which the code around is
 * made for. Texts and line may differ.
 */
export function beginsAlike(pre: Atom, post: Atom): boolean {
  const [had, has] = [stateOf(pre), stateOf(post)];
  return had.length === has.length && had.every((byte, index) => byte === has[index]);
}

/** The bytes behind the pointers, without the line. */
function stateOf({ data, relocations }: Atom): Uint8Array {
  const start = Math.max(0, ...relocations.map(({ offset }) => offset + POINTER));
  const bytes = data.slice(start);
  if (bytes.length < WORD) return bytes;
  const view = new DataView(bytes.buffer);
  view.setUint32(0, (view.getUint32(0, true) >>> LINE_BITS) << LINE_BITS, true);
  return bytes;
}
