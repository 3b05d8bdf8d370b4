/** What completes a value, in any shell. */
export type Kind = "file" | "directory" | "update-in-kernel" | "update-in-store";

/** What completes a value, by the word in its place: `--patch <file>`, `<update>`. Others are not completed. */
const KINDS: Readonly<Record<string, Kind>> = {
  file: "file",
  update: "file",
  pre: "file",
  post: "file",
  dir: "directory",
  "kernel-source": "directory",
};

/** Of commands that choose a new id, so that those that are taken are no help. */
const NEW_IDS: ReadonlySet<string> = new Set(["create"]);

/** Of commands that look for an id in the store. */
const STORE_IDS: ReadonlySet<string> = new Set(["remove"]);

/**
 * @param place the word in the place of the value: `file`, `id`
 * @param command that takes it
 */
export function kindOf(place: string, word: string): Kind | undefined {
  if (place !== "id") return KINDS[place];
  return NEW_IDS.has(word) ? undefined : STORE_IDS.has(word) ? "update-in-store" : "update-in-kernel";
}
