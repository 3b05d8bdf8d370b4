import type { TrampolineSite } from "../arch/arch.js";

/** A function of the pre object, found in the running kernel. */
export interface MatchedFunction {
  readonly name: string;
  /** Start of the code that runs now (the newest, where an update replaced it already). */
  readonly addr: bigint;
  /** Bytes of the running code. May differ from the pre size where jumps have other widths. */
  readonly size: number;
  /** Where it can be redirected. Undefined for a piece of a function, and where there is no place for a trampoline and no call of ftrace. */
  readonly site: TrampolineSite | undefined;
}

export interface Mismatch {
  /** Name of the function or data object. */
  readonly function: string;
  /** The candidate's address; undefined if no symbol of that name exists. */
  readonly addr: bigint | undefined;
  /** Byte offset into the pre function or object. */
  readonly offset: number;
  /** Both instructions disassembled, or bytes of data. Empty where the mismatch is neither. */
  readonly pre: string;
  readonly run: string;
  /** What differs, in a sentence; and the likely cause, where one suggests itself. */
  readonly reason: string;
  readonly likelyCause?: string;
}

export interface MatchStatistics {
  readonly functions: number;
  readonly matched: number;
  /** Functions left alone because the unit's definition is not the one that runs (a weak definition that lost), or that live in freed init memory. */
  readonly skipped: readonly string[];
  /** Bytes that were not compared because nothing is known about what may stand there. */
  readonly skippedBytes: number;
}

/** Run-pre matching of one compilation unit. */
export type UnitMatch =
  | {
      readonly kind: "matched";
      readonly functions: ReadonlyMap<string, MatchedFunction>;
      /** Address of every named symbol of the pre object that the matched code refers to or that was found itself; by the name in the pre object. */
      readonly symbols: ReadonlyMap<string, bigint>;
      /** Of these the names with external linkage: they mean the same in all units of the target. */
      readonly globals: ReadonlySet<string>;
      /** Values that the matched code holds of constants that the kernel set at boot; by their table's section name (`runtime_ptr_USER_PTR_MAX`). */
      readonly runtimeConstants: ReadonlyMap<string, bigint>;
      readonly statistics: MatchStatistics;
    }
  | { readonly kind: "mismatch"; readonly mismatches: readonly Mismatch[]; readonly statistics: MatchStatistics };
