import type { HookKind } from "./atoms/hook-kinds.js";
import type { ElfObject, ElfSymbol } from "../elf/model.js";

/** Where a symbol of an object comes from in the source, where debug info or a bug table tells. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
}

/** A function that differs. Names are as the post object spells them (the pre object for a removed one). */
export interface FunctionChange {
  readonly name: string;
  readonly sourceLine?: SourceLine;
  /** Absent for a new function. */
  readonly pre?: ElfSymbol;
  /** Absent for a removed function. */
  readonly post?: ElfSymbol;
  /** Why it counts as changed, in words: "code", "string", "rodata", "alternative", … Empty for new and removed. */
  readonly reasons: readonly string[];
}

export interface DataChange {
  readonly name: string;
  /**
   * What becomes of a changed constant: overwritten in place; carried as a new one; or, for an object that points to one which is carried,
   * made to point to the new one. Absent for new and removed data, and for what is refused.
   */
  readonly how?: "rewritten" | "carried" | "redirected";
  readonly sourceLine?: SourceLine;
  readonly pre?: ElfSymbol;
  readonly post?: ElfSymbol;
}

/** Something that the differ found and will not turn into an update. */
export interface DiffRefusal {
  /** Stable and kebab-case, for example `changed-data`, `unknown-section`, `init-only`. */
  readonly code: string;
  readonly symbol: string;
  readonly message: string;
  readonly sourceLine?: SourceLine;
}

export interface FunctionChanges {
  readonly changed: readonly FunctionChange[];
  readonly new: readonly FunctionChange[];
  readonly removed: readonly FunctionChange[];
}

export interface DataChanges {
  readonly changed: readonly DataChange[];
  readonly new: readonly DataChange[];
  readonly removed: readonly DataChange[];
}

/** An undefined symbol of the new code whose address the target machine finds out. */
export interface NewCodeImport {
  /** Its name in the new code's symbol table: `UNIT:PRE_SYMBOL` for one that the unit's pre object has, else the plain name. */
  readonly name: string;
  /** The symbol's name in the pre object (`state.45`), where it has one: matching the unit yields the address. */
  readonly preSymbol?: string;
  /** The symbol's plain name, for looking up exports and kallsyms. */
  readonly symbol: string;
}

/** One function to redirect. */
export interface NewCodeFunction {
  readonly name: string;
  readonly sourceLine?: SourceLine;
  /** Name of the old function in the pre object. */
  readonly preSymbol: string;
  /** Name of the defining symbol in the new code object. */
  readonly newSymbol: string;
  /** Further pieces of the old function in the pre object (`NAME.cold`): nobody may be inside these either. */
  readonly preParts: readonly string[];
}

/** A range of existing data that is overwritten while the machine is stopped, and put back on undo. */
export interface NewCodeWrite {
  /** The object as the source calls it. */
  readonly name: string;
  /** Its symbol in the pre object: matching yields the address. */
  readonly preSymbol: string;
  /** Byte offset in the object, and how many bytes. */
  readonly offset: number;
  readonly size: number;
  /** Symbol of the new-code object that holds the new bytes, from `newOffset` on. */
  readonly newSymbol: string;
  readonly newOffset: number;
  /** True where the whole old object must be what the pre object says (read-only data); false for one pointer in data that may change. */
  readonly isConstant: boolean;
}

/** A symbol that the patch newly offers to modules. */
export interface NewCodeExport {
  readonly name: string;
  /** What is exported: a symbol of the new-code object, an import where it is old code. */
  readonly symbol: string;
  readonly isGpl: boolean;
  /** Symbol namespace; empty for none. */
  readonly namespace: string;
}

/** A function of the patch that is called when the update is applied or reversed. */
export interface NewCodeHook {
  readonly kind: HookKind;
  readonly name: string;
}

/** What `extractNewCode` makes of a changed unit: an object with the changed and new code only, and what must be known to load it. */
export interface NewCode {
  readonly unit: string;
  readonly object: ElfObject;
  readonly imports: readonly NewCodeImport[];
  readonly functions: readonly NewCodeFunction[];
  readonly writes: readonly NewCodeWrite[];
  readonly exports: readonly NewCodeExport[];
  readonly hooks: readonly NewCodeHook[];
  /** Names of global symbols that this new code defines and that the pre object did not have: other units of the update may use them. */
  readonly newGlobals: readonly string[];
}
