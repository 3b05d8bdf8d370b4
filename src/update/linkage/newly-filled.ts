import type { Atom } from "../../diff/atoms/atom.js";
import type { SplitObject } from "../../diff/atoms/split-object.js";
import { baseName, isState } from "../../diff/compare/correlate-data.js";
import { findHandler } from "../../diff/compare/hooks.js";
import { findUsedUp } from "../../diff/compare/init-references.js";
import { topLevelItems, splitHead } from "../../source/top-level-items.js";
import type { TouchedText } from "../units/touched-texts.js";
import type { UnitDiff } from "../units/unit-diff.js";
import { assigns, handsOn } from "./assigns.js";
import { newlyFilled, type LinkageRefusal } from "./refusals.js";

/**
 * Variables that the running kernel has, that initialization code fills with the patch and did not before, and that other code uses newly: what it relies on has not
 * been done, for that code has run. (Variables that are new themselves: `filled-by-init` of the differ, and of split-state.ts.)
 */
export function findNewlyFilled(diffs: readonly UnitDiff[], texts: readonly TouchedText[]): LinkageRefusal[] {
  const isFilledNewly = fillingOf(texts);
  return diffs.flatMap((entry) => {
    const { pre, post, twins, hooks } = entry.diff.analysis;
    const usedUp = findUsedUp(post, isInit);
    return [...twins].flatMap(([atom, before]): LinkageRefusal[] => {
      if (!isState(atom)) return [];
      const had = new Set(usersOf(pre, before));
      const users = usersOf(post, atom).filter((user) => !had.has(twins.get(user) ?? user));
      const filler = users.find((user) => usedUp.has(user));
      const reader = users.find((user) => !usedUp.has(user) && !hooks.some((hook) => hook.function === user));
      if (filler === undefined || reader === undefined || findHandler(hooks, post, atom) !== undefined) return [];
      return isFilledNewly(baseName(atom)) ? [newlyFilled(entry, baseName(atom), baseName(filler), baseName(reader))] : [];
    });
  });
}

const isInit = ({ rule }: Atom): boolean => (rule.kind === "text" || rule.kind === "data") && rule.area === "init";

function usersOf(split: SplitObject, data: Atom): Atom[] {
  return split.atoms.filter(
    (owner) =>
      owner.rule.kind === "text" &&
      owner.relocations.some((relocation) => {
        const target = split.target(relocation, owner);
        return target.kind === "atom" && target.atom === data;
      }),
  );
}

/** Whether some function gives a variable a value, or its address away, and did not before the patch. */
function fillingOf(texts: readonly TouchedText[]): (name: string) => boolean {
  const functions = texts.map(({ pre, post }) => [bodiesOf(pre), bodiesOf(post)] as const);
  const fills = (body: string | undefined, name: string): boolean => body !== undefined && (assigns(body, name) || handsOn(body, name));
  return (name) => functions.some(([old, now]) => [...now].some(([user, body]) => fills(body, name) && !fills(old.get(user), name)));
}

function bodiesOf(source: string): ReadonlyMap<string, string> {
  return new Map(
    topLevelItems(source).flatMap(({ kind, head, body }) => {
      const name = kind === "function" ? splitHead(head)?.name : undefined;
      return name === undefined ? [] : [[name, body] as const];
    }),
  );
}
