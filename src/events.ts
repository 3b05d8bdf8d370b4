/** What a function says while it works. Whoever calls it decides what of that is shown, and how. */

export type EventKind =
  /** What it does now, until it says the next. */
  | "stage"
  /** Something that the user should know of the result: what is left out, and why. */
  | "note"
  /** Something that may be other than the user wants, and stops nothing. */
  | "warning"
  /** For one who looks for the reason of something. */
  | "detail";

/** Takes what is said, in the order in which it happens. The message is one line, or several where it quotes a tool's own words. */
export type Tell = (kind: EventKind, message: string) => void;

/** For those who want to hear nothing. */
export const tellNobody: Tell = () => undefined;
