import type { Atom } from "../../diff/atoms/atom.js";
import { isNumbered, staticLocalName } from "../../diff/atoms/names.js";
import { topLevelItems } from "../../source/top-level-items.js";
import type { UnitDiff } from "../units/unit-diff.js";
import type { TouchedText } from "../units/touched-texts.js";
import { Declarations, isSameKindOfType } from "./declared-types.js";
import type { Moves } from "./moves.js";
import { changedType, type LinkageRefusal } from "./refusals.js";

/**
 * Variables that the running kernel has and that the patch declares with another type: their bytes may look alike (both are 0 at first), but what they hold by
 * now is not what new code believes. Judged by the text, as a variable's type is in no object.
 */
export function findChangedTypes(diffs: readonly UnitDiff[], texts: readonly TouchedText[], moves: Pick<Moves, "data">): LinkageRefusal[] {
  // The unit that has a variable need not be one that uses it.
  if (diffs.every(({ diff }) => diff.analysis.included.size === 0)) return [];
  const pairs = [
    ...diffs.flatMap((entry) => [...entry.diff.analysis.twins].map(([post, pre]) => ({ entry, pre, post }))),
    ...moves.data.map(({ from, to }) => ({ entry: to.entry, pre: from.atom, post: to.atom })),
  ];
  const [preTexts, postTexts] = [new Declarations(texts.map(({ pre }) => pre)), new Declarations(texts.map(({ post }) => post))];
  const [preMeanings, postMeanings] = [meaningsOf(texts.map(({ pre }) => pre)), meaningsOf(texts.map(({ post }) => post))];
  return pairs.flatMap(({ entry, pre, post }) => {
    const [before, after] = [variableName(pre), variableName(post)];
    if (before === undefined || after === undefined) return [];
    const [had, has] = [preTexts.typesOf(before), postTexts.typesOf(after)];
    const meant = [...had].map((type) => expand(type, preMeanings));
    const [type] = [...has].filter((now) => !meant.some((old) => isSameKindOfType(old, expand(now, postMeanings))));
    if (type === undefined || had.size === 0) return [];
    return [changedType(entry, after, [...had].join(" or "), type)];
  });
}

/** What the source calls a variable; undefined for anything else. */
function variableName({ rule, symbol }: Atom): string | undefined {
  if (rule.kind !== "data" || !rule.mutable || symbol === undefined) return undefined;
  const local = isNumbered(symbol.name) || symbol.name.includes(".") ? staticLocalName(symbol.name) : undefined;
  return local === undefined ? symbol.name : local.slice(local.lastIndexOf(".") + 1);
}

/** A macro that stands for a type's name, for a pointer to it, or for a struct with what it holds. */
const TYPE_MACRO = /^# ?define (\w+) ((?:struct |union |enum )?\w+(?: ?\*)*|(?:struct|union) ?\{.*\}(?: ?\*)*)$/;

/** Names that stand for a type, with what they mean: `typedef struct foo * foo_t ;`, `#define foo_t struct foo *`. */
function meaningsOf(sources: readonly string[]): ReadonlyMap<string, string> {
  const meanings = new Map<string, string>();
  for (const { kind, head } of sources.flatMap((source) => topLevelItems(source))) {
    const [, text, name] = /^typedef ([\w* ]+?) (\w+)(?: __\w+)* ;$/.exec(head) ?? [];
    const [, pointer] = /^typedef [^;{}]*\( \* (\w+) \) \(/.exec(head) ?? [];
    const [, macro, type] = (kind === "directive" ? TYPE_MACRO.exec(head) : null) ?? [];
    if (text !== undefined && name !== undefined) meanings.set(name, text);
    else if (pointer !== undefined) meanings.set(pointer, head);
    else if (macro !== undefined && type !== undefined) meanings.set(macro, type.replaceAll("*", " *").replaceAll(/\s+/g, " "));
  }
  return meanings;
}

/** Names that mean names are few steps apart. */
const MOST_STEPS = 8;

function expand(type: string, meanings: ReadonlyMap<string, string>): string {
  let text = type;
  for (let step = 0; step < MOST_STEPS; step++) {
    const next = text
      .split(" ")
      .map((word, index, words) => (/^(?:struct|union|enum)$/.test(words[index - 1] ?? "") ? word : (meanings.get(word) ?? word)))
      .join(" ");
    if (next === text) break;
    text = next;
  }
  return text;
}
