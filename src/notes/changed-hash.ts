import { tokensOf, type FileChange } from "./changed-functions.js";
import type { SourceText } from "./read-functions.js";
import type { SemanticNote } from "./types.js";

/** Names of functions that tell where an object is filed. */
const HASH = /(?:^|_)(?:hash|hashfn|hashkey)(?:_?\d+|_(?:key|fn|func|code|bucket|idx|index|val|value|obj))?$/;
/** By what they give: a number, or the bucket. */
const GIVES = /\b(?:u8|u16|u32|u64|unsigned|size_t)\b|\bstruct (?:hlist_\w*head|list_head|\w*bucket) ?\*/;
/** `.hashfn = f` of a table's parameters. */
const GIVEN = /\.\s*(?:obj_)?hashfn\s*=\s*&?(\w+)/g;

/** What keeps an order: trees, sorted arrays and heaps. */
const ORDERED = /\b(?:rb_\w+|latch_tree_\w+|bsearch|sort|sort_r|list_sort|llist_sort|min_heap_\w+|min_heapify\w*)\s*\(([^;{}]{0,300})\)/g;
const LESS = /\.\s*(?:less|comp)\s*=\s*&?(\w+)/g;

/** Functions of a file by which something is kept in order. */
function orders({ functions, fileLevel }: SourceText): ReadonlySet<string> {
  const names = new Set(functions.map(({ name }) => name));
  const given = functions.flatMap(({ body }) => Array.from(body.matchAll(ORDERED), ([, args = ""]) => args.match(/\w+/g) ?? []).flat());
  const inTables = Array.from(`${fileLevel}${functions.map(({ body }) => body).join("")}`.matchAll(LESS), ([, name = ""]) => name);
  return new Set([...given, ...inTables].filter((name) => names.has(name)));
}

/** Notes functions that compute by which number an object is filed, or in which order: those that are filed already lie where the old code has put them. */
export function noteChangedHashes(files: readonly FileChange[]): SemanticNote[] {
  return files.flatMap(({ path, functions, post: source }) => {
    const given = new Set(Array.from(source.fileLevel.matchAll(GIVEN), ([, name = ""]) => name));
    const ordered = orders(source);
    return functions.flatMap(({ name, pre, post }): SemanticNote[] => {
      if (pre === undefined || post === undefined || tokensOf(pre.body) === tokensOf(post.body)) return [];
      if (ordered.has(name)) {
        const message = `${name} may say another order: what is sorted by it already lies where the old one has put it, and new code looks for it elsewhere`;
        return [{ kind: "changed-hash", function: name, file: path, line: post.line, message }];
      }
      const before = post.head.slice(0, Math.max(0, post.head.lastIndexOf(name)));
      if (!given.has(name) && !(HASH.test(name) && GIVES.test(before.replaceAll(/\s+/g, " ")))) return [];
      const message = `${name} may give another number: objects that are filed by it already lie where the old one has put them, and new code looks for them elsewhere`;
      return [{ kind: "changed-hash", function: name, file: path, line: post.line, message }];
    });
  });
}
