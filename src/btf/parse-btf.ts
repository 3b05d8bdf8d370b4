import { BtfFormatError } from "./btf-format-error.js";
import { BTF_HEADER_SIZE, BTF_MAGIC, BTF_TYPE_SIZE, BTF_VERSION, KIND_SHAPES } from "./constants.js";
import { Btf } from "./btf.js";

/**
 * Parses the content of a `.BTF` section, or a file of /sys/kernel/btf: little-endian. Every type's place, name and references are checked
 * here, so that the readers of {@link Btf} need not; only chains of references can still be endless, and those who follow them count.
 * @param fileName what errors call the input
 * @param base what a module's types count on top of: vmlinux's
 * @throws BtfFormatError
 */
export function parseBtf(bytes: Uint8Array, fileName: string, base?: Btf): Btf {
  const { types, strings } = parseSections(bytes, fileName, base === undefined);
  const firstId = base?.endId ?? 1;
  const stringsStart = base?.stringsEnd ?? 0;
  const stringsEnd = stringsStart + strings.length;

  const view = new DataView(types.buffer, types.byteOffset, types.byteLength);
  // No type is shorter than its common part.
  const offsets = new Uint32Array(Math.floor(types.length / BTF_TYPE_SIZE));
  let count = 0;
  /** The references can lead forwards: they are checked when the number of types is known. */
  let highestReference = 0;
  const refer = (at: number): void => {
    const id = view.getUint32(at, true);
    if (id > highestReference) highestReference = id;
  };
  const checkName = (at: number): void => {
    if (view.getUint32(at, true) >= stringsEnd) throw new BtfFormatError(fileName, "a name lies outside the strings");
  };

  for (let at = 0; at < types.length;) {
    if (at + BTF_TYPE_SIZE > types.length) throw new BtfFormatError(fileName, "the last type is truncated");
    const info = view.getUint32(at + 4, true);
    const kind = (info >>> 24) & 0x1f;
    const shape = KIND_SHAPES[kind];
    if (shape === undefined) throw new BtfFormatError(fileName, `type ${String(firstId + count)} is of the unknown kind ${String(kind)}`);
    const entries = shape.entry === 0 ? 0 : info & 0xffff;
    const body = at + BTF_TYPE_SIZE;
    const end = body + shape.once + shape.entry * entries;
    if (end > types.length) throw new BtfFormatError(fileName, `type ${String(firstId + count)} is truncated`);
    checkName(at);
    if (shape.refers) refer(at + 8);
    if (shape.once > 0) for (const offset of shape.typeIdsAt) refer(body + offset);
    for (let entry = body + shape.once; entry < end; entry += shape.entry) {
      if (shape.namedEntries) checkName(entry);
      for (const offset of shape.typeIdsAt) refer(entry + offset);
    }
    offsets[count++] = at;
    at = end;
  }
  if (highestReference >= firstId + count)
    throw new BtfFormatError(fileName, `type ${String(highestReference)} is referred to, and there are ${String(firstId + count)}`);
  return new Btf({ fileName, base, view, offsets: offsets.subarray(0, count), strings });
}

function parseSections(bytes: Uint8Array, fileName: string, isBase: boolean): { types: Uint8Array; strings: Uint8Array } {
  if (bytes.length < BTF_HEADER_SIZE) throw new BtfFormatError(fileName, "too short for BTF");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0, true) !== BTF_MAGIC) throw new BtfFormatError(fileName, "not BTF of a little-endian machine");
  const version = view.getUint8(2);
  if (version !== BTF_VERSION) throw new BtfFormatError(fileName, `BTF of version ${String(version)}`);
  const headerSize = view.getUint32(4, true);
  if (headerSize < BTF_HEADER_SIZE || headerSize > bytes.length) throw new BtfFormatError(fileName, "implausible size of the header");

  const section = (what: string, at: number): Uint8Array => {
    const start = headerSize + view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    if (start + size > bytes.length) throw new BtfFormatError(fileName, `the ${what} lie outside the file`);
    return bytes.subarray(start, start + size);
  };
  const types = section("types", 8);
  const strings = section("strings", 16);
  if (isBase && strings[0] !== 0) throw new BtfFormatError(fileName, "the strings do not begin with an empty one");
  if (strings.length > 0 && strings.at(-1) !== 0) throw new BtfFormatError(fileName, "the last string does not end");
  return { types, strings };
}
