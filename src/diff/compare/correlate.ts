import { atomName, isText, type Atom } from "../atoms/atom.js";
import { DataCorrelation, type SplitState } from "./correlate-data.js";
import { isLike, pairWhere, type Group, type Twins } from "./group.js";
import { isNumbered, normalName, staticLocalName } from "../atoms/names.js";
import { findRenamedFunctions } from "./renamed-functions.js";
import type { SplitObject } from "../atoms/split-object.js";

/** Takes one line for each pair, and for what stays alone. */
export type CorrelationTrace = (line: string) => void;

export interface Correlation {
  readonly twins: Twins;
  /** Functions that the patch calls by another name: the pre atom by the post atom. They are among the twins. */
  readonly renamed: Twins;
  /** Objects that may be the same state before and after, or not. */
  readonly undecided: readonly SplitState[];
}

/**
 * Correlates the named atoms of two objects of one compilation unit.
 * A name that the compiler did not number is its own proof. Numbered functions (clones) go by content, then name, then order; functions that are renamed by
 * the places that hold their addresses; numbered data by content where it is constant, else by the functions that use it.
 */
export function correlate(pre: SplitObject, post: SplitObject, trace?: CorrelationTrace): Correlation {
  const twins = new Map<Atom, Atom>();
  const told = new Set<Atom>();
  const tell = (why: string): void => {
    if (trace !== undefined) tracePairs(twins, told, why, trace);
  };
  const numbered = pairByName(pre, post, twins);
  tell("its name");
  for (const group of numbered.filter(({ text }) => text)) pairClones(group, twins);
  tell("a clone, by its content, its number or its order");
  const renamed = findRenamedFunctions(pre, post, twins);
  for (const [after, before] of renamed) twins.set(after, before);
  tell("renamed: its address stands where the other's stood");
  const data = new DataCorrelation(pre, post, twins, renamed);
  for (const group of numbered.filter(({ text }) => !text)) data.pairStatics(group);
  tell("a static object of one name, by its content or by the functions that use it");
  data.pairRenamed();
  tell("renamed or moved: the same functions use it");
  if (trace !== undefined) traceLonely(pre, post, twins, trace);
  return { twins, renamed, undecided: data.undecided };
}

function tracePairs(twins: Twins, told: Set<Atom>, why: string, trace: CorrelationTrace): void {
  for (const [post, pre] of twins) {
    if (told.has(post)) continue;
    told.add(post);
    const [name, former] = [atomName(post), atomName(pre)];
    trace(`${name}${former === name ? "" : ` was ${former}`}: ${why}`);
  }
}

function traceLonely(pre: SplitObject, post: SplitObject, twins: Twins, trace: CorrelationTrace): void {
  const taken = new Set(twins.values());
  for (const atom of post.atoms) if (atom.symbol !== undefined && !twins.has(atom)) trace(`${atomName(atom)}: new`);
  for (const atom of pre.atoms) if (atom.symbol !== undefined && !taken.has(atom)) trace(`${atomName(atom)}: gone`);
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
  return `${rule.kind === "text" ? "text" : "data"} ${"area" in rule ? rule.area : "always"} ${name}`;
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

function pairClones(group: Group, twins: Map<Atom, Atom>): void {
  pairWhere(group, twins, (pre, post) => pre.symbol?.name === post.symbol?.name && isLike(pre, post));
  pairWhere(group, twins, isLike);
  pairWhere(group, twins, (pre, post) => pre.symbol?.name === post.symbol?.name);
  pairWhere(group, twins, () => true);
}
