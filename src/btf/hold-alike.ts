import type { Btf } from "./btf.js";
import * as kinds from "./constants.js";
import { arePassedAlike } from "./pass-alike.js";
import { Budget, layoutOf, type Member } from "./layout.js";
import { checkDepth, isQualifier, isRecord, resolve, sizeOf } from "./resolve.js";

/**
 * True where two members hold the same, though their types may have other names: integers and enums of one size, a bool before the patch included, pointers to the same, arrays of
 * such, structs of one name and size, or structs with the same things at the same places (`atomic_t` and `refcount_t`). Two that the unit knows both, and that hold
 * pointers, are different things, for what they lead to (the entries of a `wait_queue_head` and of a `swait_queue_head`) shows nowhere.
 */
export function holdAlike(a: Btf, memberA: Member, b: Btf, memberB: Member): boolean {
  if (memberA.bitSize !== memberB.bitSize || memberA.isBitfield !== memberB.isBitfield) return false;
  if (memberA.isBitfield) return true;
  const nameA = nameOfRecord(a, memberA.type);
  const nameB = nameOfRecord(b, memberB.type);
  if (nameA !== undefined && nameA === nameB) return true;
  if (nameA !== undefined && nameB !== undefined && (a.idsNamed(nameB).length > 0 || b.idsNamed(nameA).length > 0))
    if (contentOf(a, memberA.type).pointers.length > 0) return false;
  return haveSameContent(a, memberA.type, b, memberB.type, new Set());
}

/** @param assumed pairs of types that are being compared, and taken to be alike meanwhile */
function haveSameContent(a: Btf, aId: number, b: Btf, bId: number, assumed: Set<string>): boolean {
  const [had, has] = [contentOf(a, aId), contentOf(b, bId)];
  if (had.text !== has.text || haveExchanged(had.names, has.names)) return false;
  // Of another number than 0 and 1 a compiler makes anything, if it is told that it is a bool.
  if (!has.bools.every((place) => had.bools.includes(place))) return false;
  return had.pointers.every((pointer, index) => pointAlike(a, pointer, b, has.pointers[index] ?? 0, assumed));
}

/** True where what both call by one name lies at other places: `start` and `end` of the one are `end` and `start` of the other. */
function haveExchanged(was: ReadonlyMap<string, ReadonlySet<number>>, is: ReadonlyMap<string, ReadonlySet<number>>): boolean {
  return [...is].some(([name, places]) => {
    const before = was.get(name);
    return before !== undefined && ![...places].some((place) => before.has(place));
  });
}

/** True where both lead to the same kind of thing; to a struct that has another name, if it is there under its new name only, and laid out alike. */
function pointAlike(a: Btf, aId: number, b: Btf, bId: number, assumed: Set<string>): boolean {
  if (arePassedAlike(a, aId, b, bId)) return true;
  const [to, otherTo] = [a.target(aId), b.target(bId)];
  const [was, is] = [nameOfRecord(a, to), nameOfRecord(b, otherTo)];
  if (was === undefined || is === undefined || a.idsNamed(is).length > 0) return false;
  const pair = `${String(resolve(a, to).id)} ${String(resolve(b, otherTo).id)}`;
  return assumed.has(pair) || haveSameContent(a, to, b, otherTo, assumed.add(pair));
}

/** What a struct or union is called, by its tag or its typedef; undefined for one without a name, and for every other type. */
function nameOfRecord(btf: Btf, id: number): string | undefined {
  const resolved = resolve(btf, id);
  if (!isRecord(btf.kind(resolved.id))) return undefined;
  return btf.isNamed(resolved.id) ? btf.name(resolved.id) : resolved.typedefName;
}

/** What lies in a type at which place, as text, and the types of the pointers among it, in their order. */
interface Content {
  readonly text: string;
  readonly pointers: readonly number[];
  /** Places of what is either 0 or 1. */
  readonly bools: readonly string[];
  /** At which bits members of each name lie, those of structs inside included. */
  readonly names: ReadonlyMap<string, ReadonlySet<number>>;
}

function contentOf(btf: Btf, id: number): Content {
  const leaves: Leaves = { texts: [], pointers: [], bools: [], names: new Map() };
  collectLeaves(btf, id, 0, "", leaves, new Budget(), 0);
  return { text: leaves.texts.join("; "), pointers: leaves.pointers, bools: leaves.bools, names: leaves.names };
}

interface Leaves {
  readonly texts: string[];
  readonly pointers: number[];
  readonly bools: string[];
  readonly names: Map<string, Set<number>>;
}

/** @param label the member's name, where no name of a type stands for it */
function collectLeaves(btf: Btf, id: number, bitOffset: number, label: string, leaves: Leaves, budget: Budget, depth: number): void {
  checkDepth(btf, id, depth);
  budget.spend(btf, id);
  const leaf = (what: string): void => {
    leaves.texts.push(`${label}${String(bitOffset)} ${what}`);
  };
  const { id: resolved, typedefName } = resolve(btf, id);
  const kind = btf.kind(resolved);
  if (isRecord(kind)) {
    const isNameless = !btf.isNamed(resolved) && typedefName === undefined;
    for (const member of layoutOf(btf, resolved, budget).members) {
      const at = bitOffset + member.bitOffset;
      leaves.names.set(member.name, (leaves.names.get(member.name) ?? new Set()).add(at));
      const name = isNameless ? `${label}${member.name} ` : label;
      if (member.isBitfield) leaves.texts.push(`${name}${String(at)} bits ${String(member.bitSize)}`);
      else collectLeaves(btf, member.type, at, name, leaves, budget, depth + 1);
    }
  } else if (kind === kinds.BTF_KIND_ARRAY) {
    const { element, count } = wholeArray(btf, resolved);
    const inner: Leaves = { texts: [], pointers: leaves.pointers, bools: [], names: new Map() };
    collectLeaves(btf, element, 0, "", inner, budget, depth + 1);
    leaves.bools.push(...inner.bools.map((place) => `${label}${String(bitOffset)} ${place}`));
    leaf(`[${String(count)}] of ${String(sizeOf(btf, element))}: {${inner.texts.join("; ")}}`);
  } else if (kind === kinds.BTF_KIND_PTR) {
    leaf("pointer");
    leaves.pointers.push(resolved);
  } else {
    if (kind === kinds.BTF_KIND_INT && btf.name(resolved) === "_Bool") leaves.bools.push(String(bitOffset));
    leaf(`${kind === kinds.BTF_KIND_FLOAT ? "float" : isBigEndian(btf, id) ? "big-endian" : "scalar"} ${String(sizeOf(btf, resolved))}`);
  }
}

/** True for `__be32` and its like: what objects hold is read differently. */
function isBigEndian(btf: Btf, id: number): boolean {
  for (let step = 0; ; step++) {
    checkDepth(btf, id, step);
    const kind = btf.kind(id);
    if (kind === kinds.BTF_KIND_TYPEDEF && /^__be\d+$/.test(btf.name(id))) return true;
    if (kind !== kinds.BTF_KIND_TYPEDEF && !isQualifier(kind)) return false;
    id = btf.target(id);
  }
}

/** Compilers and pahole write an array of arrays as one, or as several: here it is one. */
function wholeArray(btf: Btf, id: number): { readonly element: number; readonly count: number } {
  let { element, count } = btf.array(id);
  for (let step = 0; ; step++) {
    checkDepth(btf, id, step);
    const inner = resolve(btf, element).id;
    if (btf.kind(inner) !== kinds.BTF_KIND_ARRAY) return { element, count };
    ({ element, count } = { element: btf.array(inner).element, count: count * btf.array(inner).count });
  }
}
