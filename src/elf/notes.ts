const NT_GNU_BUILD_ID = 3;

/**
 * The GNU build id in a sequence of ELF notes, such as /sys/kernel/notes, in lower-case hexadecimal; undefined if there is none.
 * Source: ELF specification, "Note Section"; little-endian.
 */
export function parseBuildId(notes: Uint8Array): string | undefined {
  const view = new DataView(notes.buffer, notes.byteOffset, notes.byteLength);
  for (let at = 0; at + 12 <= notes.length;) {
    const nameSize = view.getUint32(at, true);
    const descSize = view.getUint32(at + 4, true);
    const type = view.getUint32(at + 8, true);
    const descAt = at + 12 + alignTo4(nameSize);
    const name = new TextDecoder("latin1").decode(notes.subarray(at + 12, at + 12 + nameSize));
    if (type === NT_GNU_BUILD_ID && name === "GNU\0" && descAt + descSize <= notes.length) {
      return Array.from(notes.subarray(descAt, descAt + descSize), (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
    at = descAt + alignTo4(descSize);
  }
  return undefined;
}

function alignTo4(size: number): number {
  return (size + 3) & ~3;
}
