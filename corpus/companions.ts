import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Refusal } from "../src/diagnostics.js";
import { findDefinition } from "../src/kbuild/find-definition.js";
import { readTopLevel } from "../src/kbuild/top-level-items.js";
import type { TreeDifference } from "./changed-files.js";
import type { CorpusSet } from "./types.js";

/** What a release does to a file, as text. */
interface FileChange {
  /** Lines that it adds. */
  readonly added: string;
  /** Lines that it takes away. */
  readonly removed: string;
  /** Declarations, functions and macros of which any word changes, as a whole and as they become. A name may stand in a line that stays. */
  readonly items: string;
}

/** Headers taken at once for one error. */
const MOST_HEADERS = 4;
/** What the definition of a name weighs among mentions. */
const DEFINITION = 10;

/** Finds what else of a release a file needs that does not compile or link by itself. */
export class CompanionFinder {
  readonly #changes = new Map<string, Promise<FileChange>>();
  readonly #headers: ReadonlySet<string>;
  readonly #sources: ReadonlySet<string>;
  readonly #addedHeaders: readonly string[];

  constructor(
    readonly set: CorpusSet,
    difference: TreeDifference,
  ) {
    this.#headers = new Set([...difference.changed, ...difference.added, ...difference.removed].filter((path) => path.endsWith(".h")));
    this.#sources = new Set([...difference.changed, ...difference.added].filter((path) => path.endsWith(".c")));
    this.#addedHeaders = difference.added.filter((path) => path.endsWith(".h"));
  }

  /**
   * What else of the release a patch needs that is not complete; empty if that cannot be told.
   * @param refusals of the patch: one, or one for each unit that does not compile
   * @param sourcesOf files that an unpatched unit (`a/b.o`) is compiled from
   * @param taken files that are in the patch already
   */
  async neededFor(
    refusals: readonly Refusal[],
    sourcesOf: (unit: string) => Promise<readonly string[]>,
    taken: ReadonlySet<string>,
  ): Promise<string[]> {
    const unresolved = refusals.find(({ code }) => code === "unresolved-symbol");
    if (unresolved !== undefined) return await this.definersOf(unresolved.items[0]?.symbol ?? "", taken);
    const broken = refusals.flatMap(({ code, location, message }) =>
      code === "does-not-compile" && location !== undefined ? [{ unit: location, message }] : [],
    );
    // Units that do not compile because of a header in the patch: their own changes come first, those of all.
    const sources = broken.map(({ unit }) => unit.replace(/\.o$/, ".c")).filter((source) => !taken.has(source) && this.changes(source));
    if (sources.length > 0) return sources;
    for (const { unit, message } of broken) {
      const headers = await this.headersFor(message, await sourcesOf(unit), taken);
      if (headers.length > 0) return headers;
    }
    return [];
  }

