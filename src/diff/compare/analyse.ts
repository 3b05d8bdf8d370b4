import { COMMON, type ElfObject } from "../../elf/model.js";
import { findAddressTaken } from "../atoms/address-taken.js";
import { findChangedAliases } from "./aliases.js";
import { atomName, type Atom } from "../atoms/atom.js";
import { collectCarried } from "./carried.js";
import { settleConstants, type DataWrite } from "./changed-constants.js";
import { OriginChooser } from "./choose-origin.js";
import { ChangedCode, compareNamelessCode, findMovedApart } from "./changed-code.js";
import { compareExports, type ExportEntry } from "../atoms/exports.js";
import type { CodeTables } from "../atoms/code-tables.js";
import { findChangedMarks } from "./changed-marks.js";
import { Comparer } from "./compare.js";
import { compareData } from "./compare-data.js";
import { compareRegistrations } from "./compare-registrations.js";
import { correlate, type CorrelationTrace } from "./correlate.js";
import type { Twins } from "./group.js";
import { findHooks, type Hook } from "./hooks.js";
import { checkInitReferences } from "./init-references.js";
import { compareModuleInfo } from "./module-info.js";
import { findNotedPointers } from "./noted-pointers.js";
import { findRegisteredTables } from "./registered-tables.js";
import { findExchangedNames } from "./renamed-functions.js";
import { findToldFunctions } from "./told-functions.js";
import * as refuse from "../refusals.js";
import { namesThatStay, SplitObject } from "../atoms/split-object.js";
import type { DataChanges, DiffRefusal, FunctionChange, FunctionChanges } from "../types.js";

/** Everything that comparing two objects finds out. */
export interface Analysis {
  readonly pre: SplitObject;
  readonly post: SplitObject;
  readonly postTables: CodeTables;
  readonly twins: Twins;
  /** Functions that the patch calls by another name: the pre atom by the post atom. */
  readonly renamed: Twins;
  /** Code of the post object that goes into the update: changed and new functions with all their pieces. */
  readonly included: ReadonlySet<Atom>;
  /** Constants that changed and are carried like new ones: whatever reads them is in the update, or is made to point to the new one. */
  readonly replaced: ReadonlySet<Atom>;
  /** Existing data that the update overwrites. */
  readonly writes: readonly DataWrite[];
  /** Symbols that the patch newly offers to modules. */
  readonly addedExports: readonly ExportEntry[];
  /** The patch's own hooks. */
  readonly hooks: readonly Hook[];
  readonly functions: FunctionChanges;
  readonly data: DataChanges;
  readonly refusals: readonly DiffRefusal[];
  readonly notes: readonly string[];
}

/**
 * All that comparing two objects of a unit finds out; diffObjects() says what of it is shown.
 * @throws Error where an object contradicts itself
 */
