/** What a note can be about; `docs/notes.md` has a section for each. */
export const NOTE_KINDS = [
  "unbalanced-pair",
  "moved-half",
  "new-initialisation",
  "allocation-size",
  "changed-constant",
  "changed-meaning",
  "changed-result",
  "changed-hash",
  "setup-only",
] as const;

export type NoteKind = (typeof NOTE_KINDS)[number];

/** What no comparison of objects can judge, and whoever applies the update should know. */
export interface SemanticNote {
  readonly kind: NoteKind;
  /** The function that it is about; the macro or enumerator of a `changed-constant`. */
  readonly function: string;
  /** From the top of the tree. */
  readonly file: string;
  /** In the patched file, from 1; in the unpatched one for what the patch removes. */
  readonly line: number;
  readonly message: string;
}

/** A touched file, before and after; undefined where there is no such file. */
export interface TouchedText {
  readonly path: string;
  readonly pre: string | undefined;
  readonly post: string | undefined;
}
