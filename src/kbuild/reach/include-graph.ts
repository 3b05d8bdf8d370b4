import { KERNEL_ARCHITECTURE } from "../../arch/architectures.js";
import { directoriesIn, namesIn } from "../../host/files.js";
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { runTool } from "../../host/run-tool.js";
import { judgeTouchedFile } from "../change/touched-files.js";
import { deadLines, SettledOptions } from "./settled-conditions.js";

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
const TRACE_NAMED = /^[ \t]*#[ \t]*define[ \t]+(TRACE_INCLUDE_FILE|TRACE_SYSTEM)[ \t]+(\w+)/;

/** An option of the configuration that a file sets for itself. */
const REDEFINED = /^[ \t]*#[ \t]*(?:define|undef)[ \t]+(CONFIG_\w+)/;

/** The same for grep. */
const PATTERN =
  '^[[:space:]]*#[[:space:]]*(include[[:space:]]*["<]|define[[:space:]]+(TRACE_INCLUDE_FILE|TRACE_SYSTEM)[[:space:]]|(define|undef)[[:space:]]+CONFIG_|' +
  'define[[:space:]]+[A-Za-z_0-9]+[[:space:]]+("[^"]+[.][ch]"|<[^>]+>))';

/** Headers that kbuild's command line includes into every C file (LINUXINCLUDE in Makefile, c_flags in scripts/Makefile.lib, Linux 6.1). */
const FORCED: ReadonlySet<string> = new Set([
  "include/linux/compiler-version.h",
  "include/linux/kconfig.h",
  "include/linux/compiler_types.h",
]);

const { directory: ARCH_DIRECTORY } = KERNEL_ARCHITECTURE.source;
/** Directories that kbuild's -I options name for every object, in their order (LINUXINCLUDE in Makefile, Linux 6.1). */
export const SEARCH_PATH = [`${ARCH_DIRECTORY}/include`, "include", `${ARCH_DIRECTORY}/include/uapi`, "include/uapi"];

/** What the text of a tree tells. */
interface GraphText {
  /** Every #include, by the last part of what it names. */
  readonly bySpecName: Map<string, Include[]>;
  /** Those that include anything. */
  readonly files: Set<string>;
  /** Whether a file is there. */
  readonly exists: Map<string, boolean>;
  /** Options of the configuration that some file sets for itself. */
  readonly redefined: Set<string>;
  /** What each header of trace events names for being read again. */
  readonly traceNames: Map<string, { file: string[]; system: string[] }>;
}

/**
 * Who includes whom in a source tree, by text: conditions are not evaluated (`asBuilt` leaves out what the configuration does), and an include that no known directory resolves stands for
 * every file that it may mean; assembly is read too. So it errs by naming too many files, never too few.
 */
export class IncludeGraph {
  /** What the configuration leaves out of each file. */
  readonly #dead = new Map<string, ReadonlySet<string>>();
  #built: { readonly configText: string; readonly graph: IncludeGraph } | undefined;

  private constructor(
    private readonly source: string,
    /** Those that were read, from the top of the tree. */
    readonly directories: readonly string[],
    private readonly text: GraphText = {
      bySpecName: new Map(),
      files: new Set(),
      exists: new Map(),
      redefined: new Set(),
      traceNames: new Map(),
    },
    private readonly options?: SettledOptions,
  ) {}

  /** Reads the whole tree: 2 s, or as long as the disk takes. */
  static async ofTree(source: string): Promise<IncludeGraph> {
    const directories = (await directoriesIn(source)).filter((name) => !name.startsWith("."));
    const searched = directories.filter((name) => name !== "arch" && judgeTouchedFile(`${name}/x.c`).kind === "compile");
    const graph = new IncludeGraph(source, [...searched, ARCH_DIRECTORY]);
    const result = await runTool("grep", ["-RE", "--include=*.[chS]", PATTERN, ...graph.directories], { cwd: source });
    for (const line of result.stdout.split("\n")) {
      const at = line.indexOf(":");
      if (at > 0) graph.#add(line.slice(0, at), line.slice(at + 1));
    }
    graph.#addTraceHeaders();
    return graph;
  }

  /** Reads the C files of one directory only. */
  static async ofDirectory(source: string, directory: string): Promise<IncludeGraph> {
    const graph = new IncludeGraph(source, [directory]);
    const names = (await namesIn(join(source, directory))).filter((name) => name.endsWith(".c"));
    for (const name of names)
      for (const line of (await readFile(join(source, directory, name), "latin1")).split("\n")) graph.#add(join(directory, name), line);
    graph.#addTraceHeaders();
    return graph;
  }

