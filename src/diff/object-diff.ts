import type { ElfObject, ElfSection, ElfSymbol } from "../elf/model.js";
import type { Analysis } from "./compare/analyse.js";
import type { DataChanges, DiffRefusal, FunctionChanges } from "./types.js";

/** Pre-post difference of one compilation unit. */
export interface ObjectDiff {
  readonly verdict: "changed" | "no-change" | "refused";
  readonly functions: FunctionChanges;
  readonly data: DataChanges;
  /** Functions that the patch calls by another name, and whose old code leads to the new one: names before and after. */
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
  readonly refusals: readonly DiffRefusal[];
  /** Differences that do no harm but that a user may want to know of: initialization code that has run already. */
  readonly notes: readonly string[];
  readonly pre: ElfObject;
  readonly post: ElfObject;
  /** The twin in the pre object of each symbol and section of the post object that has one. */
  readonly twins: ReadonlyMap<ElfSymbol | ElfSection, ElfSymbol | ElfSection>;
  /** The atoms and tables behind it: what cutting out the new code, and looking at an update as a whole, goes on from. */
  readonly analysis: Analysis;
}
