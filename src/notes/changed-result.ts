import { tokensOf, type FileChange } from "./changed-functions.js";
import { withoutCalls } from "./usages.js";
import type { SemanticNote } from "./types.js";

/** How a function says that it failed, or what it found. */
type Form = "an error pointer" | "NULL" | "an error number" | "yes or no";

/**
 * Notes functions that others know which tell by another kind of value that they failed: NULL where it was an error pointer, an error number where it was
 * yes or no. Callers that the update does not replace test for the former: `IS_ERR(NULL)` is false, and so is `!ERR_PTR(-ENOMEM)`.
 */
export function noteChangedResults(files: readonly FileChange[]): SemanticNote[] {
  return files.flatMap(({ path, functions, post: source }) => {
    const others = withoutCalls(source);
    return functions.flatMap(({ name, pre, post }): SemanticNote[] => {
      if (pre === undefined || post === undefined || (/\bstatic\b/.test(post.head) && !others.has(name))) return [];
      const [was, is] = [formsOf(name, pre.body), formsOf(name, post.body)];
      const [former, ...more] = was;
      const [come] = [...is].filter((form) => !was.has(form));
      if (former === undefined || come === undefined || more.length > 0 || !areOfOneKind(former, come)) return [];
      const also = is.has(former) ? `may return ${come} now, too, where it was ${former} only` : `returns ${come} where it was ${former}`;
      const message = `${name} ${also}: who calls it and is not replaced, a module that is loaded later included, tests for the former only`;
      return [{ kind: "changed-result", function: name, file: path, line: post.line, message }];
    });
  });
}

/** A name that asks something; other numbers that are 0 or 1 may have a meaning of their own, beside which errors stand. */
const QUESTION = /(?:^|_)(?:is|has|can|may|should|needs?|valid|ok|allowed|permitted|exists?|enabled|busy|match(?:es)?)(?:_|$)/;

/** Pointers are told apart from pointers, numbers from numbers. */
function areOfOneKind(a: Form, b: Form): boolean {
  const isPointer = (form: Form): boolean => form === "NULL" || form === "an error pointer";
  return isPointer(a) === isPointer(b);
}

/** What stands in the returns of a body as it is. A value that comes from elsewhere tells nothing, and 0 may be either. */
function formsOf(name: string, body: string): ReadonlySet<Form> {
  const forms = new Set<Form>();
  for (const [, value = ""] of tokensOf(body).matchAll(/\breturn ([^;]{1,200}) ;/g)) {
    if (/^(?:ERR_PTR|ERR_CAST) \(/.test(value)) forms.add("an error pointer");
    else if (value === "NULL") forms.add("NULL");
    else if (/^- E[A-Z]\w*$/.test(value)) forms.add("an error number");
    else if (/^(?:1|true)$/.test(value) && QUESTION.test(name)) forms.add("yes or no");
  }
  return forms;
}
