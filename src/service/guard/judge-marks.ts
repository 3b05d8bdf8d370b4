import type { StoredUpdate } from "../store/store-index.js";
import type { Mark } from "./marks.js";

export interface Suspect {
  readonly id: string;
  /** What happened, in words. */
  readonly detail: string;
}

/**
 * Which updates to leave out, by the marks that an earlier boot left behind. It is never none of them, so that a machine that crashes at each boot comes up in the end:
 * the one that was being applied; else those that no machine has been well with so far; else all.
 */
export function judgeMarks(marks: readonly Mark[], bootId: string, entries: readonly Pick<StoredUpdate, "id" | "proven">[]): Suspect[] {
  const left = marks.filter((mark) => mark.bootId !== bootId && entries.some(({ id }) => id === mark.id));
  const applying = left.filter(({ phase }) => phase === "applying");
  const unproven = left.filter(({ id }) => entries.some((entry) => entry.id === id && !entry.proven));
  const suspects = applying.length > 0 ? applying : unproven.length > 0 ? unproven : left;
  return suspects.map((mark) => ({ id: mark.id, detail: inWords(mark) }));
}

function inWords({ phase, bootId, time }: Mark): string {
  if (bootId === "") return "its mark cannot be read";
  const when = `${time.slice(0, 16).replace("T", " ")} UTC`;
  return phase === "applying"
    ? `the machine went down while it was being applied, at ${when}`
    : `the machine went down soon after it was applied, at ${when}`;
}
