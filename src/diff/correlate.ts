import { atomSize, equalBytes, isText, type Atom } from "./atom.js";
import { isNumbered, normalName, sourceFunction } from "./names.js";
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
  const preUsers = findUsers(pre);
  const postUsers = findUsers(post);
  for (const group of numbered.filter(({ text }) => !text)) pairStatics(group, preUsers, postUsers, twins);
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
    if (isNumbered(atom.symbol.name)) join(atom, "pre");
    // An alias names the atom as well: which of them comes first may change with the patch.
    else for (const symbol of atom.symbols) if (!plain.has(plainKey(atom, symbol.name))) plain.set(plainKey(atom, symbol.name), atom);
  }
  const taken = new Set<Atom>();
  for (const atom of post.atoms) {
    if (atom.symbol === undefined) continue;
    if (isNumbered(atom.symbol.name)) {
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

function plainKey(atom: Atom, name: string): string {
  return `${isText(atom) ? "text" : "data"} ${name}`;
}

function groupKey(atom: Atom): string {
  return plainKey(atom, normalName(atom.symbol?.name ?? ""));
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

/** Who refers to a data atom, by the name of the source function or object; and where first, for the order. */
type Users = ReadonlyMap<Atom, ReadonlyMap<string, number>>;

function findUsers(split: SplitObject): Users {
  const users = new Map<Atom, Map<string, number>>();
  for (const owner of split.atoms) {
    const name = normalName(sourceFunction(owner.symbol?.name ?? ""));
    for (const relocation of owner.relocations) {
      const target = split.target(relocation, owner);
      if (target.kind !== "atom" || target.atom === owner || isText(target.atom)) continue;
      const of = users.get(target.atom) ?? new Map<string, number>();
      if (!of.has(name)) of.set(name, relocation.offset);
      users.set(target.atom, of);
    }
  }
  return users;
}

function pairStatics(group: Group, preUsers: Users, postUsers: Users, twins: Map<Atom, Atom>): void {
  const sharesUser = (pre: Atom, post: Atom): boolean => {
    const names = postUsers.get(post);
    return [...(preUsers.get(pre)?.keys() ?? [])].some((name) => names?.has(name) === true);
  };
  const unused = (pre: Atom, post: Atom): boolean => preUsers.get(pre) === undefined && postUsers.get(post) === undefined;
  const isSameKind = (pre: Atom, post: Atom): boolean =>
    normalName(pre.section.name) === normalName(post.section.name) && atomSize(pre) === atomSize(post);
  const first = (users: Users) => (a: Atom, b: Atom) => firstUse(users, a) - firstUse(users, b);
  group.pre.sort(first(preUsers));
  group.post.sort(first(postUsers));

  pairWhere(group, twins, (pre, post) => isLike(pre, post) && (sharesUser(pre, post) || unused(pre, post)));
  const isConstant = group.post.every((post) => post.rule.kind === "data" && !post.rule.mutable);
  if (isConstant) pairWhere(group, twins, isLike);
  pairWhere(group, twins, (pre, post) => isSameKind(pre, post) && sharesUser(pre, post));
  // A changed size or section of the one object of its name in one function is a change of that object, to be refused.
  pairWhere(group, twins, (pre, post) => !isConstant && sharesUser(pre, post) && group.pre.length === 1 && group.post.length === 1);
  // The function that used it is gone from one side only because it was inlined or no longer is.
  const names = (users: Users): Set<string> => new Set([...users.values()].flatMap((of) => [...of.keys()]));
  if (!isConstant && group.pre.length === 1 && group.post.length === 1) {
    const preNames = names(preUsers);
    const postNames = names(postUsers);
    const moved = (atom: Atom | undefined, users: Users, others: Set<string>): boolean =>
      atom !== undefined && [...(users.get(atom)?.keys() ?? [])].some((name) => !others.has(name));
    if (moved(group.pre[0], preUsers, postNames) || moved(group.post[0], postUsers, preNames)) pairWhere(group, twins, isSameKind);
  }
}

function firstUse(users: Users, atom: Atom): number {
  const offsets = [...(users.get(atom)?.values() ?? [])];
  return offsets.length === 0 ? Number.MAX_SAFE_INTEGER : Math.min(...offsets);
}
