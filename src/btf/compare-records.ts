import type { Btf } from "./btf.js";
import { BTF_KIND_PTR } from "./constants.js";
import { holdAlike } from "./hold-alike.js";
import { spellMember, type Member, type RecordLayout } from "./layout.js";
import { isRecord, resolve } from "./resolve.js";

/** How the layout of a struct or union differs. */
export interface RecordChange {
  /**
   * `padding`: all is where it was, and what is new lies in bits that nothing used. `renamed`: all is as it was, but under another name; or one thing went and another
   * came in its place, which only the source can tell.
   */
  readonly kind: "size" | "members" | "padding" | "renamed";
  /** What differs, in words, the most telling first. */
  readonly reasons: readonly string[];
  /** Of `renamed`. */
  readonly renames?: readonly Rename[];
}

/** A member's name before and after. */
export interface Rename {
  readonly before: string;
  readonly after: string;
}

/** Names of members that hold nothing: `reserved`, `__pad2`, `unused_bits`, `rsvd`. */
const SPARE_NAME = /(?:^|[_.\d])_*(?:reserved?|resv|rsvd|pad|padding|unused|spare|filler)_*\d*(?:$|[_.])/i;

/** True for a member that is there to be given a use later. */
export function isSpareName(name: string): boolean {
  return SPARE_NAME.test(name);
}

/**
 * Compares two layouts of one struct or union. A member of another scalar type of the same size is the same one; one that is called `reserved` or
 * the like is padding.
 * @returns undefined where code that knows the one can work on objects of the other
 */
export function compareRecords(before: RecordLayout, after: RecordLayout): RecordChange | undefined {
  const { kept, gone, added } = pairMembers(before, after);
  const used = before.members.filter((member) => !isSpareName(member.name));
  const harms: string[] = [];
  const intoPadding: string[] = [];
  for (const member of added) {
    if (isSpareName(member.name)) continue;
    // What has no size, as a flexible array, is in nobody's way.
    const other = member.bitSize === 0 ? undefined : used.find((candidate) => overlap(candidate, member));
    if (other === undefined) intoPadding.push(`${member.name} takes ${placeOf(member)}, where nothing was${spareAt(before, member)}`);
    else harms.push(`${member.name} is new and takes ${placeOf(member)}, where ${other.name} is`);
  }
  for (const member of gone) if (!isSpareName(member.name)) harms.push(`${member.name} is gone`);
  for (const [old, now] of kept) {
    if (!holdAlike(before.btf, old, after.btf, now)) harms.push(describeOtherType(before.btf, old, after.btf, now));
    else if (isSpareName(old.name) !== isSpareName(now.name))
      intoPadding.push(`${old.name} at ${placeText(old)} is now called ${now.name}`);
  }
  harms.push(...describeMoves(kept));

  if (before.size !== after.size) {
    const verb = before.size < after.size ? "grows" : "shrinks";
    return { kind: "size", reasons: [`it ${verb} from ${String(before.size)} to ${String(after.size)} bytes`, ...harms, ...intoPadding] };
  }
  if (harms.length > 0) return { kind: "members", reasons: [...harms, ...intoPadding] };
  const renames = kept.filter(isRenamed).map(([old, now]): Rename => ({ before: old.name, after: now.name }));
  const renamed = renames.map((rename) => `${rename.before} is called ${rename.after}, or another thing has its place`);
  if (intoPadding.length > 0) return { kind: "padding", reasons: [...intoPadding, ...renamed] };
  return renames.length > 0 ? { kind: "renamed", reasons: renamed, renames } : undefined;
}

function isRenamed([old, now]: readonly [old: Member, now: Member]): boolean {
  return old.name !== now.name && !isSpareName(old.name) && !isSpareName(now.name);
}

