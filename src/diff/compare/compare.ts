import { homeSection, type ElfRelocation } from "../../elf/model.js";
import { atomSize, contentOf, equalBytes, type Atom, type Target, type TableEntry } from "../atoms/atom.js";
import { findHandedOut, holdsFunctions } from "../atoms/handed-out.js";
import type { Twins } from "./group.js";
import { staticLocalName } from "../atoms/names.js";
import type { SplitObject } from "../atoms/split-object.js";

/** Bytes that memory is best written in. */
const WORD = 8;

/** Compares what correlated atoms mean: equal bytes, and relocations to the same things. */
export class Comparer {
  readonly #nameless = new Map<Atom, Map<Atom, boolean>>();
  #handedOut: ReadonlySet<Atom> | undefined;

  constructor(
    readonly pre: SplitObject,
    readonly post: SplitObject,
    readonly twins: Twins,
  ) {}

  /**
   * True for a constant that stands inside a function in the source, or that the compiler made of its code (gcc's CSWTCH.12): a change of it is one of the function.
   * Not if its address is handed out on either side, or it holds functions: objects that outlive the call go on with the running kernel's.
   */
  isPartOfCode(post: Atom): boolean {
    if (!isOfFunction(post)) return false;
    const handedOut = (this.#handedOut ??= new Set([...findHandedOut(this.pre), ...findHandedOut(this.post)]));
    const pre = this.twins.get(post);
    return ![pre, post].some((atom) => atom !== undefined && (holdsFunctions(atom) || handedOut.has(atom)));
  }

  /** Why two atoms differ, in words, each reason once; empty if they do not. */
  differences(pre: Atom, post: Atom): readonly string[] {
    const what = pre.rule.kind === "text" ? "code" : "content";
    if (atomSize(pre) !== atomSize(post) || pre.relocations.length !== post.relocations.length) return [what];
    if (!equalBytes(contentOf(pre), contentOf(post))) return [what];
    const reasons = new Set<string>();
    pre.relocations.forEach((relocation, index) => {
      const other = post.relocations[index];
      if (relocation.offset !== other?.offset || relocation.type !== other.type) reasons.add(what);
      else this.#compareTargets(this.pre.target(relocation, pre), this.post.target(other, post), reasons);
    });
    return [...reasons];
  }

  /** The smallest range of bytes, widened to whole words of 8, that holds all differences of two atoms of one size; undefined if they do not differ. */
  differingRange(pre: Atom, post: Atom): { start: number; end: number } | undefined {
    const differing: number[] = [];
    const fields = new Map<number, { pre?: ElfRelocation; post?: ElfRelocation }>();
    for (const relocation of pre.relocations) fields.set(relocation.offset, { pre: relocation });
    for (const relocation of post.relocations) fields.set(relocation.offset, { ...fields.get(relocation.offset), post: relocation });
    for (const [offset, field] of fields) {
      const isEqual =
        field.pre !== undefined &&
        field.post?.type === field.pre.type &&
        this.equalTargets(this.pre.target(field.pre, pre), this.post.target(field.post, post));
      const size = Math.max(...[field.pre, field.post].map((relocation) => relocation?.type.size ?? 0));
      if (!isEqual) for (let at = offset; at < offset + size; at++) differing.push(at);
    }
    post.data.forEach((byte, at) => {
      if (byte !== pre.data[at]) differing.push(at);
    });
    if (differing.length === 0) return undefined;
    let [start, end] = [post.data.length, 0];
    for (const at of differing) [start, end] = [Math.min(start, at), Math.max(end, at + 1)];
    return { start: start - (start % WORD), end: Math.min(Math.ceil(end / WORD) * WORD, post.data.length) };
  }

  /** Why the table entries of two atoms differ, in words; empty if they do not. */
  entryDifferences(pre: readonly TableEntry[], post: readonly TableEntry[]): readonly string[] {
    const reasons = new Set<string>();
    for (const [preEntries, postEntries] of sideBySide(pre, post)) {
      const reason = (preEntries[0] ?? postEntries[0])?.layout.reason;
      if (reason === undefined) continue;
      const equal =
        preEntries.length === postEntries.length &&
        preEntries.every((entry, index) => {
          const other = postEntries[index];
          return other !== undefined && this.#equalEntries(entry, other);
        });
      if (!equal) reasons.add(reason);
    }
    return [...reasons];
  }

  #equalEntries(pre: TableEntry, post: TableEntry): boolean {
    const [from, to] = pre.layout.ignored?.[pre.data.length] ?? [0, 0];
    if (pre.data.length !== post.data.length || pre.relocations.length !== post.relocations.length) return false;
    if (!pre.data.every((byte, index) => byte === post.data[index] || (index >= from && index < to))) return false;
    return this.#equalRelocations(pre.relocations, undefined, post.relocations, undefined);
  }

