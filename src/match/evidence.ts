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

/** What one comparison learned about addresses. */
export class Evidence {
  readonly bindings = new Map<Place, Binding>();
  readonly textReferences: TextReference[] = [];

  addAll(other: Evidence): void {
    for (const binding of other.bindings.values()) if (!this.bindings.has(binding.place)) this.bindings.set(binding.place, binding);
    this.textReferences.push(...other.textReferences);
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
