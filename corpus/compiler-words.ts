/** Names in a compiler's words. */
export interface Identifiers {
  /** In its errors and warnings. */
  readonly errors: readonly string[];
  /** In the notes to them. */
  readonly notes: readonly string[];
  /** Those that are there twice. */
  readonly conflicts: readonly string[];
  /** In the lines of source that it shows, those long enough to mean something. */
  readonly source: readonly string[];
}

/** What gcc quotes, and the ways in which it says that something is not there or is another than expected. */
export function parseIdentifiers(words: string): Identifiers {
  const found = { errors: new Set<string>(), notes: new Set<string>(), conflicts: new Set<string>() };
  const source = new Set<string>();
  for (const line of words.split("\n")) {
    const shown = /^ *\d+ \|(.*)/.exec(line)?.[1] ?? "";
    for (const [name] of shown.matchAll(/\b[A-Za-z_]\w{5,}\b/g)) if (!COMMON.has(name)) source.add(name);
    const kind = /\b(error|warning|note):/.exec(line)?.[1];
    if (kind === undefined) continue;
    // What it suggests instead is known already.
    const text = line.replace(/; did you mean .*/, "");
    const quoted = Array.from(text.matchAll(/['‘]([^'’]+)['’]/g), ([, names = ""]) => names);
    const names = quoted
      .flatMap((part) => Array.from(part.matchAll(/[A-Za-z_]\w+/g), ([name]) => name))
      .filter((name) => !COMMON.has(name));
    for (const name of names) found[kind === "note" ? "notes" : "errors"].add(name);
    const [first = ""] = names;
    if (/\b(?:redefinition of|conflicting types for|redeclaration of)\b/.test(text) && first !== "") found.conflicts.add(first);
  }
  const { errors, notes, conflicts } = found;
  return { errors: [...errors], notes: [...notes].filter((name) => !errors.has(name)), conflicts: [...conflicts], source: [...source] };
}

/** Words that are in most messages and say nothing of what is missing. */
const COMMON: ReadonlySet<string> = new Set(
  (
    "struct union enum const volatile unsigned signed int long short char void static inline Werror bool _Bool size_t ssize_t loff_t dma_addr_t " +
    "gfp_t u8 u16 u32 u64 s8 s16 s32 s64 __u8 __u16 __u32 __u64 __static_assert static_assert __same_type offsetof container_of"
  ).split(" "),
);

/** Headers that the compiler did not find, as the source names them. */
export function parseMissingHeaders(words: string): string[] {
  return Array.from(words.matchAll(/fatal error: (\S+): No such file/g), ([, name = ""]) => name.replace(/^(\.\.?\/)+/, ""));
}

/** The ends of a name: `trace_ext4_mark` has `ext4_mark`, `class_ext4_lock_t` has `ext4_lock`. */
export function lastParts(name: string): string[] {
  const parts = name.replace(/^class_(\w+)_t$/, "class_$1").split("_");
  return parts.slice(1, -1).map((_, index) => parts.slice(index + 1).join("_"));
}

/** The functions in which the compiler found something wrong. */
export function parseFunctions(words: string): string[] {
  return Array.from(words.matchAll(/In function ['‘](\w+)['’]/g), ([, name = ""]) => name);
}