  #add(from: string, line: string): void {
    const [, redefined] = REDEFINED.exec(line) ?? [];
    if (redefined !== undefined) this.text.redefined.add(redefined);
    const [, kind, named] = TRACE_NAMED.exec(line) ?? [];
    if (named !== undefined) {
      const names = this.text.traceNames.get(from) ?? { file: [], system: [] };
      this.text.traceNames.set(from, names);
      (kind === "TRACE_SYSTEM" ? names.system : names.file).push(named);
    }
    const [, quoted, bracketed] = INCLUDE.exec(line) ?? NAMED.exec(line) ?? [];
    const spec = quoted ?? bracketed;
    if (spec !== undefined) this.#push({ from, spec, quoted: quoted !== undefined });
  }

  #push(include: Include): void {
    this.text.files.add(include.from);
    const name = include.spec.slice(include.spec.lastIndexOf("/") + 1);
    const list = this.text.bySpecName.get(name) ?? [];
    list.push(include);
    this.text.bySpecName.set(name, list);
  }

  /**
   * include/trace/define_trace.h (Linux 6.1) includes the header that a header of trace events names, by TRACE_INCLUDE_FILE, or by TRACE_SYSTEM where
   * it has none. Most name themselves, to be read once more.
   */
  #addTraceHeaders(): void {
    for (const [from, { file, system }] of this.text.traceNames) {
      for (const name of file.length > 0 ? file : system) {
        const known = `include/trace/events/${name}.h`;
        if (`/${from}`.endsWith(`/${name}.h`) && (from === known || !this.#has(known))) continue;
        this.#push({ from, spec: `${name}.h`, quoted: false });
      }
    }
    this.text.traceNames.clear();
  }

  /**
   * The same without what the configuration leaves out: `# include <linux/spinlock_up.h>` of a kernel for several processors. It is true of
   * what kbuild compiles for the kernel and its modules, not of the programs that run while it builds: these do without the configuration's macros.
   * @param configText the kernel's `.config`
   */
  asBuilt(configText: string): IncludeGraph {
    if (this.#built?.configText !== configText) {
      const graph = new IncludeGraph(this.source, this.directories, this.text, new SettledOptions(configText, this.text.redefined));
      this.#built = { configText, graph };
    }
    return this.#built.graph;
  }

  /** True where the configuration is known to leave out an #include. */
  isDead({ from, spec }: Include): boolean {
    if (this.options === undefined) return false;
    let specs = this.#dead.get(from);
    if (specs === undefined) this.#dead.set(from, (specs = deadIncludes(join(this.source, from), this.options)));
    return specs.has(spec);
  }

  /** All files that include one of the given files, directly or through others; paths from the top of the tree. */
  includersOf(files: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    const queue = [...files];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (FORCED.has(file)) return Promise.resolve(new Set([...found, ...[...this.text.files].filter((path) => /\.[cS]$/.test(path))]));
      for (const include of this.text.bySpecName.get(file.slice(file.lastIndexOf("/") + 1)) ?? []) {
        if (found.has(include.from) || !this.mayMean(include, file) || this.isDead(include)) continue;
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
    for (const list of this.text.bySpecName.values()) yield* list;
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
    const known = this.text.exists.get(path);
    if (known !== undefined) return known;
    const answer = existsSync(join(this.source, path));
    this.text.exists.set(path, answer);
    return answer;
  }
}

/** What the lines of a file include that the configuration leaves out, and no other line of it names. */
function deadIncludes(path: string, options: SettledOptions): ReadonlySet<string> {
  const text = readFileSync(path, "latin1");
  if (!text.includes("CONFIG_")) return new Set();
  const lines = deadLines(text, options);
  const [dead, alive] = [new Set<string>(), new Set<string>()];
  for (const [at, line] of text.split("\n").entries()) {
    const [, quoted, bracketed] = INCLUDE.exec(line) ?? [];
    const spec = quoted ?? bracketed;
    if (spec !== undefined) (lines.has(at) ? dead : alive).add(spec);
    const [, named, other] = NAMED.exec(line) ?? [];
    if (named ?? other) alive.add(named ?? other ?? "");
  }
  for (const spec of alive) dead.delete(spec);
  return dead;
}
