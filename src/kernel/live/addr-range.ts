/** From the first byte up to, and without, the last address. */
export interface AddrRange {
  readonly startAddr: bigint;
  readonly endAddr: bigint;
}