  /**
   * Headers whose change brings, or takes away, what the compiler misses.
   * @param words the compiler's
   * @param read files that the unpatched unit is compiled from
   * @param taken files that are in the patch already
   */
  async headersFor(words: string, read: readonly string[], taken: ReadonlySet<string>): Promise<string[]> {
    const isCandidate = (path: string): boolean => this.#headers.has(path) && !taken.has(path);
    const missing = parseMissingHeaders(words);
    // A header that the release adds is read only where an #include asks for it.
    const named = [...read, ...this.#addedHeaders].filter((path) => missing.some((name) => path.endsWith(`/${name}`) || path === name));
    if (named.some(isCandidate)) return [...new Set(named.filter(isCandidate))].slice(0, MOST_HEADERS);

    const candidates = read.filter(isCandidate);
    // A patched file may include what it did not: most often what lies beside it.
    const beside = [...this.#headers].filter((path) => isCandidate(path) && dirname(path) === dirname(read[0] ?? ""));
    const { errors, notes, conflicts, source } = parseIdentifiers(words);
    for (const { among = candidates, side, names } of [
      { side: "removed", names: conflicts },
      { side: "added", names: errors },
      { side: "added", names: notes },
      { side: "removed", names: errors },
      // Names that a macro of the header puts together: dev_ready_to_probe(), trace_mark().
      { side: "added", names: errors.flatMap(lastParts) },
      { side: "items", names: conflicts },
      { side: "items", names: [...errors, ...errors.flatMap(lastParts)] },
      { among: beside, side: "added", names: errors },
      // The compiler does not always say what it means: "void value not ignored".
      { side: "added", names: source },
      { side: "items", names: source },
    ] satisfies readonly { among?: readonly string[]; side: keyof FileChange; names: readonly string[] }[]) {
      const scored: { path: string; score: number }[] = [];
      for (const path of among) {
        const text = (await this.#change(path))[side];
        const score =
          names.filter((name) => holdsDefinition(text, name)).length * DEFINITION + names.filter((name) => holdsWord(text, name)).length;
        if (score > 0) scored.push({ path, score });
      }
      const [best, ...others] = scored.sort((a, b) => b.score - a.score || closeness(b.path, read[0]) - closeness(a.path, read[0]));
      if (best === undefined) continue;
      // A whole item holds more names than those that change, and a line of source more than those that are meant.
      const isVague = side === "items" || names === source;
      return [best, ...others.filter(({ score }) => !isVague && score >= DEFINITION).slice(0, MOST_HEADERS - 1)].map(({ path }) => path);
    }
    // What stands in a new header, which no file of before includes.
    for (const path of this.#addedHeaders.filter((header) => !taken.has(header))) {
      const { added } = await this.#change(path);
      if (errors.some((name) => holdsDefinition(added, name))) return [path];
    }
    // What moved into a header that is taken already is found by those who include that.
    for (const path of candidates) if (includesOneOf((await this.#change(path)).added, taken)) return [path];
    return [];
  }

  /** Source files of the release that define a function or object which they did not define before. */
  async definersOf(symbol: string, taken: ReadonlySet<string>): Promise<string[]> {
    const found: string[] = [];
    for (const path of this.#sources) {
      if (taken.has(path) || !holdsWord((await this.#change(path)).added, symbol)) continue;
      const post = await readText(join(this.set.toTree, path));
      const pre = await readText(join(this.set.fromTree, path));
      if (findDefinition(post, symbol) !== undefined && findDefinition(pre, symbol) === undefined) found.push(path);
    }
    return found.slice(0, MOST_HEADERS);
  }

  /** True for a source file that the release changes. */
  changes(source: string): boolean {
    return this.#sources.has(source) || this.#headers.has(source);
  }

  #change(path: string): Promise<FileChange> {
    const known = this.#changes.get(path);
    if (known !== undefined) return known;
    const change = this.#compare(path);
    this.#changes.set(path, change);
    return change;
  }

  async #compare(path: string): Promise<FileChange> {
    const pre = (await readText(join(this.set.fromTree, path))).split("\n");
    const post = (await readText(join(this.set.toTree, path))).split("\n");
    const [before, after] = [new Set(pre), new Set(post)];
    return {
      added: post.filter((line) => !before.has(line)).join("\n"),
      removed: pre.filter((line) => !after.has(line)).join("\n"),
      items: changedItems(pre.join("\n"), post.join("\n")),
    };
  }
}

/** Empty if either text cannot be taken apart. */
function changedItems(pre: string, post: string): string {
  const [before, after] = [pre, post].map((text) => readTopLevel(text)?.map(({ head, body }) => `${head} ${body}`));
  if (before === undefined || after === undefined) return "";
  const known = new Set(before);
  return after.filter((item) => !known.has(item)).join("\n");
}

async function readText(path: string): Promise<string> {
  return await readFile(path, "latin1").catch(() => "");
}

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

/** Whether a text has an #include that means one of the files. */
function includesOneOf(text: string, files: ReadonlySet<string>): boolean {
  const specs = Array.from(text.matchAll(/^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]/gm), ([, spec = ""]) =>
    spec.replace(/^(\.\.?\/)+/, ""),
  );
  return specs.some((spec) => [...files].some((file) => file.endsWith(`/${spec}`)));
}

/** How many directories two paths have in common. */
function closeness(path: string, other = ""): number {
  const [a, b] = [path, other].map((text) => text.split("/").slice(0, -1)) as [string[], string[]];
  const differs = a.findIndex((part, index) => part !== b[index]);
  return differs < 0 ? a.length : differs;
}

/** Headers that the compiler did not find, as the source names them. */
export function parseMissingHeaders(words: string): string[] {
  return Array.from(words.matchAll(/fatal error: (\S+): No such file/g), ([, name = ""]) => name.replace(/^(\.\.?\/)+/, ""));
}

/** The ends of a name: `trace_ext4_mark` has `ext4_mark`, `class_ext4_lock_t` has `ext4_lock`. */
function lastParts(name: string): string[] {
  const parts = name.replace(/^class_(\w+)_t$/, "class_$1").split("_");
  return parts.slice(1, -1).map((_, index) => parts.slice(index + 1).join("_"));
}

function holdsWord(text: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(text);
}

function holdsDefinition(text: string, name: string): boolean {
  return new RegExp(`#\\s*define\\s+${name}\\b|\\b(struct|union|enum)\\s+${name}\\s*\\{|\\b${name}\\s*(\\(|[;,=\\[:]|$)`, "m").test(text);
}
