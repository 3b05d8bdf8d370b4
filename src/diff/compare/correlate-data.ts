import { atomSize, type Atom } from "../atoms/atom.js";
import { CallGraph, isInlined } from "../atoms/call-graph.js";
import { Comparer } from "./compare.js";
import type { Twins } from "./group.js";
import { findDataUses, sharedContext, sharesUser, type DataUse } from "../atoms/data-users.js";
import { isLike, pairWhere, type Group } from "./group.js";
import { isSelfContained } from "../../elf/made-names.js";
import { findToldBy } from "../atoms/handed-out.js";
import { normalName, staticLocalName } from "../atoms/names.js";
import type { SplitObject } from "../atoms/split-object.js";

/** An object of the running kernel and one of the patch that may be the same state under two names, or two states: nobody can tell. */
export interface SplitState {
  readonly pre: Atom;
  readonly post: Atom;
}

type Uses = ReadonlyMap<Atom, DataUse>;

/**
 * Correlates data whose names do not tell: static locals, which the compiler numbers, and objects that a patch renames or moves between a function and its file.
 * What lives on must be found again, or the running kernel's state would be split in two; what is another's must not be taken for it.
 */
export class DataCorrelation {
  /** Pairs that nothing decides. */
  readonly undecided: SplitState[] = [];
  readonly #preUses: Uses;
  readonly #postUses: Uses;
  readonly #newNames: ReadonlyMap<string, string>;
  #graphs: { readonly pre: CallGraph; readonly post: CallGraph } | undefined;

  constructor(
    readonly pre: SplitObject,
    readonly post: SplitObject,
    /** Those found so far, functions among them; completed here. */
    readonly twins: Map<Atom, Atom>,
    renamed: Twins,
  ) {
    this.#newNames = new Map([...renamed].map(([after, before]) => [baseName(before), baseName(after)]));
    this.#preUses = findDataUses(pre);
    this.#postUses = findDataUses(post);
  }

