import { readFile } from "node:fs/promises";
import { join } from "node:path";
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
   * Headers whose change brings, or takes away, what the compiler misses.
   * @param words the compiler's
   * @param read files that the unpatched unit is compiled from
   * @param taken files that are in the patch already
   */
  async headersFor(words: string, read: readonly string[], taken: ReadonlySet<string>): Promise<string[]> {
    const candidates = [...new Set([...read, ...this.#addedHeaders])].filter((path) => this.#headers.has(path) && !taken.has(path));
    const missing = parseMissingHeaders(words);
    const named = candidates.filter((path) => missing.some((name) => path.endsWith(`/${name}`) || path === name));
    if (named.length > 0) return named.slice(0, MOST_HEADERS);

    const identifiers = parseIdentifiers(words);
    for (const { side, names } of [
      { side: "added", names: identifiers },
      { side: "removed", names: identifiers },
      // Names that a macro of the header puts together: dev_ready_to_probe(), trace_mark().
      { side: "added", names: identifiers.flatMap(lastParts) },
    ] as const) {
      const scored: { path: string; score: number }[] = [];
      for (const path of candidates) {
        const text = (await this.#change(path))[side];
        const score =
          names.filter((name) => holdsDefinition(text, name)).length * 10 + names.filter((name) => holdsWord(text, name)).length;
        if (score > 0) scored.push({ path, score });
      }
      const best = Math.max(0, ...scored.map(({ score }) => score));
      const found = scored.filter(({ score }) => score === best || score >= 10).sort((a, b) => b.score - a.score);
      if (found.length > 0) return found.slice(0, MOST_HEADERS).map(({ path }) => path);
    }
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

/** What gcc quotes, and the ways in which it says that something is not there or is another than expected. */
export function parseIdentifiers(words: string): string[] {
  const found = new Set<string>();
  for (const line of words.split("\n")) {
    if (!/\b(error|warning|note):/.test(line)) continue;
    // What it suggests instead is known already.
    const text = line.replace(/; did you mean .*/, "");
    for (const [, quoted = ""] of text.matchAll(/['‘]([^'’]+)['’]/g))
      for (const [name] of quoted.matchAll(/[A-Za-z_]\w+/g)) if (!KEYWORDS.has(name)) found.add(name);
  }
  return [...found];
}

const KEYWORDS: ReadonlySet<string> = new Set([
  "struct",
  "union",
  "enum",
  "const",
  "unsigned",
  "int",
  "long",
  "char",
  "void",
  "static",
  "inline",
  "Werror",
]);

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
