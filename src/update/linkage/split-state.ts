import type { Atom } from "../../diff/atoms/atom.js";
import { UNDEFINED } from "../../elf/model.js";
import { baseName, isSameKind, isState } from "../../diff/compare/correlate-data.js";
import { findToldBy } from "../../diff/atoms/handed-out.js";
import { findHandler } from "../../diff/compare/hooks.js";
import { filledByInit } from "../../diff/refusals.js";
import type { SplitObject } from "../../diff/atoms/split-object.js";
import type { UnitDiff } from "../units/unit-diff.js";
import type { Moves } from "./moves.js";
import { mergedState, splitBetween, type LinkageRefusal } from "./refusals.js";
import { byTargetAndName, usersOnBothSides, type Users } from "./state-users.js";
import { chosenOf, type GlobalName } from "./symbol-table.js";

/** An object whose contents matter, or its identity, in one unit on one side of the patch. */
interface State {
  readonly entry: UnitDiff;
  readonly atom: Atom;
}

/**
 * A variable that goes and another one that comes, and a function that uses the one before and the other after the patch, under the same name, in whatever
 * unit it is, itself or by a function that the patch brings or takes away (an accessor): whether that is one object, renamed, moved with its function to another unit, or made global, nobody can tell. What the names themselves say, two global
 * ones, is settled before ({@link Moves}); objects of one kind in one unit are the differ's.
 */
export function findSplitState(diffs: readonly UnitDiff[], names: readonly GlobalName[], moves: Moves): LinkageRefusal[] {
  const settled = new Set(moves.data.flatMap(({ from, to }) => [from.atom, to.atom]));
  const statesOf = (entry: UnitDiff, split: SplitObject, twins: ReadonlySet<Atom>): State[] => {
    const left = split.atoms.filter((atom) => atom.rule.kind === "data" && !twins.has(atom) && !settled.has(atom));
    // Objects that are alive are told by a table of operations, so that it must not become another one either.
    const operations = left.some((atom) => !isState(atom)) ? findToldBy(split) : new Set<Atom>();
    return left.filter((atom) => isState(atom) || operations.has(atom)).map((atom) => ({ entry, atom }));
  };
  const gone = diffs.flatMap((entry) => {
    const { pre, twins } = entry.diff.analysis;
    return statesOf(entry, pre, new Set(twins.values()));
  });
  const come = diffs.flatMap((entry) => {
    const { post, twins } = entry.diff.analysis;
    return statesOf(entry, post, new Set(twins.keys()));
  });
  if (gone.length === 0) return [];
  const [before, after] = usersOnBothSides(diffs, names);
  const split = come.flatMap((now) => {
    const users = after.get(now.atom) ?? new Set<string>();
    const found = gone.flatMap((old) => {
      if (isState(old.atom) !== isState(now.atom)) return [];
      // Between modules, and a module and the kernel, only what goes by one name is told apart.
      if (old.entry.unit.target !== now.entry.unit.target && baseName(old.atom) !== baseName(now.atom)) return [];
      if (old.entry === now.entry && isSameKind(old.atom, now.atom)) return [];
      const user = [...(before.get(old.atom) ?? [])].find((name) => users.has(name));
      return user === undefined ? [] : [{ old, user }];
    });
    const best = found.find(({ old }) => baseName(old.atom) === baseName(now.atom)) ?? found[0];
    return best === undefined ? [] : [splitBetween(now.entry, nameOf(now.atom), best.old.entry, nameOf(best.old.atom), best.user)];
  });
  return [...split, ...gone.filter(({ atom }) => isState(atom)).flatMap((old) => findMerged(old, diffs, before, after))];
}

/**
 * A variable of which several units had one each, by a header, say, and that only one of them has with the patch: the others' values are lost.
 * @param old one that goes
 */
function findMerged(old: State, diffs: readonly UnitDiff[], before: Users, after: Users): LinkageRefusal[] {
  const name = baseName(old.atom);
  const wanted = new Set(old.entry.diff.post.symbols.filter(({ home }) => home === UNDEFINED).map((symbol) => symbol.name));
  const hadUsers = [...(before.get(old.atom) ?? [])];
  return diffs
    .filter((entry) => entry !== old.entry)
    .flatMap((entry) => {
      const { post, twins } = entry.diff.analysis;
      const left = post.atoms.find((atom) => twins.has(atom) && isState(atom) && baseName(atom) === name);
      if (left === undefined) return [];
      // It is used there, or by a function that is called there.
      const isDefined = (wantedName: string): boolean =>
        wanted.has(wantedName) && post.object.symbols.some((symbol) => symbol.name === wantedName && symbol.home !== UNDEFINED);
      const user = isDefined(name) ? hadUsers[0] : hadUsers.find((other) => isDefined(other) && after.get(left)?.has(other) === true);
      return user === undefined ? [] : [mergedState(entry, name, old.entry, user)];
    })
    .slice(0, 1);
}

/**
 * New variables of one unit that another one's initialization code would have filled: it has run already. (Within a unit the differ asks the same.)
 */
export function findFilledByInit(diffs: readonly UnitDiff[], names: readonly GlobalName[], moves: Moves): LinkageRefusal[] {
  const settled = new Set(moves.data.map(({ to }) => to.atom));
  const globals = byTargetAndName(names);
  return diffs.flatMap((entry) => {
    const { post } = entry.diff.analysis;
    return post.atoms.flatMap((owner) => {
      if ((owner.rule.kind !== "text" && owner.rule.kind !== "data") || owner.rule.area !== "init") return [];
      return outsideNames(post, owner).flatMap((name): LinkageRefusal[] => {
        const definition = chosenOf(globals.get(`${entry.unit.target} ${name}`)?.after ?? []);
        if (definition === undefined || !isState(definition.atom) || settled.has(definition.atom)) return [];
        const { twins, hooks, post: home } = definition.analysis;
        if (twins.has(definition.atom) || findHandler(hooks, home, definition.atom) !== undefined) return [];
        if (diffs.some((other) => hookUses(other, name))) return [];
        return [{ entry: definition.entry, refusal: filledByInit(name, nameOf(owner)) }];
      });
    });
  });
}

function hookUses({ diff }: UnitDiff, name: string): boolean {
  const { hooks, post } = diff.analysis;
  return hooks.some(({ function: code }) => outsideNames(post, code).includes(name));
}

function outsideNames(split: SplitObject, owner: Atom): string[] {
  return [
    ...new Set(
      owner.relocations.flatMap((relocation) => {
        const target = split.target(relocation, owner);
        return target.kind === "outside" ? [target.symbol.name] : [];
      }),
    ),
  ];
}

function nameOf({ symbol, section }: Atom): string {
  return symbol?.name ?? section.name;
}
