import { topLevelItems } from "../../source/top-level-items.js";
import type { TouchedText } from "../units/touched-texts.js";
import type { UnitDiff } from "../units/unit-diff.js";
import { perCpuPointer, type LinkageRefusal } from "./refusals.js";

/**
 * Pointers, of variables and of members, that lead to memory of each processor (`__percpu`) on one side of the patch only. They are offsets then, and no addresses: what objects
 * that are alive hold in them means something else. No type in an object tells: `__percpu` is for sparse.
 */
export function findPerCpuPointers(diffs: readonly UnitDiff[], texts: readonly TouchedText[]): LinkageRefusal[] {
  const changed = diffs.filter(({ diff }) => diff.analysis.included.size > 0);
  return texts.flatMap(({ path, pre, post }): LinkageRefusal[] => {
    const entry = changed.find(({ unit }) => unit.source === path) ?? changed[0];
    if (entry === undefined || (!pre.includes("__percpu") && !post.includes("__percpu"))) return [];
    const before = pointersIn(pre);
    return [...pointersIn(post)].flatMap(([name, isPerCpu]) =>
      (before.get(name) ?? isPerCpu) === isPerCpu ? [] : [perCpuPointer(entry, name, isPerCpu)],
    );
  });
}

/** Of each variable, and member of a struct that has a name (`foo.stats`), that is a pointer: whether it is one to memory of each processor. */
function pointersIn(source: string): ReadonlyMap<string, boolean> {
  const found = new Map<string, boolean>();
  for (const { kind, head } of topLevelItems(source)) {
    if (kind !== "declaration") continue;
    const struct = /^(?:typedef )?(?:struct|union) (?:__\w+ )*(\w+) \{/.exec(head)?.[1];
    if (struct === undefined && head.includes("(")) continue;
    for (const statement of struct === undefined ? [head] : head.split(";")) {
      const [, type = "", name] = /([\w ]+(?:\*[* ]*[\w ]*)*\*(?: (?:const|__\w+))*) (\w+) ?(?:[=,[].*)?;?$/.exec(statement.trim()) ?? [];
      if (name !== undefined) found.set(struct === undefined ? name : `${struct}.${name}`, /\b__percpu\b/.test(type));
    }
  }
  return found;
}
