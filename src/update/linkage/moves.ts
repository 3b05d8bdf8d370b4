import { isPaddingName } from "../../elf/made-names.js";
import { atomSize, contentOf, equalBytes, isText, type Atom } from "../../diff/atoms/atom.js";
import { STB_LOCAL } from "../../elf/constants.js";
import { UNDEFINED, type ElfSymbol } from "../../elf/model.js";
import type { NewCodeImport } from "../../diff/types.js";
import type { SplitObject } from "../../diff/atoms/split-object.js";
import type { UnitDiff } from "../units/unit-diff.js";
import * as refuse from "./refusals.js";
import type { LinkageRefusal } from "./refusals.js";
import { chosenOf, type Definition, type GlobalName } from "./symbol-table.js";

/** A function that the patched kernel has in another unit, or of which another definition counts there: its old code is led to the new one. */
export interface MovedFunction {
  readonly name: string;
  readonly from: Definition;
  readonly to: Definition;
}

/** A variable or constant that the patched kernel has in another unit: new code uses the running one. */
export interface MovedData {
  readonly name: string;
  readonly from: Definition;
  readonly to: Definition;
}

export interface Moves {
  readonly functions: readonly MovedFunction[];
  readonly data: readonly MovedData[];
  /** Names that the running kernel must not have yet, with the target that gets them. */
  readonly added: readonly { readonly target: string; readonly name: string; readonly entry: UnitDiff }[];
  readonly refusals: readonly LinkageRefusal[];
}

/** Finds names whose definition is another one after the patch than before. */
export function findMoves(names: readonly GlobalName[]): Moves {
  const functions: MovedFunction[] = [];
  const data: MovedData[] = [];
  const added: { target: string; name: string; entry: UnitDiff }[] = [];
  const refusals: LinkageRefusal[] = [];
  for (const { target, name, before, after } of names) {
    const [from, to] = [chosenOf(before), chosenOf(after)];
    if (to === undefined) {
      // Several definitions of one name: what changes is not known to be what runs.
      if (after.length > 1 && after.some(isChanged))
        refusals.push(...after.slice(0, 1).map(({ entry }) => refuse.severalDefinitions(entry, name)));
      continue;
    }
    if (from === undefined) {
      if (before.length > 1) refusals.push(refuse.severalDefinitions(to.entry, name));
      // A static one that loses its `static` is where it was.
      else if (!to.analysis.twins.has(to.atom)) added.push({ target, name, entry: to.entry });
      else if (!hadName(to, name)) refusals.push(refusalOfNewName(to, name));
      continue;
    }
    if (isContinued(from, to)) continue;
    const refusal = refusalOfMove(name, from, to);
    if (refusal !== undefined) refusals.push(refusal);
    else if (isText(from.atom)) functions.push({ name, from, to });
    else data.push({ name, from, to });
  }
  return { functions, data, added, refusals };
}

/**
 * Functions that go from one target to another, while code of the first that may stay as it is calls them: it would go on with the old one, which nothing leads
 * to the new one in another module.
 */
export function findMovesToOtherTargets(
  diffs: readonly UnitDiff[],
  added: Moves["added"],
  left: readonly { readonly entry: UnitDiff; readonly name: string; readonly namedIn: string | undefined }[],
): LinkageRefusal[] {
  return left.flatMap(({ entry, name, namedIn }) => {
    const { target } = entry.unit;
    const to = added.find((other) => other.name === name && other.target !== target);
    const user =
      namedIn ??
      diffs.find(({ unit, diff }) => unit.target === target && diff.post.symbols.some((symbol) => isUseOf(symbol, name)))?.unit.path;
    return to === undefined || user === undefined ? [] : [refuse.movesToOtherTarget(to.entry, name, target, user)];
  });
}

/**
 * Callbacks that go to another unit, and are static before or after: who holds the old pointer goes on with the old code, for nothing leads it to a function
 * that only has the same name.
 */
export function findMovedCallbacks(
  diffs: readonly UnitDiff[],
  left: readonly { readonly entry: UnitDiff; readonly name: string; readonly mayBeCalled: boolean }[],
): LinkageRefusal[] {
  return left.flatMap(({ entry, name, mayBeCalled }) => {
    if (!mayBeCalled) return [];
    const to = diffs.find(
      ({ unit, diff }) =>
        unit.target === entry.unit.target && unit.path !== entry.unit.path && diff.functions.new.some((other) => other.name === name),
    );
    return to === undefined ? [] : [refuse.callbackMoves(to, name, entry.unit.path)];
  });
}

