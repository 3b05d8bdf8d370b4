import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";

/** Where the compiler looks for what stands in brackets (LINUXINCLUDE in Makefile, Linux 6.1). */
const SEARCH_PATH = ["arch/x86/include", "include", "arch/x86/include/uapi", "include/uapi"];

/** What stands in the #include lines of a text. */
export function includedSpecs(text: string): string[] {
  return Array.from(text.matchAll(/^[ \t]*#[ \t]*include[ \t]*["<]([^">\n]+)[">]/gm), ([, spec = ""]) => spec);
}

/**
 * What files include, directly and through others, by text: conditions are not evaluated, and flags of makefiles not known. The other way round,
 * and for all files of a tree, `IncludeGraph` tells; for some hundred files that differ this takes seconds, and that minutes.
 */
export class IncludeClosure {
  readonly #there = new Map<string, boolean>();
  readonly #direct = new Map<string, readonly string[]>();

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
    return [
      normalize(join(dirname(from), spec)),
      ...(architecture === undefined ? [] : [`${architecture}include/${spec}`, `${architecture}include/uapi/${spec}`]),
      ...SEARCH_PATH.map((directory) => join(directory, spec)),
      // A generated <asm/x.h> includes <asm-generic/x.h> where the architecture has none of its own.
      ...(spec.startsWith("asm/") ? [`include/asm-generic/${spec.slice(4)}`] : []),
    ].find((path) => this.#isThere(path));
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
}
