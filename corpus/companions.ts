import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Refusal } from "../src/diagnostics.js";
import { findDefinition } from "../src/kbuild/find-definition.js";
import type { TreeDifference } from "./changed-files.js";
import type { CorpusSet } from "./types.js";

/** Words of the lines that a release adds to a file, and of those that it takes away. */
interface LineChange {
  readonly added: string;
  readonly removed: string;
}

/** Headers taken at once for one error. */
const MOST_HEADERS = 4;
/** What the definition of a name weighs among mentions. */
const DEFINITION = 10;

/** Finds what else of a release a file needs that does not compile or link by itself. */
export class CompanionFinder {
  readonly #changes = new Map<string, Promise<LineChange>>();
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
    const { errors, notes, conflicts } = parseIdentifiers(words);
    for (const { side, names } of [
      { side: "removed", names: conflicts },
      { side: "added", names: errors },
      { side: "added", names: notes },
      { side: "removed", names: errors },
      // Names that a macro of the header puts together: dev_ready_to_probe(), trace_mark().
      { side: "added", names: errors.flatMap(lastParts) },
    ] as const) {
      const scored: { path: string; score: number }[] = [];
      for (const path of candidates) {
        const text = (await this.#change(path))[side];
        const score =
          names.filter((name) => holdsDefinition(text, name)).length * DEFINITION + names.filter((name) => holdsWord(text, name)).length;
        if (score > 0) scored.push({ path, score });
      }
      const [best, ...others] = scored.sort((a, b) => b.score - a.score || closeness(b.path, read[0]) - closeness(a.path, read[0]));
      if (best === undefined) continue;
      return [best, ...others.filter(({ score }) => score >= DEFINITION).slice(0, MOST_HEADERS - 1)].map(({ path }) => path);
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

  #change(path: string): Promise<LineChange> {
    const known = this.#changes.get(path);
    if (known !== undefined) return known;
    const change = this.#compare(path);
    this.#changes.set(path, change);
    return change;
  }

  async #compare(path: string): Promise<LineChange> {
    const pre = (await readText(join(this.set.fromTree, path))).split("\n");
    const post = (await readText(join(this.set.toTree, path))).split("\n");
    const [before, after] = [new Set(pre), new Set(post)];
    return { added: post.filter((line) => !before.has(line)).join("\n"), removed: pre.filter((line) => !after.has(line)).join("\n") };
  }
}

async function readText(path: string): Promise<string> {
  return await readFile(path, "latin1").catch(() => "");
}

/** Names in a compiler's words: in its errors and warnings, in the notes to them, and those that are there twice. */
export interface Identifiers {
  readonly errors: readonly string[];
  readonly notes: readonly string[];
  readonly conflicts: readonly string[];
}

/** What gcc quotes, and the ways in which it says that something is not there or is another than expected. */
export function parseIdentifiers(words: string): Identifiers {
  const found = { errors: new Set<string>(), notes: new Set<string>(), conflicts: new Set<string>() };
  for (const line of words.split("\n")) {
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
  return { errors: [...errors], notes: [...notes].filter((name) => !errors.has(name)), conflicts: [...conflicts] };
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

/** The ends of a name: `trace_ext4_mark` has `ext4_mark`. */
function lastParts(name: string): string[] {
  const parts = name.split("_");
  return parts.slice(1, -1).map((_, index) => parts.slice(index + 1).join("_"));
}

function holdsWord(text: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(text);
}

function holdsDefinition(text: string, name: string): boolean {
  return new RegExp(`#\\s*define\\s+${name}\\b|\\b(struct|union|enum)\\s+${name}\\s*\\{|\\b${name}\\s*(\\(|[;,=\\[:]|$)`, "m").test(text);
}
