import { SEARCH_PATH } from "../../src/kbuild/reach/include-graph.js";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path/posix";

/** Directories of which makefiles name none with `-I`: what lies there is found by the search path, or is no part of the kernel. */
const NOT_NAMED = new Set(["include", "Documentation", "tools", "scripts", "samples", "ksplice", ".git"]);

/** A file found by its name alone must lie in the same driver: `drivers/gpu/drm/amd`. */
const FEWEST_SHARED = 3;

/** What stands in the #include lines of a text. */
export function includedSpecs(text: string): string[] {
  return Array.from(text.matchAll(/^[ \t]*#[ \t]*include[ \t]*["<]([^">\n]+)[">]/gm), ([, spec = ""]) => spec);
}

/**
 * What files include, directly and through others, by text: conditions are not evaluated. What only a makefile's `-I` leads to is looked for by its name in the
 * file's own driver. The other way round, and for all files of a tree, `IncludeGraph` tells; for some hundred files that differ this takes seconds, and that minutes.
 */
export class IncludeClosure {
  readonly #there = new Map<string, boolean>();
  readonly #direct = new Map<string, readonly string[]>();
  #headers: ReadonlyMap<string, readonly string[]> | undefined;

  /**
   * @param trees tops of the trees in which an included file may lie; the first that has it counts
   * @param textsOf what to read instead of a file of the trees: both versions of one that differs
   */
  constructor(
    private readonly trees: readonly string[],
    private readonly textsOf: (path: string) => readonly string[] | undefined,
  ) {}

  /** All that a file includes. */
  of(file: string): ReadonlySet<string> {
    const found = new Set<string>();
    const queue = [file];
    for (let path = queue.pop(); path !== undefined; path = queue.pop())
      for (const included of this.#includedBy(path)) {
        if (found.has(included)) continue;
        found.add(included);
        queue.push(included);
      }
    return found;
  }

  /** The file that another means by what stands between quotes or brackets, from the top of the tree. */
  resolve(from: string, spec: string): string | undefined {
    const architecture = /^arch\/[^/]+\//.exec(from)?.[0];
    return (
      [
        normalize(join(dirname(from), spec)),
        ...(architecture === undefined ? [] : [`${architecture}include/${spec}`, `${architecture}include/uapi/${spec}`]),
        ...SEARCH_PATH.map((directory) => join(directory, spec)),
        // A generated <asm/x.h> includes <asm-generic/x.h> where the architecture has none of its own.
        ...(spec.startsWith("asm/") ? [`include/asm-generic/${spec.slice(4)}`] : []),
      ].find((path) => this.#isThere(path)) ?? this.#findNear(from, spec)
    );
  }

  /** The text of a file of the trees. */
  read(path: string): string {
    const tree = this.trees.find((top) => existsSync(join(top, path)));
    return tree === undefined ? "" : readFileSync(join(tree, path), "latin1");
  }

  #includedBy(path: string): readonly string[] {
    const known = this.#direct.get(path);
    if (known !== undefined) return known;
    const texts = this.textsOf(path) ?? [this.read(path)];
    const specs = new Set(texts.flatMap(includedSpecs));
    const included = [...specs].flatMap((spec) => this.resolve(path, spec) ?? []);
    this.#direct.set(path, included);
    return included;
  }

  #isThere(path: string): boolean {
    const known = this.#there.get(path) ?? this.trees.some((top) => existsSync(join(top, path)));
    this.#there.set(path, known);
    return known;
  }

  /** The one that shares most directories with the file, if it shares the driver's. */
  #findNear(from: string, spec: string): string | undefined {
    this.#headers ??= this.#listHeaders();
    const suffix = `/${normalize(spec).replace(/^(?:\.\.\/)+/, "")}`;
    const candidates = (this.#headers.get(basename(spec)) ?? []).filter((path) => path.endsWith(suffix));
    const [best] = candidates
      .map((path) => ({ path, shared: sharedDirectories(from, path) }))
      .filter(({ shared }) => shared >= FEWEST_SHARED)
      .sort((a, b) => b.shared - a.shared || (a.path < b.path ? -1 : 1));
    return best?.path;
  }

  /** Headers that no search path leads to, by their names. */
  #listHeaders(): ReadonlyMap<string, readonly string[]> {
    const headers = new Map<string, Set<string>>();
    for (const top of this.trees)
      for (const entry of readdirSync(top, { withFileTypes: true })) {
        if (!entry.isDirectory() || NOT_NAMED.has(entry.name)) continue;
        for (const path of readdirSync(join(top, entry.name), { recursive: true, encoding: "utf8" })) {
          if (!path.endsWith(".h")) continue;
          const name = basename(path);
          headers.set(name, (headers.get(name) ?? new Set()).add(join(entry.name, path)));
        }
      }
    return new Map([...headers].map(([name, paths]) => [name, [...paths]]));
  }
}

function sharedDirectories(a: string, b: string): number {
  const [one, other] = [dirname(a).split("/"), dirname(b).split("/")];
  const differing = one.findIndex((part, index) => part !== other[index]);
  return differing < 0 ? one.length : differing;
}