function isUseOf(symbol: ElfSymbol, name: string): boolean {
  return symbol.name === name && symbol.home === UNDEFINED;
}

function isContinued(from: Definition, to: Definition): boolean {
  return from.entry === to.entry && to.analysis.twins.get(to.atom) === from.atom;
}

/** True if what the running kernel has in the place of a definition goes by that name already. */
function hadName({ analysis, atom }: Definition, name: string): boolean {
  return analysis.twins.get(atom)?.symbols.some((symbol) => symbol.name === name) === true;
}

/** @param to what the running kernel has, but not under this name */
function refusalOfNewName({ entry, atom, analysis }: Definition, name: string): LinkageRefusal {
  const other = atom.symbols.find((symbol) => symbol.name !== name && !isPaddingName(symbol.name));
  return other === undefined
    ? refuse.newGlobalName(entry, name, analysis.twins.get(atom)?.symbol?.name ?? name)
    : refuse.newAlias(entry, name, other.name);
}

function isChanged({ analysis, atom }: Definition): boolean {
  return analysis.included.has(atom);
}

function refusalOfMove(name: string, from: Definition, to: Definition): LinkageRefusal | undefined {
  if (isText(from.atom) !== isText(to.atom)) return refuse.changedKind(to.entry, name);
  // What has a counterpart of its own in the running kernel, a weak definition that lost or another name's code, is not in the update.
  if (to.analysis.twins.has(to.atom)) return refuse.otherDefinitionWins(to.entry, name, from.entry.unit.path);
  // It goes on under its name, as a static one: what runs cannot be both.
  const [stays] = [...from.analysis.twins].find(([, pre]) => pre === from.atom) ?? [];
  if (stays?.symbols.some((symbol) => symbol.name === name && symbol.bind === STB_LOCAL) === true)
    return refuse.staysAsStatic(to.entry, name, from.entry.unit.path);
  const others = from.atom.symbols.filter((symbol) => symbol.bind !== 0 && symbol.name !== name && !isPaddingName(symbol.name));
  if (others.length > 0) return refuse.movedAlias(to.entry, name, others[0]?.name ?? "");
  if (isText(from.atom)) return undefined;
  return isSameData(from, to) ? undefined : refuse.movedDataDiffers(to.entry, name, from.entry.unit.path);
}

/** One kind, size and initial value: otherwise the new source believes in something that the running object is not. */
function isSameData(from: Definition, to: Definition): boolean {
  const [a, b] = [from.atom, to.atom];
  if (a.rule.kind !== "data" || b.rule.kind !== "data") return false;
  if (a.rule.mutable !== b.rule.mutable || a.rule.perCpu !== b.rule.perCpu || atomSize(a) !== atomSize(b)) return false;
  if (a.rule.memory !== b.rule.memory) return false;
  return equalBytes(contentOf(a), contentOf(b)) && describeTargets(from.analysis.pre, a) === describeTargets(to.analysis.post, b);
}

function describeTargets(split: SplitObject, atom: Atom): string {
  return atom.relocations
    .map((relocation) => {
      const target = split.target(relocation, atom);
      const place = `${String(relocation.offset)} ${relocation.type.name}`;
      if (target.kind === "literal") return `${place} ${String(target.delta)} ${target.bytes.join()}`;
      if (target.kind === "outside") return `${place} ${target.symbol.name} ${String(target.addend)}`;
      if (target.kind === "entry") return `${place} an entry of ${target.entry.section.name} of its own`;
      return `${place} ${target.atom === atom ? "itself" : (target.atom.symbol?.name ?? target.atom.section.name)} ${String(target.offset)}`;
    })
    .join("\n");
}

/** How new code of any unit imports what has moved: the running kernel's address of it, by its name in the unit that had it. */
export function importOfMoved({ name, from }: MovedFunction | MovedData): NewCodeImport {
  return { name: `${from.entry.unit.path}:${from.symbol.name}`, symbol: name };
}
