import { UNDEFINED, type ElfRelocation } from "../elf/model.js";

/**
 * What a relocated field of the running kernel points to, before any correction for the end of its instruction.
 * @param at offset of the field in `bytes`
 * @param addr address of the first of `bytes`
 */
export function readField(relocation: ElfRelocation, bytes: Uint8Array, at: number, addr: bigint): bigint {
  const { size, signed, pcRelative } = relocation.type;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, size);
  const value = readInteger(view, size, signed);
  return wrap(pcRelative ? value + addr + BigInt(at) : value);
}

function readInteger(view: DataView, size: number, signed: boolean): bigint {
  switch (size) {
    case 1:
      return BigInt(signed ? view.getInt8(0) : view.getUint8(0));
    case 2:
      return BigInt(signed ? view.getInt16(0, true) : view.getUint16(0, true));
    case 4:
      return BigInt(signed ? view.getInt32(0, true) : view.getUint32(0, true));
    case 8:
      return view.getBigUint64(0, true);
    default:
      return 0n; // a type that writes nothing
  }
}

/** True for the relocation that the assembler leaves where a tool took one back: it has no symbol. */
export function isEmptyRelocation(relocation: ElfRelocation): boolean {
  return relocation.type.size === 0 || (relocation.symbol.name === "" && relocation.symbol.home === UNDEFINED);
}

/** `0x…` */
export function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

/** As 64 bits without a sign, as addresses are. */
export function wrap(addr: bigint): bigint {
  return BigInt.asUintN(64, addr);
}
