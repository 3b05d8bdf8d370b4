import type { Btf } from "./btf.js";
import { compareEnums, type EnumLayout } from "./compare-enums.js";
import { compareRecords, type Rename } from "./compare-records.js";
import { isHeldByValue } from "./held-by-value.js";
import { layoutOf, spellMember, type RecordLayout } from "./layout.js";
import { findNamedTypes, findNumber, namedTypes, namelessStructs, typesBehind, type NamedType } from "./named-types.js";

/** What became of a layout. The last one is of an enum. */
export type ChangeKind = "size" | "members" | "padding" | "renamed" | "values";

export type Layout = { readonly kind: "record"; readonly record: RecordLayout } | { readonly kind: "enum"; readonly enum: EnumLayout };

/** A type for which new code expects another layout than the running kernel's objects have. */
export interface TypeFinding {
  /** `struct foo`, `atomic_t`, `enum {FIRST, …}` */
  readonly label: string;
  readonly kind: ChangeKind;
  readonly reasons: readonly string[];
  /** Of `renamed`: the members or enumerators that go by another name. */
  readonly renames?: readonly Rename[];
  readonly before: Layout;
  readonly after: Layout;
  /** Labels of types that hold this one by value, and differ for that reason alone. */
  readonly holders: readonly string[];
  /** It was compared with a type of another unit, from where it came. */
  readonly hasMoved?: boolean;
  /** The type that it comes in the place of, for objects that have another name. */
  readonly former?: string;
}

export interface TypeComparison {
  readonly findings: readonly TypeFinding[];
  /** What the user should know that is no finding. */
  readonly notes: readonly string[];
}

/**
 * Which structs, unions and enums of a unit have another layout than in the running kernel.
 * @param pre the types of the unpatched unit, which is what runs
 * @param post the types of the patched unit: those that its code uses. What pre does not have is new, and no finding
 * @param formerLabels for types that pre may have under another name: the labels that they may have there
 * @param only which labels of post are looked at; default all
 * @param running the running kernel's types, asked only about what differs: a type there that is laid out as in post settles it
 * @throws BtfFormatError for types that are made of themselves
 */
export function compareTypes(
  pre: Btf,
  post: Btf,
  running?: Btf,
  formerLabels: ReadonlyMap<string, readonly string[]> = new Map(),
  only?: ReadonlySet<string>,
): TypeComparison {
  const preTypes = namedTypes(pre);
  const byConstant = namelessEnumsByConstant(pre, preTypes);
  const changes: Change[] = [];
  const notes: string[] = [];
  for (const [label, candidates] of namedTypes(post)) {
    if (only?.has(label) === false) continue;
    for (const type of candidates) {
      const after = readLayout(post, type);
      const former = preTypes.has(label) ? [label] : (formerLabels.get(label) ?? []);
      const named = former.flatMap((name) => preTypes.get(name) ?? []);
      const before = (type.firstEnumerator === undefined ? named : namelessTwins(byConstant, after))
        .filter((candidate) => candidate.isEnum === type.isEnum)
        .map((candidate) => readLayout(pre, candidate));
      const [first, ...others] = before;
      if (first === undefined) continue;
      const difference = compareLayouts(first, after);
      if (difference === undefined || others.some((other) => compareLayouts(other, after) === undefined)) continue;
      if ("note" in difference) notes.push(`${label}: ${difference.note}: what the running kernel made for the old number has no more`);
      if (difference.kind === "count") continue;
      const verdict = running === undefined ? "differs" : askRunning(running, label, first, after);
      if (verdict === "agrees") continue;
      if (verdict === "knows neither")
        notes.push(`${label} of the unpatched source is not laid out as in ${running?.fileName ?? ""}: is it the source of that kernel?`);
      const renames = "renames" in difference ? { renames: difference.renames } : {};
      changes.push({ label, kind: difference.kind, reasons: difference.reasons, ...renames, before: first, after });
    }
  }
  return { findings: groupByCause(pre, post, changes), notes };
}

/**
 * Compares a type of the patched unit with one of another name of the unpatched one, in whose place it comes. Structs without a name are called by their text
 * (`struct { int n ; }`), numbers by the source's words (`unsigned long`).
 * @returns undefined where they are laid out alike, or one of them is not there
 * @throws BtfFormatError
 */
