/** What run-post matching may find wrong, by kind. docs/matching.md says what each is and how it is found. */
export type FindingKind =
  /** A function or a constant of the patched source is not what runs. */
  | "mismatch"
  /** The patched function is there, and what calls its name does not get to it. */
  | "not-redirected"
  /** The core redirects a function that the update does not name, or to code that the patched source does not have. */
  | "stray-redirection"
  /** Two units have one symbol at two addresses. */
  | "two-addresses"
  /** A symbol is not where the running kernel has it. */
  | "wrong-address"
  /** Two variables of one unit are at one address. */
  | "shared-address"
  /** A variable that the running kernel has exists a second time in new code. */
  | "second-copy"
  /** Data that stays points to what the patch has replaced. */
  | "stale-pointer"
  /** New code refers to what was freed after boot. */
  | "freed-memory"
  /** A target is loaded, and this update's code for it is not. */
  | "part-missing";

export interface Finding {
  /** Object path; the target's name where it concerns no single unit. */
  readonly unit: string;
  readonly symbol: string;
  readonly kind: FindingKind;
  /** A sentence without its period. */
  readonly message: string;
}

/** `UNIT: SYMBOL: MESSAGE [KIND]` */
export function renderFinding({ unit, symbol, message, kind }: Finding): string {
  return `${unit}: ${symbol}: ${message} [${kind}]`;
}