export function analyse(preObject: ElfObject, postObject: ElfObject, trace?: CorrelationTrace): Analysis {
  const pre = new SplitObject(preObject);
  const post = new SplitObject(postObject);
  const { tables: preTables } = pre;
  const { tables: postTables } = post;
  const refusals: DiffRefusal[] = [
    ...unique([...pre.unknownSections, ...post.unknownSections].map(({ name }) => name)).map(refuse.unknownSection),
    ...unique([...preTables.unreadable, ...postTables.unreadable].map(({ name }) => name)).map(refuse.unreadableTable),
    ...postObject.symbols.filter(({ home }) => home === COMMON).map(({ name }) => refuse.commonSymbol(name)),
  ];
  const { twins, renamed, undecided } = correlate(pre, post, trace);
  const comparer = new Comparer(pre, post, twins);

  const code = new ChangedCode(comparer, preTables, postTables);
  const hooks = findHooks(post, twins, code.included);
  const data = compareData(comparer, hooks.hooks);
  // May find further functions that have to be replaced: those that read a constant which moves.
  const constants = settleConstants(code, data.constants);
  const registrations = compareRegistrations(comparer);
  const exports = compareExports(preObject, postObject);
  const { included } = code;
  const { functions } = code;
  const changedData = [...data.changed, ...constants.changed];
  refusals.push(
    ...hooks.refusals,
    ...data.refusals,
    ...constants.refusals,
    ...registrations.refusals,
    ...findShortBranches(included, post),
    ...compareNamelessCode(comparer),
    ...findMovedApart(comparer),
    ...findChangedAliases(pre, post, twins),
    ...findToldFunctions(pre, post, twins),
    ...findRegisteredTables(code, constants),
    ...findNotedPointers(comparer, constants.writes),
    ...findExchangedNames(pre, post, twins, included).map(({ after, before }) => refuse.exchangedName(atomName(after), atomName(before))),
    ...undecided.map((pair) => refuse.splitState(atomName(pair.pre), atomName(pair.post))),
  );
  const { replaced, writes } = constants;
  const chooser = new OriginChooser({ post, twins, included, replaced });
  const carried = collectCarried({ post, postTables, twins, included, hooks: hooks.hooks, writes }, chooser, namesThatStay(pre));
  refusals.push(...findSpecialMemory(carried, twins));
  refusals.push(...checkInitReferences({ comparer, code }, carried, hooks.hooks));

  const init = [...code.init, ...data.init, ...constants.init];
  const lists = [functions.changed, functions.new, functions.removed, data.new, changedData, exports.added];
  const changedAtAll = lists.some((list) => list.length > 0);
  const marks = [...findChangedMarks(preTables, postTables, twins), ...data.marks, ...compareModuleInfo(preObject, postObject)];
  const lateExports = [...exports.removed, ...exports.regraded].map(({ name }) => ({ name, what: EXPORTS }));
  const [[firstInit], [firstMark]] = [init, [...marks, ...lateExports]];
  if (!changedAtAll && refusals.length === 0) {
    if (firstMark !== undefined) refusals.push(refuse.changedMark(firstMark.name, firstMark.what));
    else if (firstInit !== undefined) refusals.push(refuse.initOnly(firstInit));
  }

  return {
    pre,
    post,
    postTables,
    twins,
    renamed,
    included,
    replaced,
    writes,
    addedExports: exports.added,
    hooks: hooks.hooks,
    functions,
    data: { changed: changedData, new: data.new, removed: data.removed },
    refusals: uniqueRefusals(refusals),
    notes: [
      ...exports.notes,
      ...noteRemoved(functions.removed, pre),
      ...[...renamed].filter(([after]) => included.has(after)).map(([after, before]) => noteRenamed(atomName(before), atomName(after))),
      ...hooks.notes,
      ...data.notes,
      ...constants.notes,
      ...registrations.notes,
      ...marks.map(({ name, what }) => `${name}: whether it is on ${what} was settled when the kernel started`),
      ...initNotes(code.init, [...data.init, ...constants.init]),
    ],
  };
}

const EXPORTS = "the list of symbols that modules may use, or who may";

/** Old code stays where it is. Where pointers to it may be alive, it also goes on being called, and that is for the user to judge. */
function noteRemoved(removed: readonly FunctionChange[], pre: SplitObject): string[] {
  const taken = new Set([...findAddressTaken(pre)].flatMap(({ symbols }) => symbols));
  return removed
    .filter(({ pre: symbol }) => symbol !== undefined && taken.has(symbol))
    .map(({ name }) => `${name} is removed by the patch; its old code stays, since pointers to it may be alive`);
}

function noteRenamed(before: string, after: string): string {
  return `${before} is called ${after} by the patch: what holds a pointer to the old one is led to the new code`;
}

function initNotes(code: readonly string[], data: readonly string[]): string[] {
  return [
    ...(data.length > 0 ? [`changed initialization data has been used already: ${[...data].sort().join(", ")}`] : []),
    ...(code.length > 0 ? [`changed initialization code has run already: ${[...code].sort().join(", ")}`] : []),
  ];
}

function findShortBranches(included: ReadonlySet<Atom>, post: SplitObject): DiffRefusal[] {
  return [...included].flatMap((atom) =>
    atom.relocations.flatMap((relocation) => {
      const target = relocation.type === post.object.machine.shortBranch ? post.target(relocation, atom) : undefined;
      return target?.kind === "atom" ? [refuse.shortBranch(atomName(atom), atomName(target.atom), atom.section.name)] : [];
    }),
  );
}

/** New data in memory that only the kernel's image has. */
function findSpecialMemory(carried: ReadonlySet<Atom>, twins: Twins): DiffRefusal[] {
  return [...carried].flatMap((atom) => {
    const memory = atom.rule.kind === "data" ? atom.rule.memory : undefined;
    // What is read-only is made an ordinary variable.
    return memory === undefined || memory === "read-only" || twins.has(atom) ? [] : [refuse.specialMemory(atomName(atom), memory)];
  });
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}

function uniqueRefusals(refusals: readonly DiffRefusal[]): DiffRefusal[] {
  return [...new Map(refusals.map((refusal) => [`${refusal.code} ${refusal.symbol}`, refusal])).values()];
}
