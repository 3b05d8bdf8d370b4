import { tokensOf, type FileChange } from "./changed-functions.js";
import type { SemanticNote } from "./types.js";

/** Names of functions that tell where an object is filed. */
const HASH = /(?:^|_)(?:hash|hashfn|hashkey)(?:_?\d+|_(?:key|fn|func|code|bucket|idx|index|val|value|obj))?$/;
/** By what they give: a number, or the bucket. */
const GIVES = /\b(?:u8|u16|u32|u64|unsigned|size_t)\b|\bstruct (?:hlist_\w*head|list_head|\w*bucket) ?\*/;
/** `.hashfn = f` of a table's parameters. */
const GIVEN = /\.\s*(?:obj_)?hashfn\s*=\s*&?(\w+)/g;

/** Notes functions that compute by which number an object is filed: those that are filed already lie where the old code has put them. */
export function noteChangedHashes(files: readonly FileChange[]): SemanticNote[] {
  return files.flatMap(({ path, functions, post: source }) => {
    const given = new Set(Array.from(source.fileLevel.matchAll(GIVEN), ([, name = ""]) => name));
    return functions.flatMap(({ name, pre, post }): SemanticNote[] => {
      if (pre === undefined || post === undefined || tokensOf(pre.body) === tokensOf(post.body)) return [];
      const before = post.head.slice(0, Math.max(0, post.head.lastIndexOf(name)));
      if (!given.has(name) && !(HASH.test(name) && GIVES.test(before.replaceAll(/\s+/g, " ")))) return [];
      const message = `${name} may give another number: objects that are filed by it already lie where the old one has put them, and new code looks for them elsewhere`;
      return [{ kind: "changed-hash", function: name, file: path, line: post.line, message }];
    });
  });
}