/** Every member's move is said while there are few; of many, the first. */
function describeMoves(kept: readonly (readonly [old: Member, now: Member])[]): string[] {
  const moved = kept.filter(([old, now]) => old.bitOffset !== now.bitOffset);
  const texts = moved.map(([old, now]) => `${now.name} moves from ${placeText(old)} to ${placeText(now)}`);
  return texts.length <= 3 ? texts : [`${texts[0] ?? ""}, and ${String(texts.length - 1)} more members move`];
}

interface Pairing {
  readonly kept: readonly (readonly [old: Member, now: Member])[];
  readonly gone: readonly Member[];
  readonly added: readonly Member[];
}

/** Members go together by name; of the others, those that lie at one place and hold the same: they were renamed. */
function pairMembers(before: RecordLayout, after: RecordLayout): Pairing {
  const kept: (readonly [Member, Member])[] = [];
  const taken = new Set<Member>();
  const byName = new Map(after.members.map((member) => [member.name, member]));
  const unpaired: Member[] = [];
  for (const old of before.members) {
    const now = byName.get(old.name);
    // A spare member keeps its name and loses a part of its bits: that is what it is for.
    if (now === undefined || taken.has(now) || (isSpareName(old.name) && !isSame(before.btf, old, after.btf, now))) unpaired.push(old);
    else {
      kept.push([old, now]);
      taken.add(now);
    }
  }
  const gone: Member[] = [];
  const byPlace = new Map<number, Member[]>();
  for (const now of after.members) if (!taken.has(now)) byPlace.set(now.bitOffset, [...(byPlace.get(now.bitOffset) ?? []), now]);
  for (const old of unpaired) {
    const now = byPlace.get(old.bitOffset)?.find((candidate) => !taken.has(candidate) && isSame(before.btf, old, after.btf, candidate));
    if (now === undefined) gone.push(old);
    else {
      kept.push([old, now]);
      taken.add(now);
    }
  }
  return { kept, gone, added: after.members.filter((member) => !taken.has(member)) };
}

function isSame(a: Btf, old: Member, b: Btf, now: Member): boolean {
  return old.bitOffset === now.bitOffset && holdAlike(a, old, b, now);
}

function describeOtherType(a: Btf, old: Member, b: Btf, now: Member): string {
  const [was, is] = [spellMember(a, old), spellMember(b, now)];
  if (was !== is) return `${is} was ${was}`;
  const [had, has] = [resolve(a, old.type).id, resolve(b, now.type).id];
  if (a.kind(had) === BTF_KIND_PTR && b.kind(has) === BTF_KIND_PTR) {
    const isToRecord = isRecord(a.kind(resolve(a, a.target(had)).id));
    return isToRecord ? `${now.name} points to what is laid out otherwise` : `${now.name} points to what takes or returns something else`;
  }
  return old.bitSize === now.bitSize ? `${now.name} holds other things` : `${now.name} has ${sizeText(now)} where it had ${sizeText(old)}`;
}

function overlap(a: Member, b: Member): boolean {
  return a.bitOffset < b.bitOffset + b.bitSize && b.bitOffset < a.bitOffset + a.bitSize;
}

function spareAt(before: RecordLayout, member: Member): string {
  const spare = before.members.find((candidate) => overlap(candidate, member));
  return spare === undefined ? "" : ` but ${spare.name}`;
}

function sizeText(member: Member): string {
  return member.isBitfield ? `${String(member.bitSize)} bits` : `${String(member.bitSize / 8)} bytes`;
}

function placeText(member: Member): string {
  return `offset ${offsetText(member.bitOffset, member.isBitfield)}`;
}

/** Byte, and the bit in it for a bit-field: `12`, `12:3`. */
export function offsetText(bitOffset: number, isBitfield: boolean): string {
  const byte = String(Math.floor(bitOffset / 8));
  return isBitfield ? `${byte}:${String(bitOffset % 8)}` : byte;
}

function placeOf(member: Member): string {
  return `${sizeText(member)} at ${placeText(member)}`;
}
