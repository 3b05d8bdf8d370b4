import { KERNEL_ARCHITECTURE } from "../../../arch/architectures.js";
import { itemNames } from "./item-names.js";
import { plainDiff } from "../../change/diff-texts.js";
import { changedEnumerators, readEnum } from "../../../source/enum-declaration.js";
import { parseLineChanges } from "../../../source/line-directives.js";
import { readTopLevel, type TopLevelItem } from "../../../source/top-level-items.js";

/** What a change of a header gives another meaning. */
export interface ChangedWords {
  readonly names: ReadonlySet<string>;
  /** A macro comes, goes or comes to something else. Where none does, no text that uses the header is replaced by another. */
  readonly macros: boolean;
  /** Nothing else changes: a text that uses the header, and stays the same behind the preprocessor, is compiled to the same. */
  readonly onlyMacros: boolean;
}

/**
 * The names that a change of a header gives another meaning: those that its items declare which are added, removed or changed, or moved among
 * the others, or stand under other conditions. Empty where only comments changed.
 * @param pre text of the header, without and
 * @param post with the change
 * @returns undefined if more is changed than names can tell, as by an #include, or that cannot be told: everything that includes the header may be
 * compiled to other code
 */
export async function changedWords(pre: string, post: string): Promise<ChangedWords | undefined> {
  const [before, after] = [readTopLevel(pre)?.filter(isText), readTopLevel(post)?.filter(isText)];
  if (before === undefined || after === undefined) return undefined;
  const changed: TopLevelItem[] = [];
  const words = new Set<string>();
  let hasEnumerators = false;
  for (const change of parseLineChanges(await plainDiff("header.h", asLines(before), asLines(after)))) {
    const [old, now] = [before.slice(change.preStart - 1, change.preEnd - 1), after.slice(change.postStart - 1, change.postEnd - 1)];
    const enumerators = changedInEnum(old, now);
    if (enumerators === undefined) changed.push(...old, ...now);
    else {
      hasEnumerators ||= enumerators.length > 0;
      for (const name of enumerators) words.add(name);
    }
  }
  for (const item of changed) {
    const names = itemNames(item);
    if (names === undefined || names.some(isImplicit)) return undefined;
    for (const name of names) words.add(name);
  }
  return {
    names: words,
    macros: changed.some(({ kind, directives }) => kind === "directive" || directives.some((text) => MACRO.test(text))),
    onlyMacros: !hasEnumerators && changed.every(({ kind, head }) => kind === "directive" && DEFINITION.test(head)),
  };
}

/** Where nothing but an enumeration is changed, the enumerators of it that are, if the text tells. */
function changedInEnum(pre: readonly TopLevelItem[], post: readonly TopLevelItem[]): string[] | undefined {
  const [old, now] = [pre[0], post[0]];
  if (pre.length !== 1 || post.length !== 1 || old === undefined || now === undefined) return undefined;
  if (old.conditions.join("\n") !== now.conditions.join("\n")) return undefined;
  const [before, after] = [readEnum(old), readEnum(now)];
  return before === undefined || after === undefined ? undefined : changedEnumerators(before, after);
}

const DEFINITION = /^# ?(?:define|undef)\b/;
const MACRO = /^# ?(?:define|undef|include|pragma)\b/;

/** Branches are told by the conditions of what is in them. */
function isText({ kind, head }: TopLevelItem): boolean {
  return kind !== "directive" || !/^# ?(?:if|el|endif)/.test(head);
}

/** One line each: two items are the same if they say the same under the same conditions. */
function asLines(items: readonly TopLevelItem[]): string {
  return items.map(({ conditions, head, body, directives }) => `${JSON.stringify([conditions, head, body, directives])}\n`).join("");
}

/** What the compiler uses by itself, so that no word of a unit tells. */
function isImplicit(name: string): boolean {
  return (
    name.startsWith(KERNEL_ARCHITECTURE.source.thunkPrefix) ||
    /^(?:mem(?:cpy|set|move|cmp)|__(?:builtin_|stack_chk_|fentry__|gcov|sanitizer_|asan_|tsan_|cyg_profile)\w*|_?_?mcount)$/.test(name)
  );
}