  #equalRelocations(
    pre: readonly ElfRelocation[],
    preOwner: Atom | undefined,
    post: readonly ElfRelocation[],
    postOwner: Atom | undefined,
  ): boolean {
    if (pre.length !== post.length) return false;
    return pre.every((relocation, index) => {
      const other = post[index];
      if (relocation.offset !== other?.offset || relocation.type !== other.type) return false;
      return this.equalTargets(this.pre.target(relocation, preOwner), this.post.target(other, postOwner));
    });
  }

  equalTargets(pre: Target, post: Target): boolean {
    const reasons = new Set<string>();
    this.#compareTargets(pre, post, reasons);
    return reasons.size === 0;
  }

  #compareTargets(pre: Target, post: Target, reasons: Set<string>): void {
    if (pre.kind === "literal" && post.kind === "literal") {
      if (pre.delta !== post.delta || !equalBytes(pre.bytes, post.bytes)) reasons.add("string or constant");
    } else if (pre.kind === "entry" && post.kind === "entry") {
      if (!this.#equalEntries(pre.entry, post.entry)) reasons.add(post.entry.layout.reason ?? "reference");
    } else if (pre.kind === "outside" && post.kind === "outside") {
      if (pre.symbol.name !== post.symbol.name || pre.addend !== post.addend || homeSection(pre.symbol) !== undefined)
        reasons.add("reference");
    } else if (pre.kind === "atom" && post.kind === "atom") {
      if (pre.offset !== post.offset) reasons.add("reference");
      else if (post.atom.symbol !== undefined || pre.atom.symbol !== undefined) {
        if (this.twins.get(post.atom) !== pre.atom) reasons.add("reference");
        else if (this.isPartOfCode(post.atom) && !this.#equalNameless(pre.atom, post.atom)) reasons.add("rodata");
      } else if (!this.#equalNameless(pre.atom, post.atom)) reasons.add(post.atom.rule.kind === "pieces" ? "alternative" : "rodata");
    } else {
      reasons.add("reference");
    }
  }

  /** Nameless content is the same if it reads the same. One that refers to itself is taken to be equal until shown otherwise. */
  #equalNameless(pre: Atom, post: Atom): boolean {
    let known = this.#nameless.get(pre);
    if (known === undefined) this.#nameless.set(pre, (known = new Map<Atom, boolean>()));
    const result = known.get(post);
    if (result !== undefined) return result;
    known.set(post, true);
    const equal =
      pre.rule.kind === post.rule.kind &&
      atomSize(pre) === atomSize(post) &&
      equalBytes(pre.data, post.data) &&
      this.#equalRelocations(pre.relocations, pre, post.relocations, post);
    known.set(post, equal);
    return equal;
  }
}

function isOfFunction({ rule, symbol }: Atom): boolean {
  return rule.kind === "data" && !rule.mutable && symbol !== undefined && staticLocalName(symbol.name) !== undefined;
}

function sideBySide(pre: readonly TableEntry[], post: readonly TableEntry[]): [TableEntry[], TableEntry[]][] {
  const sides = new Map<string, [TableEntry[], TableEntry[]]>();
  const add = (entry: TableEntry, side: 0 | 1): void => {
    const pair = sides.get(entry.section.name) ?? [[], []];
    pair[side].push(entry);
    sides.set(entry.section.name, pair);
  };
  for (const entry of pre) add(entry, 0);
  for (const entry of post) add(entry, 1);
  return [...sides.values()];
}
