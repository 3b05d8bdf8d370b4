import { atomSize, equalBytes, isText, type Atom } from "./atom.js";
import { findDataUses, sharedContext, sharesUser, type DataUse } from "./data-users.js";
import { isNumbered, normalName, staticLocalName } from "./names.js";
import type { SplitObject } from "./split-object.js";

/** The twins of two objects: the atom of the pre object for each of the post object that has one. */
export type Twins = ReadonlyMap<Atom, Atom>;

/**
 * Correlates the named atoms of two objects of one compilation unit.
 * A name that the compiler did not number is its own proof. Numbered functions (clones) go by content, then name, then order;
 * numbered data by content where it is constant, else by the functions that use it.
 */
export function correlate(pre: SplitObject, post: SplitObject): Twins {
  const twins = new Map<Atom, Atom>();
  const numbered = pairByName(pre, post, twins);
  for (const group of numbered.filter(({ text }) => text)) pairClones(group, twins);
  const preUses = findDataUses(pre);
  const postUses = findDataUses(post);
  for (const group of numbered.filter(({ text }) => !text)) pairStatics(group, preUses, postUses, twins);
  return twins;
}

/** Atoms of both objects that have one name but for the compiler's numbers. */
interface Group {
  text: boolean;
  pre: Atom[];
  post: Atom[];
}

function pairByName(pre: SplitObject, post: SplitObject, twins: Map<Atom, Atom>): Group[] {
  const plain = new Map<string, Atom>();
  const groups = new Map<string, Group>();
  const join = (atom: Atom, side: "pre" | "post"): void => {
    const key = groupKey(atom);
    const group = groups.get(key) ?? { text: isText(atom), pre: [], post: [] };
    group[side].push(atom);
    groups.set(key, group);
  };
  for (const atom of pre.atoms) {
    if (atom.symbol === undefined) continue;
    if (groupName(atom) !== undefined) join(atom, "pre");
    // An alias names the atom as well: which of them comes first may change with the patch.
    else for (const symbol of atom.symbols) if (!plain.has(plainKey(atom, symbol.name))) plain.set(plainKey(atom, symbol.name), atom);
  }
  const taken = new Set<Atom>();
  for (const atom of post.atoms) {
    if (atom.symbol === undefined) continue;
    if (groupName(atom) !== undefined) {
      join(atom, "post");
      continue;
    }
    const twin = atom.symbols
      .map(({ name }) => plain.get(plainKey(atom, name)))
      .find((candidate) => candidate !== undefined && !taken.has(candidate));
    if (twin === undefined) continue;
    taken.add(twin);
    twins.set(atom, twin);
  }
  return [...groups.values()];
}

/** Code and data that are gone from memory are not the same as what stays, even under one name. */
function plainKey({ rule }: Atom, name: string): string {
  return `${rule.kind === "text" ? "text" : "data"} ${"area" in rule ? rule.area : "core"} ${name}`;
}

/** The name that an atom shares with others of the unit; undefined where its name is its own. */
function groupName({ symbol, rule }: Atom): string | undefined {
  if (symbol === undefined) return undefined;
  if (rule.kind !== "text") return staticLocalName(symbol.name);
  return isNumbered(symbol.name) ? normalName(symbol.name) : undefined;
}

function groupKey(atom: Atom): string {
  return plainKey(atom, groupName(atom) ?? "");
}

/** Content without what relocations refer to. */
function isLike(a: Atom, b: Atom): boolean {
  return (
    atomSize(a) === atomSize(b) &&
    a.relocations.length === b.relocations.length &&
    equalBytes(a.data, b.data) &&
    a.relocations.every((relocation, index) => {
      const other = b.relocations[index];
      return relocation.offset === other?.offset && relocation.type === other.type;
    })
  );
}

/** Takes the pairs for which `fits` holds out of the group, in order. */
function pairWhere(group: Group, twins: Map<Atom, Atom>, fits: (pre: Atom, post: Atom) => boolean): void {
  group.post = group.post.filter((post) => {
    const index = group.pre.findIndex((pre) => fits(pre, post));
    const [pre] = index < 0 ? [] : group.pre.splice(index, 1);
    if (pre === undefined) return true;
    twins.set(post, pre);
    return false;
  });
}

function pairClones(group: Group, twins: Map<Atom, Atom>): void {
  pairWhere(group, twins, (pre, post) => pre.symbol?.name === post.symbol?.name && isLike(pre, post));
  pairWhere(group, twins, isLike);
  pairWhere(group, twins, (pre, post) => pre.symbol?.name === post.symbol?.name);
  pairWhere(group, twins, () => true);
}

type Uses = ReadonlyMap<Atom, DataUse>;

function pairStatics(group: Group, preUses: Uses, postUses: Uses, twins: Map<Atom, Atom>): void {
  const usedAlike = (pre: Atom, post: Atom): boolean => sharesUser(preUses.get(pre), postUses.get(post));
  const unused = (pre: Atom, post: Atom): boolean => !preUses.has(pre) && !postUses.has(post);
  const isSameKind = (pre: Atom, post: Atom): boolean =>
    normalName(pre.section.name) === normalName(post.section.name) && atomSize(pre) === atomSize(post);
  const isConstant = group.post.every(({ rule }) => rule.kind === "data" && !rule.mutable);
  const byFirstUse = (uses: Uses) => (a: Atom, b: Atom) => (uses.get(a)?.firstOffset ?? 0) - (uses.get(b)?.firstOffset ?? 0);
  group.pre.sort(byFirstUse(preUses));
  group.post.sort(byFirstUse(postUses));
  const pairBest = (fits: (pre: Atom, post: Atom) => boolean): void => {
    // Those with the most in common first; among equals the sort keeps the order of use.
    const pairs = group.post.flatMap((post) => group.pre.filter((pre) => fits(pre, post)).map((pre) => ({ pre, post })));
    const score = ({ pre, post }: { pre: Atom; post: Atom }): number => sharedContext(preUses.get(pre), postUses.get(post));
    const best = new Map<Atom, Atom>();
    const taken = new Set<Atom>();
    for (const { pre, post } of pairs.map((pair) => ({ ...pair, score: score(pair) })).sort((a, b) => b.score - a.score)) {
      if (best.has(post) || taken.has(pre)) continue;
      best.set(post, pre);
      taken.add(pre);
    }
    pairWhere(group, twins, (pre, post) => best.get(post) === pre);
  };

  pairBest((pre, post) => isLike(pre, post) && (usedAlike(pre, post) || unused(pre, post)));
  if (isConstant) pairBest(isLike);
  pairBest((pre, post) => isSameKind(pre, post) && usedAlike(pre, post));
  if (isConstant || group.pre.length !== 1 || group.post.length !== 1) return;
  // A changed size or section of the one object of its name in one function is a change of that object, to be refused.
  pairWhere(group, twins, usedAlike);
  // The function that used it is gone from one side only because it was inlined or no longer is.
  if (isMoved(group.pre[0], preUses, postUses) || isMoved(group.post[0], postUses, preUses)) pairWhere(group, twins, isSameKind);
}

/** True where a user of the atom does not use any data in the other object. */
function isMoved(atom: Atom | undefined, uses: Uses, others: Uses): boolean {
  const users = atom === undefined ? undefined : uses.get(atom)?.users;
  return users !== undefined && [...users].some((name) => ![...others.values()].some((use) => use.users.has(name)));
}
