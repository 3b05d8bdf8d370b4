import { atomName, isText, type Atom } from "../atoms/atom.js";
import type { CodeTables } from "../atoms/code-tables.js";
import type { Comparer } from "./compare.js";
import { coldParent } from "../../elf/made-names.js";
import * as refuse from "../refusals.js";
import type { SplitObject } from "../atoms/split-object.js";
import type { DataChange, DiffRefusal, FunctionChange } from "../types.js";

/** Which functions differ, with all that belongs to each: its tables, its cold pieces. */
export class ChangedCode {
  readonly functions: { changed: FunctionChange[]; new: FunctionChange[]; removed: FunctionChange[] } = {
    changed: [],
    new: [],
    removed: [],
  };
  /** Code of the post object that the update brings: changed and new functions with all their pieces. */
  readonly included = new Set<Atom>();
  /** Names of changed or new functions that are gone from memory. */
  readonly init: string[] = [];
  readonly #groups: ReadonlyMap<Atom, readonly Atom[]>;
  readonly #mainOf = new Map<Atom, Atom>();
  readonly #builtIn: boolean;

  constructor(
    readonly comparer: Comparer,
    preTables: CodeTables,
    postTables: CodeTables,
  ) {
    const { pre, post } = comparer;
    this.#builtIn = post.object.sections.some(({ name, size }) => name === ".exitcall.exit" && size > 0);
    this.#groups = groupPieces(post.atoms);
    for (const [main, pieces] of this.#groups) for (const atom of [main, ...pieces]) this.#mainOf.set(atom, main);

    const preGroups = groupPieces(pre.atoms);
    const preMainOf = new Map([...preGroups].flatMap(([main, pieces]) => [main, ...pieces].map((atom) => [atom, main] as const)));
    const continued = new Set<Atom>();
    for (const [main, pieces] of this.#groups) {
      const twin = comparer.twins.get(main);
      if (twin === undefined) {
        this.#addNew(main);
        continue;
      }
      continued.add(twin);
      const reasons = new Set<string>();
      if ((preGroups.get(twin)?.length ?? 0) !== pieces.length) reasons.add("code");
      for (const atom of [main, ...pieces]) {
        const other = comparer.twins.get(atom);
        if (other === undefined || preMainOf.get(other) !== twin) {
          reasons.add("code");
          continue;
        }
        const differences = comparer.differences(other, atom);
        for (const reason of differences) reasons.add(reason);
        // Where the code differs, so do the places in its tables.
        if (differences.length > 0) continue;
        for (const reason of comparer.entryDifferences(preTables.entriesOf.get(other) ?? [], postTables.entriesOf.get(atom) ?? []))
          reasons.add(reason);
      }
      if (reasons.size === 0) continue;
      if (this.isGone(main) || this.isGone(twin)) this.init.push(atomName(main));
      else this.#addChanged(main, twin, [...reasons]);
    }
    for (const main of preGroups.keys())
      if (!continued.has(main) && !this.isGone(main))
        this.functions.removed.push({ name: atomName(main), ...symbolOf("pre", main), reasons: [] });
  }

  /** True for code that has run and is gone from memory, or never was there. */
  isGone(atom: Atom): boolean {
    return atom.rule.kind === "text" && (atom.rule.area === "init" || (atom.rule.area === "exit" && this.#builtIn));
  }

  /**
   * Takes a function of the post object into the update whose own code is the same, for what it refers to is another.
   * @param piece the function or a piece of it
   * @returns false if it cannot be: it has no counterpart in the running kernel
   */
  includeReader(piece: Atom, reason: string): boolean {
    const main = this.#mainOf.get(piece);
    if (main === undefined) return false;
    if (this.included.has(main)) return true;
    const twin = this.comparer.twins.get(main);
    if (twin === undefined) return false;
    this.#addChanged(main, twin, [reason]);
    return true;
  }

  #addNew(main: Atom): void {
    if (this.isGone(main)) {
      this.init.push(atomName(main));
      return;
    }
    this.functions.new.push({ name: atomName(main), ...symbolOf("post", main), reasons: [] });
    this.#includeGroup(main);
  }

  #addChanged(main: Atom, twin: Atom, reasons: readonly string[]): void {
    this.functions.changed.push({ name: atomName(main), ...symbolOf("pre", twin), ...symbolOf("post", main), reasons });
    this.#includeGroup(main);
  }

  #includeGroup(main: Atom): void {
    for (const atom of [main, ...(this.#groups.get(main) ?? [])]) this.included.add(atom);
  }
}

/** Hand-written code that no symbol names can only stay as it is, and what it refers to as well. */
export function compareNamelessCode(comparer: Comparer): DiffRefusal[] {
  const [before, after] = [namelessCode(comparer.pre), namelessCode(comparer.post)];
  const isSame = (name: string): boolean => {
    const [had, has] = [before.get(name) ?? [], after.get(name) ?? []];
    return (
      had.length === has.length &&
      had.every((pre, index) => {
        const post = has[index];
        return post !== undefined && comparer.differences(pre, post).length === 0;
      })
    );
  };
  return [...new Set([...before.keys(), ...after.keys()])].filter((name) => !isSame(name)).map(refuse.namelessCode);
}

/**
 * Hand-written functions that lie at another distance from one another than before: code may go from one to the next by it (KVM's `fastop()`), and the running
 * kernel's stay where they are. With -ffunction-sections `.text` holds nothing else.
 */
export function findMovedApart(comparer: Comparer): DiffRefusal[] {
  const { pre, post, twins } = comparer;
  const named = (split: SplitObject): Atom[] =>
    split.atoms.filter(({ section, symbol }) => section.name === ".text" && symbol !== undefined);
  if (!post.atoms.some(({ section, symbol }) => symbol !== undefined && section.name === `.text.${symbol.name}`)) return [];
  const before = named(pre);
  const follower = new Map(before.map((atom, index) => [atom, before[index + 1]]));
  const after = named(post);
  const apart = after.flatMap((atom, index) => {
    const [next, twin] = [after[index + 1], twins.get(atom)];
    const nextTwin = next === undefined ? undefined : twins.get(next);
    if (next === undefined || twin === undefined || nextTwin === undefined || follower.get(twin) !== nextTwin) return [];
    if (next.start - atom.start === nextTwin.start - twin.start) return [];
    return [refuse.movedApart(atomName(atom), atomName(next), nextTwin.start - twin.start, next.start - atom.start)];
  });
  // One macro makes them all: what is said of the first goes for the others.
  return apart.slice(0, 1);
}

/** By its section. */
function namelessCode(split: SplitObject): Map<string, Atom[]> {
  const bySection = new Map<string, Atom[]>();
  for (const atom of split.atoms)
    if (isText(atom) && atom.symbol === undefined) bySection.set(atom.section.name, [...(bySection.get(atom.section.name) ?? []), atom]);
  return bySection;
}

/** Functions with the cold pieces that belong to each, in the object's order. A piece without its function counts as a function. */
export function groupPieces(atoms: readonly Atom[]): Map<Atom, Atom[]> {
  const byName = new Map<string, Atom>();
  const text = atoms.filter((atom) => isText(atom) && atom.symbol !== undefined);
  for (const atom of text) for (const { name } of atom.symbols) byName.set(name, atom);
  const parentOf = (atom: Atom): Atom | undefined => byName.get(coldParent(atomName(atom)) ?? "");
  const groups = new Map<Atom, Atom[]>();
  for (const atom of text) if (parentOf(atom) === undefined) groups.set(atom, []);
  for (const atom of text) {
    const parent = parentOf(atom);
    if (parent !== undefined) groups.get(parent)?.push(atom);
  }
  return groups;
}

function symbolOf(side: "pre" | "post", atom: Atom): Pick<DataChange, "pre" | "post"> {
  return atom.symbol === undefined ? {} : { [side]: atom.symbol };
}
