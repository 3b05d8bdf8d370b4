import { declaredNames } from "./declared-names.js";
import { plainDiff } from "./diff-texts.js";
import { parseLineChanges } from "./line-directives.js";
import { codeWords, readTopLevel, type TopLevelItem } from "./top-level-items.js";

/**
 * Names of a header's declarations that a change adds, or takes away, where it does nothing else: a unit that has none of them as a word in any
 * file that it is compiled from is compiled to the same code as before, for what it does not mention it cannot use. Empty where only comments changed.
 *
 * A declaration that becomes another is not such a change: names can be put together from parts (`this_cpu_##op`), and code that used the old
 * one so would not be found. What is new was used by nobody.
 * @param pre text of the header, without and
 * @param post with the change
 * @returns undefined if more is changed, or that cannot be told: everything that includes the header may be compiled to other code
 */
export async function newNames(pre: string, post: string): Promise<ReadonlySet<string> | undefined> {
  const [before, after] = [readTopLevel(pre)?.filter(isText), readTopLevel(post)?.filter(isText)];
  if (before === undefined || after === undefined) return undefined;
  const removed = new Set<TopLevelItem>();
  const added = new Set<TopLevelItem>();
  for (const change of parseLineChanges(await plainDiff("header.h", asLines(before), asLines(after)))) {
    before.slice(change.preStart - 1, change.preEnd - 1).forEach((item) => removed.add(item));
    after.slice(change.postStart - 1, change.postEnd - 1).forEach((item) => added.add(item));
  }
  const [gone, come] = [namesOf(removed), namesOf(added)];
  if (gone === undefined || come === undefined || [...gone].some((name) => come.has(name))) return undefined;
  const names = new Set([...gone, ...come]);
  // What stays must not have been waiting for them, nor name the same thing: a macro, a function under another #if.
  const stays = before.filter((item) => !removed.has(item));
  return stays.some((item) => mentions(item, names)) ? undefined : names;
}

/** Branches are told by the conditions of what is in them. */
function isText({ kind, head }: TopLevelItem): boolean {
  return kind !== "directive" || !/^# ?(?:if|el|endif)/.test(head);
}

/** One line each: two items are the same if they say the same under the same conditions. */
function asLines(items: readonly TopLevelItem[]): string {
  return items.map(({ conditions, head, body, directives }) => `${JSON.stringify([conditions, head, body, directives])}\n`).join("");
}

function namesOf(items: ReadonlySet<TopLevelItem>): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const item of items) {
    const declared = declaredNames(item);
    if (declared === undefined) return undefined;
    for (const name of declared) names.add(name);
  }
  return names;
}

function mentions({ conditions, head, body, directives }: TopLevelItem, names: ReadonlySet<string>): boolean {
  for (const text of [...conditions, head, body, ...directives]) for (const word of codeWords(text)) if (names.has(word)) return true;
  return false;
}
