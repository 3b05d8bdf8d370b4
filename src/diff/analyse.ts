import { R_X86_64_PC8 } from "../elf/constants.js";
import { COMMON, type ElfObject } from "../elf/model.js";
import { atomName, isText, type Atom } from "./atom.js";
import { readCodeTables, type CodeTables } from "./code-tables.js";
import { Comparer } from "./compare.js";
import { correlate, type Twins } from "./correlate.js";
import { compareData } from "./compare-data.js";
import { findHooks, type Hook } from "./hooks.js";
import { coldParent } from "./names.js";
import * as refuse from "./refusals.js";
import { SplitObject } from "./split-object.js";
import type { DataChange, DiffRefusal, FunctionChange, ObjectDiff } from "./types.js";

/** Everything that comparing two objects finds out. */
export interface Analysis {
  readonly pre: SplitObject;
  readonly post: SplitObject;
  readonly postTables: CodeTables;
  readonly twins: Twins;
  /** Code of the post object that goes into the update: changed and new functions with all their pieces. */
  readonly included: ReadonlySet<Atom>;
  /** Constants that changed and that only included code reads: carried like new ones. */
  readonly replaced: ReadonlySet<Atom>;
  /** The patch's own hooks. */
  readonly hooks: readonly Hook[];
  readonly functions: ObjectDiff["functions"];
  readonly data: ObjectDiff["data"];
  readonly refusals: readonly DiffRefusal[];
  readonly notes: readonly string[];
}

export function analyse(preObject: ElfObject, postObject: ElfObject): Analysis {
  const pre = new SplitObject(preObject);
  const post = new SplitObject(postObject);
  const preTables = readCodeTables(pre);
  const postTables = readCodeTables(post);
  const refusals: DiffRefusal[] = [
    ...unique([...pre.unknownSections, ...post.unknownSections].map(({ name }) => name)).map(refuse.unknownSection),
    ...unique([...preTables.unreadable, ...postTables.unreadable].map(({ name }) => name)).map(refuse.unreadableTable),
    ...postObject.symbols.filter(({ home }) => home === COMMON).map(({ name }) => refuse.commonSymbol(name)),
  ];
  const twins = correlate(pre, post);
  const comparer = new Comparer(pre, post, twins);

  const code = compareCode(comparer, preTables, postTables);
  const { included, functions, init, notes } = code;
  const hooks = findHooks(post, twins, included);
  const data = compareData(comparer, included, hooks.hooks);
  refusals.push(...hooks.refusals, ...data.refusals);
  for (const atom of included)
    for (const relocation of atom.relocations) {
      const target = relocation.type === R_X86_64_PC8 ? post.target(relocation, atom) : undefined;
      if (target?.kind === "atom") refusals.push(refuse.shortBranch(atomName(atom), atomName(target.atom), atom.section.name));
    }
  refusals.push(...compareNamelessCode(comparer));

  const changedAtAll = functions.changed.length + functions.new.length + functions.removed.length + data.new.length + data.changed.length;
  const [firstInit] = init;
  if (firstInit !== undefined && changedAtAll === 0 && refusals.length === 0) refusals.push(refuse.initOnly(firstInit));

  return {
    pre,
    post,
    postTables,
    twins,
    included,
    replaced: data.replaced,
    hooks: hooks.hooks,
    functions,
    data: { changed: data.changed, new: data.new, removed: data.removed },
    refusals: uniqueRefusals(refusals),
    notes: [
      ...notes,
      ...hooks.notes,
      ...data.notes,
      ...(init.length > 0 ? [`changed initialization code has run already: ${init.join(", ")}`] : []),
    ],
  };
}

interface CodeComparison {
  included: Set<Atom>;
  functions: { changed: FunctionChange[]; new: FunctionChange[]; removed: FunctionChange[] };
  /** Names of changed or new functions that are gone from memory. */
  init: string[];
  notes: string[];
}

function compareCode(comparer: Comparer, preTables: CodeTables, postTables: CodeTables): CodeComparison {
  const { pre, post, twins } = comparer;
  const builtIn = post.object.sections.some(({ name, size }) => name === ".exitcall.exit" && size > 0);
  const isGone = (atom: Atom): boolean =>
    atom.rule.kind === "text" && (atom.rule.area === "init" || (atom.rule.area === "exit" && builtIn));
  const result: CodeComparison = { included: new Set(), functions: { changed: [], new: [], removed: [] }, init: [], notes: [] };

  const preFunctions = groupPieces(pre.atoms);
  const preGroupOf = new Map([...preFunctions].flatMap(([main, pieces]) => [main, ...pieces].map((atom) => [atom, main] as const)));
  const continued = new Set<Atom>();
  for (const [main, pieces] of groupPieces(post.atoms)) {
    const group = [main, ...pieces];
    const twin = twins.get(main);
    const name = atomName(main);
    if (twin === undefined) {
      if (isGone(main)) result.init.push(name);
      else {
        result.functions.new.push({ name, ...symbolOf("post", main), reasons: [] });
        for (const atom of group) result.included.add(atom);
      }
      continue;
    }
    continued.add(twin);
    const reasons = new Set<string>();
    const prePieces = preFunctions.get(twin) ?? [];
    if (prePieces.length !== pieces.length) reasons.add("code");
    for (const atom of group) {
      const other = twins.get(atom);
      if (other === undefined || preGroupOf.get(other) !== twin) {
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
    if (isGone(main) || isGone(twin)) result.init.push(name);
    else {
      result.functions.changed.push({ name, ...symbolOf("pre", twin), ...symbolOf("post", main), reasons: [...reasons] });
      for (const atom of group) result.included.add(atom);
    }
  }
  for (const main of preFunctions.keys())
    if (!continued.has(main) && !isGone(main))
      result.functions.removed.push({ name: atomName(main), ...symbolOf("pre", main), reasons: [] });
  return result;
}

/** Hand-written code that no symbol names can only stay as it is. */
function compareNamelessCode({ pre, post }: Comparer): DiffRefusal[] {
  const contents = (split: SplitObject): Map<string, string> =>
    new Map(
      split.atoms.filter((atom) => isText(atom) && atom.symbol === undefined).map(({ section, data }) => [section.name, data.join()]),
    );
  const before = contents(pre);
  const after = contents(post);
  return [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name)).map(refuse.namelessCode);
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

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}

function uniqueRefusals(refusals: readonly DiffRefusal[]): DiffRefusal[] {
  return [...new Map(refusals.map((refusal) => [`${refusal.code} ${refusal.symbol}`, refusal])).values()];
}
