/**
 * A constant that the kernel writes into its own code once at boot, where the compiler left a placeholder in an immediate operand
 * (arch/x86/include/asm/runtime-const.h, Linux 6.12).
 */
export interface RuntimeConstant {
  /** Section whose entries, 4 bytes each, point to the immediates: each holds the distance from itself to one. */
  readonly table: string;
  /** The kernel's variable that has the same value. */
  readonly variable: string;
  /** Bytes of an immediate. It holds the low ones of the value, little-endian. */
  readonly size: number;
}

/** Type of a constant, as its table's name has it, → bytes of an immediate. */
const IMMEDIATE_SIZES: ReadonlyMap<string, number> = new Map([
  ["ptr", 8],
  ["shift", 1],
]);

/** The constant that a section lists the immediates of; undefined for any other section. */
export function findRuntimeConstant(sectionName: string): RuntimeConstant | undefined {
  const [, type = "", variable = ""] = /^runtime_([a-z]+)_(.+)$/.exec(sectionName) ?? [];
  const size = IMMEDIATE_SIZES.get(type);
  return size === undefined ? undefined : { table: sectionName, variable, size };
}

/** The value of the immediate of `size` bytes at `at`, which must lie inside `bytes`. */
export function readImmediate(bytes: Uint8Array, at: number, size: number): bigint {
  let value = 0n;
  for (const byte of bytes.subarray(at, at + size).toReversed()) value = (value << 8n) | BigInt(byte);
  return value;
}
