/** The value of the immediate of `size` bytes at `at`, which must lie inside `bytes`. */
export function readImmediate(bytes: Uint8Array, at: number, size: number): bigint {
  let value = 0n;
  for (const byte of bytes.subarray(at, at + size).toReversed()) value = (value << 8n) | BigInt(byte);
  return value;
}