export function compareInPlaceOf(pre: Btf, former: string, post: Btf, text: string): TypeFinding | undefined {
  const [wasNumber, isNumber] = [findNumber(pre, former), findNumber(post, text)];
  if (wasNumber !== undefined && isNumber !== undefined) {
    // Single bytes are what anything is made of.
    if (wasNumber.size === isNumber.size || wasNumber.size === 1 || isNumber.size === 1) return undefined;
    const reasons = [`${text} has ${isNumber.size} bytes, and ${former} has ${wasNumber.size}`];
    const asLayout = (record: RecordLayout): Layout => ({ kind: "record", record });
    const layouts = { before: asLayout(wasNumber), after: asLayout(isNumber) };
    return { label: text, kind: "size", reasons, ...layouts, holders: [], hasMoved: true, former };
  }
  const before = typesCalled(pre, former).map((type) => readLayout(pre, type));
  const found = typesCalled(post, text);
  const label = found[0]?.label ?? text;
  const after = found.map((type) => readLayout(post, type));
  for (const now of after)
    for (const old of before) {
      const difference = compareLayouts(old, now);
      if (difference === undefined || difference.kind === "count") return undefined;
    }
  const [old, now] = [before[0], after[0]];
  const difference = old === undefined || now === undefined ? undefined : compareLayouts(old, now);
  if (old === undefined || now === undefined || difference === undefined || difference.kind === "count") return undefined;
  const { kind, reasons } = difference;
  return { label, kind, reasons, before: old, after: now, holders: [], hasMoved: true, former };
}

function typesCalled(btf: Btf, label: string): readonly NamedType[] {
  return label.includes("{") ? namelessStructs(btf, label) : (namedTypes(btf).get(label) ?? typesBehind(btf, label));
}

/** What the running kernel says of a type that has another layout with the patch. There can be several of one name. */
function askRunning(running: Btf, label: string, before: Layout, after: Layout): "agrees" | "differs" | "knows neither" {
  const layouts = findNamedTypes(running, label).map((type) => readLayout(running, type));
  if (layouts.some((layout) => compareLayouts(layout, after) === undefined)) return "agrees";
  const knowsPre = layouts.length === 0 || layouts.some((layout) => compareLayouts(layout, before) === undefined);
  return knowsPre ? "differs" : "knows neither";
}

type Change = Omit<TypeFinding, "holders">;

/** An enum without a name is known by any of its constants. */
function namelessEnumsByConstant(btf: Btf, types: ReadonlyMap<string, readonly NamedType[]>): ReadonlyMap<string, NamedType> {
  const enums = [...types.values()].flat().filter((type) => type.firstEnumerator !== undefined);
  return new Map(enums.flatMap((type) => btf.enumerators(type.id).map(({ name }) => [name, type] as const)));
}

function namelessTwins(byConstant: ReadonlyMap<string, NamedType>, after: Layout): NamedType[] {
  const twins = after.kind === "enum" ? after.enum.enumerators.map(({ name }) => byConstant.get(name)) : [];
  return [...new Set(twins.filter((twin) => twin !== undefined))];
}

function readLayout(btf: Btf, type: NamedType): Layout {
  return type.isEnum
    ? { kind: "enum", enum: { size: btf.size(type.id), enumerators: btf.enumerators(type.id) } }
    : { kind: "record", record: layoutOf(btf, type.id) };
}

function compareLayouts(before: Layout, after: Layout) {
  if (before.kind === "record") return after.kind === "record" ? compareRecords(before.record, after.record) : undefined;
  return after.kind === "enum" ? compareEnums(before.enum, after.enum) : undefined;
}

/**
 * Puts types that differ only because one that they hold by value does below that one. A type whose own declarations differ, or that holds
 * no type that differs, is a cause.
 */
function groupByCause(pre: Btf, post: Btf, changes: readonly Change[]): TypeFinding[] {
  const grown = changes.filter((change) => change.kind !== "padding" && change.kind !== "renamed" && change.after.kind === "record");
  const heldBy = (holder: Change): Change[] =>
    grown.filter(
      (held) =>
        held !== holder &&
        held.after.kind === "record" &&
        holder.after.kind === "record" &&
        isHeldByValue(post, held.after.record.id, holder.after.record),
    );
  const isCause = (change: Change): boolean =>
    !grown.includes(change) || isDeclaredOtherwise(pre, post, change) || heldBy(change).length === 0;
  const causes = changes.filter(isCause);
  const holders = new Map<Change, string[]>(causes.map((cause) => [cause, []]));
  for (const change of changes) {
    if (holders.has(change)) continue;
    for (const cause of causesOf(change, heldBy, holders)) holders.get(cause)?.push(change.label);
  }
  return causes.map((cause) => ({ ...cause, holders: [...new Set(holders.get(cause))].sort() }));
}

function causesOf(change: Change, heldBy: (holder: Change) => Change[], causes: ReadonlyMap<Change, unknown>): Set<Change> {
  const found = new Set<Change>();
  const seen = new Set<Change>([change]);
  for (const current of seen) {
    for (const held of heldBy(current)) {
      if (causes.has(held)) found.add(held);
      else seen.add(held);
    }
  }
  return found;
}

/** True where the members are not called and spelled as they were. */
function isDeclaredOtherwise(pre: Btf, post: Btf, { before, after }: Change): boolean {
  if (before.kind !== "record" || after.kind !== "record") return true;
  const spell = (btf: Btf, record: RecordLayout): string => record.members.map((member) => spellMember(btf, member)).join("\n");
  return spell(pre, before.record) !== spell(post, after.record);
}
