import type { Place } from "./pre-object.js";

/** An address that running code or data gives to a place of the pre object. */
export interface Binding {
  readonly place: Place;
  readonly addr: bigint;
  /** Byte offset, in the function or data that refers to it, of the reference. */
  readonly offset: number;
}

/** A reference into the middle of a function, to be checked once it is known where that function runs. */
export interface TextReference {
  readonly place: Place;
  /** Bytes from the start of the pre function. */
  readonly delta: number;
  readonly addr: bigint;
  readonly offset: number;
}

/** A value that running code gives to a constant set at boot. */
export interface ConstantValue {
  readonly value: bigint;
  /** Byte offset of the immediate in the function. */
  readonly offset: number;
}

/** What one comparison learned about addresses and constants. */
export class Evidence {
  readonly bindings = new Map<Place, Binding>();
  readonly textReferences: TextReference[] = [];
  /** By the name of the constant's table. */
  readonly constants = new Map<string, ConstantValue>();

  addAll(other: Evidence): void {
    for (const binding of other.bindings.values()) if (!this.bindings.has(binding.place)) this.bindings.set(binding.place, binding);
    for (const [table, { value, offset }] of other.constants) this.noteConstant(table, value, offset);
    this.textReferences.push(...other.textReferences);
  }

  /** Takes the value of a constant into the evidence. Returns what speaks against it, or undefined. */
  noteConstant(table: string, value: bigint, offset: number): string | undefined {
    const before = this.constants.get(table);
    if (before === undefined) this.constants.set(table, { value, offset });
    if (before === undefined || before.value === value) return undefined;
    return `${table} is 0x${value.toString(16)} here, and 0x${before.value.toString(16)} at offset 0x${before.offset.toString(16)}`;
  }
}

/** Why something does not match: where in the pre function, where in the running one, and what. */
export interface Difference {
  /** Byte offset in the pre function. */
  readonly offset: number;
  /** Byte offset from the start of the running function. */
  readonly runOffset: number;
  readonly reason: string;
}
