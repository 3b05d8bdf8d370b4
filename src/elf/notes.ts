export interface ElfNote {
  /** The owner's name, without the NUL. */
  readonly owner: string;
  readonly type: number;
  /** A view of the parsed bytes. */
  readonly content: Uint8Array;
}

const HEADER_SIZE = 12;
export const NT_GNU_BUILD_ID = 3;

/**
 * The notes of a note segment or section, or of /sys/kernel/notes; those before the first that is cut off.
 * Source: ELF specification, "Note Section"; little-endian, words of 4 bytes.
 */
export function* parseNotes(bytes: Uint8Array): Generator<ElfNote> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + HEADER_SIZE <= bytes.length;) {
    const nameAt = at + HEADER_SIZE;
    const nameSize = view.getUint32(at, true);
    const contentAt = nameAt + alignTo4(nameSize);
    const contentSize = view.getUint32(at + 4, true);
    if (contentAt + contentSize > bytes.length) return;
    const owner = new TextDecoder("latin1").decode(bytes.subarray(nameAt, nameAt + nameSize)).replace(/\0$/, "");
    yield { owner, type: view.getUint32(at + 8, true), content: bytes.subarray(contentAt, contentAt + contentSize) };
    at = contentAt + alignTo4(contentSize);
  }
}

/** What stands in a file before a note's content, which is followed by zeros up to a multiple of 4 bytes. */
export function noteHeader(owner: string, type: number, contentSize: number): Uint8Array {
  const name = new TextEncoder().encode(`${owner}\0`);
  const header = new Uint8Array(HEADER_SIZE + alignTo4(name.length));
  const view = new DataView(header.buffer);
  view.setUint32(0, name.length, true);
  view.setUint32(4, contentSize, true);
  view.setUint32(8, type, true);
  header.set(name, HEADER_SIZE);
  return header;
}

/** The GNU build id in a sequence of ELF notes, in lower-case hexadecimal; undefined if there is none. */
export function parseBuildId(notes: Uint8Array): string | undefined {
  for (const { owner, type, content } of parseNotes(notes)) {
    if (type === NT_GNU_BUILD_ID && owner === "GNU") return Array.from(content, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  return undefined;
}

/** `size` rounded up to a multiple of 4; exact beyond 32 bits, as sizes in foreign files may be anything. */
export function alignTo4(size: number): number {
  return Math.ceil(size / 4) * 4;
}
