import type { RefusedItem } from "../src/diagnostics.js";

/** What the stages of the corpus hand to each other. */

/** Two versions of a distribution's source, and the kernel that was built from the first. */
export interface CorpusSet {
  /** Debian versions: `6.1.170-3`, `6.1.176-1`. */
  readonly from: string;
  readonly to: string;
  /** Release of the kernel built from `from`: `6.1.0-47-amd64`. */
  readonly release: string;
  /** A tree that `ksplice prepare` made, of `from`. */
  readonly fromTree: string;
  /** The plain source of `to`. */
  readonly toTree: string;
}

/**
 * - `update`: created, and matches the running kernel;
 * - `no effect`: the same object code, or changes of code that has run already;
 * - `refused`: not safe, and why; also where that was told only with the other fixes that it needs;
 * - `not alone`: does not compile or link, with those other fixes of the release neither that were found for it;
 * - `failed`: anything else: a bug of ours;
 * - `not built`: nothing of the distribution's configuration is made from its files. Not judged.
 */
export type Verdict = "update" | "no effect" | "refused" | "not alone" | "failed" | "not built";

export const VERDICTS: readonly Verdict[] = ["update", "no effect", "refused", "not alone", "failed", "not built"];

/** A function or an object that an update changes. */
export interface ChangedItem {
  readonly unit: string;
  readonly target: string;
  readonly name: string;
  /** Why a function counts as changed, or what becomes of a constant. */
  readonly why: string;
  /** Both disassemblies in one, with marks; of functions only. */
  readonly disassembly?: readonly string[];
}

/** What became of one fix of the set. */
export interface FixResult {
  /** Its name: `net/ipv4/raw.c#0`, after the first of its pieces. */
  readonly fix: string;
  /** Those that it changes. */
  readonly files: readonly string[];
  /** How many pieces of the difference it is. */
  readonly pieces: number;
  readonly verdict: Verdict;
  /** Code of the refusal; undefined for an update. */
  readonly code?: string;
  /** Why, in a sentence or a few; may span lines. */
  readonly reason: string;
  readonly refused?: readonly RefusedItem[];
  /** Names of other fixes of the release that were needed besides. */
  readonly companions: readonly string[];
  readonly changed: readonly ChangedItem[];
  readonly added: readonly ChangedItem[];
  readonly removed: readonly ChangedItem[];
  readonly data: readonly ChangedItem[];
  /** What the user is told besides. */
  readonly notes: readonly string[];
  /** How many functions of the touched units were matched. */
  readonly matched?: number;
  readonly milliseconds: { readonly create: number; readonly match: number };
  readonly rehearsal?: RehearsalResult;
}

/** What became of an update in a virtual machine. */
export interface RehearsalResult {
  /** Applied, looked at, undone, without trouble of any kind. */
  readonly ok: boolean;
  /** Run-post matching found that all is as the patched source says; undefined where it did not come to that. */
  readonly verified?: boolean;
  /** What was wrong; empty if nothing. */
  readonly problems: readonly string[];
  /** The machine could not be made ready for the update, or was in its code all the time, so that nothing is known of it. */
  readonly isUnknown: boolean;
  readonly milliseconds: number;
}
