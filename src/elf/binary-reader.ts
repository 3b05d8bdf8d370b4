import { ElfFormatError } from "./elf-format-error.js";

/**
 * A cursor over little-endian bytes. Every bound is asserted here and nowhere else:
 * a read past the end throws {@link ElfFormatError} that names the file.
 */
export class BinaryReader {
  readonly #view: DataView;
  readonly bytes: Uint8Array;
  offset: number;

  /** @param fileName what errors call the input */
  constructor(
    bytes: Uint8Array,
    readonly fileName: string,
    offset = 0,
  ) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = offset;
  }

  #take(size: number): number {
    const at = this.offset;
    if (at < 0 || at + size > this.bytes.byteLength) {
      throw new ElfFormatError(
        this.fileName,
        `truncated: ${String(size)} bytes wanted at offset ${String(at)} of ${String(this.bytes.byteLength)}`,
      );
    }
    this.offset = at + size;
    return at;
  }

  readU8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  readU16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  readU32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  readI32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  readU64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  readI64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  /** A 64-bit unsigned field that is a file offset or a size, and so must fit a JavaScript number. */
  readSize(): number {
    const value = this.readU64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw new ElfFormatError(this.fileName, `implausible size or offset 0x${value.toString(16)}`);
    return Number(value);
  }

  /** A view (not a copy) of the next `size` bytes. */
  readBytes(size: number): Uint8Array {
    const at = this.#take(size);
    return this.bytes.subarray(at, at + size);
  }
}

const utf8 = new TextDecoder("utf-8");

/** The NUL-terminated string at `offset` of a string table. @throws ElfFormatError where it does not end inside the table */
export function readCString(table: Uint8Array, offset: number, fileName: string): string {
  const end = table.indexOf(0, offset);
  if (offset < 0 || offset > table.length || end < 0)
    throw new ElfFormatError(fileName, `string at offset ${String(offset)} does not end inside its table`);
  return utf8.decode(table.subarray(offset, end));
}
