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
 * - `refused`: not safe, and why;
 * - `not alone`: does not compile without other changes of the release, and comes to no update together with them either;
 * - `failed`: anything else: a bug of ours;
 * - `not built`: nothing of the distribution's configuration is made from the file. Not judged.
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

/** What became of one file of the set. */
export interface FileResult {
  readonly file: string;
  readonly verdict: Verdict;
  /** Code of the refusal; undefined for an update. */
  readonly code?: string;
  /** Why, in a sentence or a few; may span lines. */
  readonly reason: string;
  readonly refused?: readonly RefusedItem[];
  /** Further files of the release that were needed besides. */
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
}
