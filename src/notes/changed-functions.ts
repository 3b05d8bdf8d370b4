import { withoutLineDirectives } from "../source/blank-text.js";
import { readFunctions, type SourceFunction, type SourceText } from "./read-functions.js";
import type { TouchedText } from "./types.js";

/** A touched file, taken apart on both sides. */
export interface FileChange {
  readonly path: string;
  readonly preText: string;
  readonly postText: string;
  readonly pre: SourceText;
  readonly post: SourceText;
  readonly functions: readonly FunctionChange[];
}

/** A function that is not the same before and after; one side is missing where it is new or removed. */
export interface FunctionChange {
  readonly file: string;
  readonly name: string;
  readonly pre: SourceFunction | undefined;
  readonly post: SourceFunction | undefined;
}

/** Reads both sides of a file and pairs its functions by name, or by what they were called before: the first of a name with the first, for branches of an #if have one each. */
export function readFileChange({ path, pre = "", post = "" }: TouchedText, renamed: ReadonlyMap<string, string> = new Map()): FileChange {
  const preText = withoutLineDirectives(pre);
  const postText = withoutLineDirectives(post);
  const before = readFunctions(preText);
  const after = readFunctions(postText);
  const rest = new Map<string, SourceFunction[]>();
  for (const entry of before.functions) rest.set(entry.name, [...(rest.get(entry.name) ?? []), entry]);
  const functions: FunctionChange[] = [];
  for (const entry of after.functions) {
    const twin = (rest.get(entry.name) ?? rest.get(renamed.get(entry.name) ?? ""))?.shift();
    if (twin === undefined || !isSame(twin, entry)) functions.push({ file: path, name: entry.name, pre: twin, post: entry });
  }
  for (const entries of rest.values())
    for (const entry of entries) functions.push({ file: path, name: entry.name, pre: entry, post: undefined });
  return { path, preText, postText, pre: before, post: after, functions };
}

/** Blanks, comments and the content of strings do not count. */
function isSame(a: SourceFunction, b: SourceFunction): boolean {
  return tokensOf(a.head) === tokensOf(b.head) && tokensOf(a.body) === tokensOf(b.body);
}

/** Words and punctuation, one blank between two. */
export function tokensOf(text: string): string {
  return (text.match(/\w+|->|[^\s\w]/g) ?? []).join(" ");
}
