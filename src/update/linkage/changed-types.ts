import { isNumbered, staticLocalName } from "../../diff/atoms/names.js";
import type { UnitDiff } from "../units/unit-diff.js";
import type { TouchedText } from "../units/touched-texts.js";
import { declaredTypes, isSameKindOfType } from "./declared-types.js";
import { changedType, type LinkageRefusal } from "./refusals.js";

/**
 * Variables that the running kernel has and that the patch declares with another type: their bytes may look alike (both are 0 at first), but what they hold by
 * now is not what new code believes. Judged by the text, as a variable's type is in no object.
 */
export function findChangedTypes(diffs: readonly UnitDiff[], texts: readonly TouchedText[]): LinkageRefusal[] {
  return diffs.flatMap((entry) => {
    const { twins, included } = entry.diff.analysis;
    if (included.size === 0) return [];
    return [...twins].flatMap(([post, pre]) => {
      if (post.rule.kind !== "data" || !post.rule.mutable || post.symbol === undefined || pre.symbol === undefined) return [];
      const [before, after] = [sourceName(pre.symbol.name), sourceName(post.symbol.name)];
      const had = new Set(texts.flatMap((text) => [...declaredTypes(text.pre, before)]));
      const has = new Set(texts.flatMap((text) => [...declaredTypes(text.post, after)]));
      const fresh = [...has].filter((type) => ![...had].some((other) => isSameKindOfType(other, type)));
      const [type] = fresh;
      if (type === undefined || had.size === 0) return [];
      return [changedType(entry, after, [...had].join(" or "), type)];
    });
  });
}

function sourceName(symbol: string): string {
  const local = isNumbered(symbol) || symbol.includes(".") ? staticLocalName(symbol) : undefined;
  return local === undefined ? symbol : local.slice(local.lastIndexOf(".") + 1);
}
