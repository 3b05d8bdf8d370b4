import { namesIn } from "../../host/files.js";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { runTool } from "../../host/run-tool.js";
import { judgeTouchedFile } from "../change/touched-files.js";

/** One `#include` in a source file. */
export interface Include {
  /** File that holds it, from the top of the tree. */
  readonly from: string;
  /** What stands between the quotes or brackets. */
  readonly spec: string;
  readonly quoted: boolean;
}

/** What grep and the scanner of one directory look for. */
const INCLUDE = /^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)/;

/**
 * A macro that names a file is defined for an `#include` of it somewhere (`GENL_MAGIC_INCLUDE_FILE`); those of include/trace/define_trace.h
 * (Linux 6.1) hold the name only. So the definition counts as the include.
 */
const NAMED = /^[ \t]*#[ \t]*define[ \t]+\w+[ \t]+(?:"([^"]+\.[ch])"|<([^>]+)>)/;
const TRACE_NAMED = /^[ \t]*#[ \t]*define[ \t]+(?:TRACE_INCLUDE_FILE|TRACE_SYSTEM)[ \t]+(\w+)/;

/** The same for grep. */
const PATTERN =
  '^[[:space:]]*#[[:space:]]*(include[[:space:]]*["<]|define[[:space:]]+(TRACE_INCLUDE_FILE|TRACE_SYSTEM)[[:space:]]|' +
  'define[[:space:]]+[A-Za-z_0-9]+[[:space:]]+("[^"]+[.][ch]"|<[^>]+>))';

/** Headers that kbuild's command line includes into every C file (LINUXINCLUDE in Makefile, c_flags in scripts/Makefile.lib, Linux 6.1). */
const FORCED: ReadonlySet<string> = new Set([
  "include/linux/compiler-version.h",
  "include/linux/kconfig.h",
  "include/linux/compiler_types.h",
]);

/** Directories that kbuild's -I options name for every object, in their order (LINUXINCLUDE in Makefile, Linux 6.1). */
const SEARCH_PATH = ["arch/x86/include", "include", "arch/x86/include/uapi", "include/uapi"];

/**
 * Who includes whom in a source tree, by text: conditions are not evaluated, and an include that no known directory resolves stands for
 * every file that it may mean; assembly is read too. So it errs by naming too many files, never too few.
 */
export class IncludeGraph {
  readonly #bySpecName = new Map<string, Include[]>();
  /** Those that include anything. */
  readonly #files = new Set<string>();
  readonly #exists = new Map<string, boolean>();

  private constructor(
    private readonly source: string,
    /** Those that were read, from the top of the tree. */
    readonly directories: readonly string[],
  ) {}

  /** Reads the whole tree: 2 s, or as long as the disk takes. */
  static async ofTree(source: string): Promise<IncludeGraph> {
    const top = await readdir(source, { withFileTypes: true });
    const directories = top.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map((entry) => entry.name);
    const searched = directories.filter((name) => name !== "arch" && judgeTouchedFile(`${name}/x.c`).kind === "compile");
    const graph = new IncludeGraph(source, [...searched, "arch/x86"]);
    const result = await runTool("grep", ["-rE", "--include=*.[chS]", PATTERN, ...graph.directories], { cwd: source });
    for (const line of result.stdout.split("\n")) {
      const at = line.indexOf(":");
      if (at > 0) graph.#add(line.slice(0, at), line.slice(at + 1));
    }
    return graph;
  }

  /** Reads the C files of one directory only. */
  static async ofDirectory(source: string, directory: string): Promise<IncludeGraph> {
    const graph = new IncludeGraph(source, [directory]);
    const names = (await namesIn(join(source, directory))).filter((name) => name.endsWith(".c"));
    for (const name of names)
      for (const line of (await readFile(join(source, directory, name), "latin1")).split("\n")) graph.#add(join(directory, name), line);
    return graph;
  }

  #add(from: string, line: string): void {
    this.#files.add(from);
    const [, quoted, bracketed] = INCLUDE.exec(line) ?? NAMED.exec(line) ?? [];
    const [, named] = TRACE_NAMED.exec(line) ?? [];
    const spec = quoted ?? bracketed ?? (named === undefined ? undefined : `${named}.h`);
    if (spec === undefined) return;
    const name = spec.slice(spec.lastIndexOf("/") + 1);
    const list = this.#bySpecName.get(name) ?? [];
    list.push({ from, spec, quoted: quoted !== undefined });
    this.#bySpecName.set(name, list);
  }

  /** All files that include one of the given files, directly or through others; paths from the top of the tree. */
  includersOf(files: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    const queue = [...files];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (FORCED.has(file)) return Promise.resolve(new Set([...found, ...[...this.#files].filter((path) => /\.[cS]$/.test(path))]));
      for (const include of this.#bySpecName.get(file.slice(file.lastIndexOf("/") + 1)) ?? []) {
        if (found.has(include.from) || !this.mayMean(include, file)) continue;
        found.add(include.from);
        queue.push(include.from);
      }
    }
    return Promise.resolve(found);
  }

  /** Every file that includes another. */
  includingFiles(): Set<string> {
    return new Set(Array.from(this.includes(), ({ from }) => from));
  }

  /** Every #include that was read. */
  *includes(): Generator<Include> {
    for (const list of this.#bySpecName.values()) yield* list;
  }

  /** False where an #include is known to find another file. */
  mayMean(include: Include, file: string): boolean {
    const beside = normalize(join(dirname(include.from), include.spec));
    if (include.quoted && (beside === file || this.#has(beside))) return beside === file;
    for (const directory of SEARCH_PATH) {
      const path = join(directory, include.spec);
      if (path === file || this.#has(path)) return path === file;
    }
    // A generated <asm/x.h> includes <asm-generic/x.h> where the architecture has none of its own, and the same of the user's headers.
    const [, name] = /^(?:uapi\/)?asm\/(.*)$/.exec(include.spec) ?? [];
    if (name !== undefined && (file === `include/asm-generic/${name}` || file === `include/uapi/asm-generic/${name}`)) return true;
    return `/${file}`.endsWith(`/${include.spec.replace(/^(\.\.?\/)+/, "")}`);
  }

  #has(path: string): boolean {
    const known = this.#exists.get(path);
    if (known !== undefined) return known;
    const answer = existsSync(join(this.source, path));
    this.#exists.set(path, answer);
    return answer;
  }
}
