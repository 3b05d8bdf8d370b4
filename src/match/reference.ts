import type { ElfRelocation } from "../elf/model.js";

/** Where one relocated field points, in both worlds. */
export interface Reference {
  readonly relocation: ElfRelocation;
  /** What it points to, in bytes from the relocation's symbol. */
  readonly delta: number;
  /** What the running kernel's field points to. */
  readonly addr: bigint;
  /** Byte offset of the reference in its function, for messages. */
  readonly offset: number;
}
