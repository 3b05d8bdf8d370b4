import { atomName } from "../../diff/atoms/atom.js";
import type { TouchedText } from "../units/touched-texts.js";
import type { UnitDiff } from "../units/unit-diff.js";
import { readInitialValues } from "./initial-values.js";
import { objectSizeChanges, type LinkageRefusal } from "./refusals.js";

/** Members of tables of operations and the like that say how large objects are, or where in them a hash table finds its link and its key. */
const SIZE_MEMBER = /size$|(?:^|_)sz$|^(?:head|key)_offset$|^key_len$/;
/** A size of something that is in memory, not of a queue or a register. */
const OF_A_TYPE = /\b(?:sizeof|offsetof)\w*/;

/**
 * Constants that are rewritten in place, and that say with the patch that objects are of another size, or have their key elsewhere (`.size = sizeof(struct priv)`): those
 * that are alive were made by what it said before, and code goes by what it says now.
 */
export function findObjectSizes(diffs: readonly UnitDiff[], texts: readonly TouchedText[]): LinkageRefusal[] {
  return diffs.flatMap((entry) => {
    const rewritten = entry.diff.analysis.writes.filter(({ pointer }) => pointer === undefined);
    return [...new Set(rewritten.map(({ post }) => atomName(post)))].flatMap((name): LinkageRefusal[] => {
      for (const { pre, post } of texts) {
        const [before, after] = [sizesIn(pre, name), sizesIn(post, name)];
        const changed = [...new Set([...before.keys(), ...after.keys()])].find((member) => before.get(member) !== after.get(member));
        if (changed === undefined) continue;
        const [was, is] = [before.get(changed) ?? "", after.get(changed) ?? ""];
        if (OF_A_TYPE.test(was) || OF_A_TYPE.test(is)) return [objectSizeChanges(entry, name, changed)];
      }
      return [];
    });
  });
}

/** What the initial value of a variable gives to members that are sizes; of an array all that its elements give, one behind the other. */
function sizesIn(source: string, name: string): ReadonlyMap<string, string> {
  const sizes = new Map<string, string>();
  for (const { members } of readInitialValues(source, name))
    for (const [member, value] of members) if (SIZE_MEMBER.test(member)) sizes.set(member, `${sizes.get(member) ?? ""}${value};`);
  return sizes;
}