  /** Pairs the static objects of one name: those that are used alike, best first. */
  pairStatics(group: Group): void {
    const { twins } = this;
    const [preUses, postUses] = [this.#preUses, this.#postUses];
    const usedAlike = (pre: Atom, post: Atom): boolean => sharesUser(preUses.get(pre), postUses.get(post));
    const unused = (pre: Atom, post: Atom): boolean => !preUses.has(pre) && !postUses.has(post);
    const isConstant = group.post.every(({ rule }) => rule.kind === "data" && !rule.mutable);
    const byFirstUse = (uses: Uses) => (a: Atom, b: Atom) => (uses.get(a)?.firstOffset ?? 0) - (uses.get(b)?.firstOffset ?? 0);
    group.pre.sort(byFirstUse(preUses));
    group.post.sort(byFirstUse(postUses));

    this.#pairBest(group, (pre, post) => isLike(pre, post) && (usedAlike(pre, post) || unused(pre, post)));
    if (isConstant) this.#pairBest(group, isLike);
    this.#pairBest(group, (pre, post) => isSameKind(pre, post) && usedAlike(pre, post));
    if (isConstant) return;
    // A changed size or section of the one object of its name in one function is a change of that object, to be refused.
    if (group.pre.length === 1 && group.post.length === 1) pairWhere(group, twins, usedAlike);
    // The function that used it has no code of its own on one side: it stands in its caller's there.
    if (group.pre.length === 1 && group.post.length === 1)
      pairWhere(group, twins, (pre, post) => isSameKind(pre, post) && this.#isUsedInlined(pre, post));
    for (const post of group.post) if (isState(post)) this.#tellParted(post);
  }

  /** An object of its own for a function that had one together with others, which keep it: what the running kernel's holds may be the value for both. */
  #tellParted(post: Atom): void {
    for (const [kept, pre] of this.twins) {
      if (baseName(kept) !== baseName(post) || !isSameKind(pre, post)) continue;
      const stillUsed = new Set(this.#users("post", kept));
      const had = new Set(this.#users("pre", pre));
      if (this.#users("post", post).some((user) => had.has(user) && !stillUsed.has(user))) this.undecided.push({ pre, post });
    }
  }

  /**
   * Pairs what is left of both sides: an object that the patch renames, or moves out of a function or into one. A table of operations counts too: objects that
   * are alive have its address, and are told by it.
   */
  pairRenamed(): void {
    const [had, has] = [findToldBy(this.pre), findToldBy(this.post)];
    const taken = new Set(this.twins.values());
    const preLeft = this.pre.atoms.filter((atom) => (isState(atom) || had.has(atom)) && !taken.has(atom));
    const postLeft = this.post.atoms.filter((atom) => (isState(atom) || has.has(atom)) && !this.twins.has(atom));
    const pairs = postLeft.flatMap((post) => preLeft.filter((pre) => this.#mayBeSame(pre, post)).map((pre) => ({ pre, post })));
    const alike = pairs.filter((pair) => this.#holdsTheSame(pair)).filter(isOnlyOf);
    const settled = new Set(alike.flatMap(({ pre, post }) => [pre, post]));
    for (const { pre, post } of alike) this.twins.set(post, pre);
    const open = pairs.filter(({ pre, post }) => !settled.has(pre) && !settled.has(post));
    for (const pair of open) {
      const isNamedAlike = this.#isUsedAlike(pair.pre, pair.post) && baseName(pair.pre) === baseName(pair.post);
      if (isOnlyOf(pair, 0, open) && (isNamedAlike || this.#readsTheSame(pair))) this.twins.set(pair.post, pair.pre);
      else this.undecided.push(pair);
    }
  }

  #pairBest(group: Group, fits: (pre: Atom, post: Atom) => boolean): void {
    // Those with the most in common first; among equals the sort keeps the order of use.
    const pairs = group.post.flatMap((post) => group.pre.filter((pre) => fits(pre, post)).map((pre) => ({ pre, post })));
    const score = ({ pre, post }: SplitState): number => sharedContext(this.#preUses.get(pre), this.#postUses.get(post));
    const best = new Map<Atom, Atom>();
    const taken = new Set<Atom>();
    for (const { pre, post } of pairs.map((pair) => ({ ...pair, score: score(pair) })).sort((a, b) => b.score - a.score)) {
      if (best.has(post) || taken.has(pre)) continue;
      best.set(post, pre);
      taken.add(pre);
    }
    pairWhere(group, this.twins, (pre, post) => best.get(post) === pre);
  }

  /**
   * One kind of object, and used by the same functions; or of one name: one goes and one comes, and whether it has gone from a function to another, or is
   * another's, nothing shows.
   */
  #mayBeSame(pre: Atom, post: Atom): boolean {
    return isSameKind(pre, post) && (this.#isUsedAlike(pre, post) || baseName(pre) === baseName(post));
  }

  #isUsedAlike(pre: Atom, post: Atom): boolean {
    const after = new Set(this.#users("post", post));
    return this.#users("pre", pre).some((name) => after.has(this.#newNames.get(name) ?? name)) || this.#isUsedInlined(pre, post);
  }

  #isUsedInlined(pre: Atom, post: Atom): boolean {
    const graphs = this.#callGraphs();
    return this.#users("pre", pre).some((before) =>
      this.#users("post", post).some(
        (after) => isInlined(before, after, graphs.pre, graphs.post) || isInlined(after, before, graphs.post, graphs.pre),
      ),
    );
  }

  /** True of tables with the same functions at the same places. */
  #holdsTheSame({ pre, post }: SplitState): boolean {
    if (isState(pre) || pre.relocations.length === 0) return false;
    const comparer = new Comparer(this.pre, this.post, new Map(this.twins).set(post, pre));
    return comparer.differences(pre, post).length === 0;
  }

  /** True if a function that uses them is the same to the last reference, once they are taken for one. */
  #readsTheSame({ pre, post }: SplitState): boolean {
    const comparer = new Comparer(this.pre, this.post, new Map(this.twins).set(post, pre));
    return this.post.atoms.some((user) => {
      const twin = this.twins.get(user);
      if (twin === undefined || !refersTo(this.post, user, post)) return false;
      return comparer.differences(twin, user).length === 0;
    });
  }

  #users(side: "pre" | "post", atom: Atom): string[] {
    return [...((side === "pre" ? this.#preUses : this.#postUses).get(atom)?.users ?? [])];
  }

  #callGraphs(): { readonly pre: CallGraph; readonly post: CallGraph } {
    return (this.#graphs ??= { pre: new CallGraph(this.pre), post: new CallGraph(this.post) });
  }
}

/** True for a pair whose objects stand in no other. */
function isOnlyOf({ pre, post }: SplitState, _: number, pairs: readonly SplitState[]): boolean {
  return pairs.every((other) => (other.pre === pre) === (other.post === post));
}

function refersTo(split: SplitObject, owner: Atom, data: Atom): boolean {
  return owner.relocations.some((relocation) => {
    const target = split.target(relocation, owner);
    return target.kind === "atom" && target.atom === data;
  });
}

/** What may be the same object under two names, or in two places. */
export function isSameKind(pre: Atom, post: Atom): boolean {
  if (pre.rule.kind !== "data" || post.rule.kind !== "data") return false;
  return pre.rule.mutable === post.rule.mutable && pre.rule.perCpu === post.rule.perCpu && atomSize(pre) === atomSize(post);
}

/** What the source calls it, in a function or in the file. */
export function baseName({ symbol }: Atom): string {
  const name = symbol?.name ?? "";
  const local = staticLocalName(name);
  // clang puts the function's name in front.
  return local === undefined ? normalName(name) : local.slice(local.lastIndexOf(".") + 1);
}

/** The flag of DO_ONCE(), which lies among those that only keep a message back: what it has done once, a secret that was drawn, must not be done again (include/linux/once.h, Linux 6.1). */
const ONCE_FLAG = /^___done$/;

/** An object whose contents matter: one that may be written to and is there all the time. */
export function isState(atom: Atom): boolean {
  const { rule, symbol } = atom;
  if (rule.kind !== "data" || !rule.mutable || rule.area !== "always" || rule.lineNumbers === true) return false;
  if (symbol === undefined || atomSize(atom) === 0) return false;
  const name = baseName(atom).replace(/#$/, "");
  return !isSelfContained(name) && (ONCE_FLAG.test(name) || !/^\.data\.+once/.test(atom.section.name));
}
