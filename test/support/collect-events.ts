import type { EventKind, Tell } from "../../src/events.js";

/** Puts what is said of one kind into a list, and forgets the rest. */
export function collect(into: string[], kind: EventKind = "note"): Tell {
  return (said, message) => {
    if (said === kind) into.push(message);
  };
}
