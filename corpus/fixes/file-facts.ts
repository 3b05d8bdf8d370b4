import { codeWords } from "../../src/source/top-level-items.js";
import type { FileFacts } from "./connect-pieces.js";
import { IncludeClosure } from "./include-closure.js";
import { declaredBy, type DeclaredName } from "./item-names.js";
import { findItems } from "./source-items.js";
import type { SplitFile } from "./split-pieces.js";

/** Finds out what connecting pieces has to know of the files that differ, and of what they include. */
export function readFileFacts(
  files: ReadonlyMap<string, SplitFile>,
  { fromTree, toTree }: { readonly fromTree: string; readonly toTree: string },
): FileFacts {
  const closure = new IncludeClosure([toTree, fromTree], (path) => {
    const file = files.get(path);
    return file === undefined ? undefined : [file.pre ?? "", file.post ?? ""];
  });
  const includers = findIncluders(files, closure);
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
  const declared = remember(
    (header: string) =>
      new Set(
        findItems(closure.read(header))
          .flatMap(declaredBy)
          .map(({ name }) => name),
      ),
  );
  return {
    includersOf: (header) => includers.get(header) ?? new Set(),
    declaresItself: (path, name) => own(path).has(name),
    hasWord: (path, version, word) => words(`${version}:${path}`).has(word),
    declaredByInclude: (path, spec) => {
      const header = closure.resolve(path, spec);
      return header === undefined ? new Set() : declared(header);
    },
    includedPath: (path, spec) => closure.resolve(path, spec),
    isNew: (path) => files.get(path)?.pre === undefined || files.get(path)?.post === undefined,
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

/** By file that differs: those of them that include it. */
function findIncluders(files: ReadonlyMap<string, SplitFile>, closure: IncludeClosure): Map<string, Set<string>> {
  const includers = new Map<string, Set<string>>();
  for (const path of files.keys()) {
    if (!/\.[ch]$/.test(path)) continue;
    for (const included of closure.of(path)) {
      if (!files.has(included)) continue;
      const known = includers.get(included);
      if (known === undefined) includers.set(included, new Set([path]));
      else known.add(path);
    }
  }
  return includers;
}
