import { access, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path/posix";
import { IncludeGraph } from "../../src/kbuild/include-graph.js";
import { codeWords } from "../../src/kbuild/top-level-items.js";
import type { FileFacts } from "./connect-pieces.js";
import { declaredBy, type DeclaredName } from "./item-names.js";
import type { PieceNames } from "./piece-names.js";
import { findItems } from "./source-items.js";
import type { SplitFile } from "./split-pieces.js";

/** Where the compiler looks for what stands in brackets (LINUXINCLUDE in Makefile, Linux 6.1), and what generated headers lead to. */
const SEARCH_PATH = ["arch/x86/include", "include", "arch/x86/include/uapi", "include/uapi"];

/** Reads of two trees what connecting pieces has to know. Takes as long as reading all #include lines: some seconds. */
export async function readFileFacts(
  files: ReadonlyMap<string, SplitFile>,
  pieces: readonly PieceNames[],
  trees: { readonly fromTree: string; readonly toTree: string },
): Promise<FileFacts> {
  const included = await readIncluded(pieces, trees);
  const includers = await readIncluders(files, included, trees.fromTree);
  const words = remember((key: string) => {
    const [version = "", path = ""] = key.split(":");
    const text = files.get(path)?.[version === "pre" ? "pre" : "post"];
    return new Set(codeWords(text ?? ""));
  });
  const own = remember((path: string) => {
    const file = files.get(path);
    const names = path.endsWith(".c") ? [...(file?.preItems ?? []), ...(file?.postItems ?? [])].flatMap(declaredBy) : [];
    return new Set(names.filter(isDefinition).map(({ name }) => name));
  });
  const assigned = remember((path: string) => {
    const found = new Map<string, string[]>();
    for (const [, member = "", name = ""] of (files.get(path)?.post ?? "").matchAll(/\.(\w+)\s*=\s*&?(\w+)\s*[,}]/g))
      found.set(member, [...(found.get(member) ?? []), name]);
    return found;
  });
  return {
    includersOf: (header) => includers.get(header),
    declaresItself: (path, name) => own(path).has(name),
    hasWord: (path, version, word) => words(`${version}:${path}`).has(word),
    declaredByInclude: (path, spec) => included.get(`${path} ${spec}`)?.names ?? new Set(),
    includedPath: (path, spec) => included.get(`${path} ${spec}`)?.path,
    assignedTo: (path, member) => assigned(path).get(member) ?? [],
  };
}

function isDefinition({ kind }: DeclaredName): boolean {
  return kind === "function" || kind === "object";
}

function remember<T>(make: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    const value = known.get(key) ?? make(key);
    known.set(key, value);
    return value;
  };
}

interface Included {
  readonly path: string;
  /** What it declares, in the new tree. */
  readonly names: ReadonlySet<string>;
}

/** What the #include lines that come or go mean, by `FILE SPEC`. */
async function readIncluded(pieces: readonly PieceNames[], trees: { fromTree: string; toTree: string }): Promise<Map<string, Included>> {
  const found = new Map<string, Included>();
  for (const { piece, includes } of pieces)
    for (const spec of includes) {
      const candidates = [normalize(join(dirname(piece.path), spec)), ...SEARCH_PATH.map((directory) => join(directory, spec))];
      if (spec.startsWith("asm/")) candidates.push(`include/asm-generic/${spec.slice(4)}`);
      for (const tree of [trees.toTree, trees.fromTree]) {
        const path = await firstThere(tree, candidates);
        if (path === undefined) continue;
        const text = await readFile(join(tree, path), "latin1");
        found.set(`${piece.path} ${spec}`, { path, names: new Set(findItems(text).flatMap(declaredBy).map(({ name }) => name)) });
        break;
      }
    }
  return found;
}

async function firstThere(tree: string, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const isThere = await access(join(tree, path)).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

/** By header that differs: all that include it in the old tree, and those that do so newly. Other architectures' headers: what lies in their directory. */
async function readIncluders(
  files: ReadonlyMap<string, SplitFile>,
  included: ReadonlyMap<string, Included>,
  fromTree: string,
): Promise<Map<string, ReadonlySet<string>>> {
  const graph = await IncludeGraph.ofTree(fromTree);
  const includers = new Map<string, ReadonlySet<string>>();
  for (const [path, file] of files) {
    if (!path.endsWith(".h") || file.pre === undefined || file.post === undefined) continue;
    const architecture = /^arch\/(?!x86\/)[^/]+\//.exec(path)?.[0];
    const old = architecture === undefined ? await graph.includersOf([path]) : [...files.keys()].filter((other) => other.startsWith(architecture));
    const newly = [...included].filter(([, to]) => to.path === path).map(([key]) => key.split(" ")[0] ?? "");
    includers.set(path, new Set([...old, ...newly]));
  }
  return includers;
}
