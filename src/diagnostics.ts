/**
 * The catalogue of refusals: every message a user may see because of input or circumstances, a factory each.
 * A refusal is an error with a stable code, a place and a hint; a broken assertion of ours is a plain Error (exit status 70).
 */

export const EXIT_DONE = 0;
export const EXIT_REFUSED = 1;
export const EXIT_USAGE = 2;
export const EXIT_NO_CHANGE = 66;
export const EXIT_BUG = 70;

/** The kernel core's reasons, by the names of the original; OTHER for everything else. The first line of an error with `--raw-errors`. */
export type AbortCause =
  | "no_match"
  | "code_busy"
  | "module_busy"
  | "out_of_memory"
  | "failed_to_find"
  | "already_reversed"
  | "unexpected_running_task"
  | "timed_out"
  | "target_not_loaded"
  | "call_failed"
  | "entry_taken"
  | "unexpected"
  | "OTHER";

export interface RefusalDetails {
  /** Stable, kebab-case; tests and `--json` use it. */
  readonly code: string;
  /** One sentence, no final period, that names the thing. May span lines where it quotes a tool's own words. */
  readonly message: string;
  /** Where: a file, `file:line`, `function+0xoffset`, a symbol. */
  readonly location?: string;
  /** What the user can do about it. */
  readonly hint?: string;
  /** Default: OTHER. */
  readonly abortCause?: AbortCause;
  readonly exitCode?: number;
  /** Where several things were refused at once: each. */
  readonly items?: readonly RefusedItem[];
}

/** One thing among several that were refused at once. */
export interface RefusedItem {
  readonly code: string;
  readonly symbol: string;
  readonly message: string;
  /** `FILE:LINE`, or the object where no line is known. */
  readonly place: string;
}

/** Something was refused and nothing was changed. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: string;
  readonly location: string | undefined;
  readonly hint: string | undefined;
  readonly abortCause: AbortCause;
  readonly exitCode: number;
  readonly items: readonly RefusedItem[];

  constructor(details: RefusalDetails) {
    super(details.message);
    this.code = details.code;
    this.location = details.location;
    this.hint = details.hint;
    this.abortCause = details.abortCause ?? "OTHER";
    this.exitCode = details.exitCode ?? EXIT_REFUSED;
    this.items = details.items ?? [];
  }
}
