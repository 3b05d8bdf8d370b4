import { isText, type Atom } from "../../diff/atoms/atom.js";
import { normalName, sourceFunction } from "../../diff/atoms/names.js";
import type { UnitDiff } from "../units/unit-diff.js";
import { chosenOf, type GlobalName } from "./symbol-table.js";

/** Names of the source functions that use each object. */
export type Users = ReadonlyMap<Atom, ReadonlySet<string>>;

/**
 * Which functions use what, before the patch and after it: those that refer to it, in its own unit and others, of whatever target, and those that call such a one
 * and do not on the other side.
 */
export function usersOnBothSides(diffs: readonly UnitDiff[], names: readonly GlobalName[]): [before: Users, after: Users] {
  const [before, after] = [referrers(diffs, names, "before"), referrers(diffs, names, "after")];
  const [had, has] = [callersByName(before), callersByName(after)];
  return [withCallers(before, had, has), withCallers(after, has, had)];
}

function callersByName(users: Users): ReadonlyMap<string, ReadonlySet<string>> {
  const callers = new Map<string, Set<string>>();
  for (const [atom, names] of users) {
    const name = functionName(atom);
    if (name !== undefined) callers.set(name, new Set([...(callers.get(name) ?? []), ...names]));
  }
  return callers;
}

/** @param others who calls what on the other side of the patch */
function withCallers(
  users: Users,
  callers: ReadonlyMap<string, ReadonlySet<string>>,
  others: ReadonlyMap<string, ReadonlySet<string>>,
): Users {
  const closed = new Map<Atom, ReadonlySet<string>>();
  for (const [atom, direct] of users) {
    if (isText(atom)) continue;
    const all = new Set(direct);
    // A set iterates over what is added to it meanwhile.
    for (const name of all) for (const caller of callers.get(name) ?? []) if (others.get(name)?.has(caller) !== true) all.add(caller);
    closed.set(atom, all);
  }
  return closed;
}

/** What refers to each object and function. */
function referrers(diffs: readonly UnitDiff[], names: readonly GlobalName[], side: "before" | "after"): Users {
  const globals = byTargetAndName(names);
  const elsewhere = new Map(names.filter((entry) => chosenOf(entry[side]) !== undefined).map((entry) => [entry.name, entry]));
  const users = new Map<Atom, Set<string>>();
  for (const { unit, diff } of diffs) {
    const split = splitOf(diff, side);
    for (const owner of split.atoms) {
      const user = functionName(owner);
      if (user === undefined) continue;
      for (const relocation of owner.relocations) {
        const target = split.target(relocation, owner);
        const atom =
          target.kind === "atom"
            ? target.atom
            : target.kind === "outside"
              ? (
                  chosenOf(globals.get(`${unit.target} ${target.symbol.name}`)?.[side] ?? []) ??
                  chosenOf(elsewhere.get(target.symbol.name)?.[side] ?? [])
                )?.atom
              : undefined;
        if (atom === undefined || atom === owner) continue;
        const known = users.get(atom) ?? new Set<string>();
        users.set(atom, known.add(user));
      }
    }
  }
  return users;
}

function splitOf({ analysis }: UnitDiff["diff"], side: "before" | "after"): UnitDiff["diff"]["analysis"]["pre"] {
  return side === "before" ? analysis.pre : analysis.post;
}

/** What the source calls the function that an atom is, or is a piece of. */
function functionName(atom: Atom): string | undefined {
  return isText(atom) && atom.symbol !== undefined ? normalName(sourceFunction(atom.symbol.name)) : undefined;
}

export function byTargetAndName(names: readonly GlobalName[]): ReadonlyMap<string, GlobalName> {
  return new Map(names.map((entry) => [`${entry.target} ${entry.name}`, entry]));
}
