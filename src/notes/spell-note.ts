import type { SemanticNote } from "./types.js";

/** A note as one line for people: where, what. */
export function spellNote({ file, line, message, kind }: Omit<SemanticNote, "kind"> & { readonly kind: string }): string {
  return `${file}:${line}: ${message} [${kind}]`;
}
