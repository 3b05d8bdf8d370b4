import * as kinds from "./constants.js";
import type { TypeFinding } from "./compare-types.js";
import { holdAlike } from "./hold-alike.js";
import type { Member, RecordLayout } from "./layout.js";
import { resolve } from "./resolve.js";

/** A member that points to functions, and that points to functions which take or return something else with the patch. */
export interface ChangedCallback {
  /** The struct: `struct foo`. */
  readonly label: string;
  readonly member: string;
}

/** Those of a finding, where it has no other difference; else undefined. */
export function changedCallbacks({ label, before, after, hasMoved }: TypeFinding): ChangedCallback[] | undefined {
  if (hasMoved === true || before.kind !== "record" || after.kind !== "record") return undefined;
  const [old, now] = [before.record, after.record];
  if (old.isUnion || old.size !== now.size || old.members.length !== now.members.length) return undefined;
  const changed: ChangedCallback[] = [];
  for (const [index, member] of old.members.entries()) {
    const other = now.members[index];
    if (other === undefined || !isSamePlace(member, other)) return undefined;
    if (holdAlike(old.btf, member, now.btf, other)) continue;
    if (!pointsToFunction(old, member) || !pointsToFunction(now, other)) return undefined;
    changed.push({ label, member: member.name });
  }
  return changed.length > 0 ? changed : undefined;
}

function isSamePlace(a: Member, b: Member): boolean {
  return a.name === b.name && a.bitOffset === b.bitOffset && a.bitSize === b.bitSize && a.isBitfield === b.isBitfield;
}

function pointsToFunction({ btf }: RecordLayout, { type }: Member): boolean {
  const { id } = resolve(btf, type);
  return btf.kind(id) === kinds.BTF_KIND_PTR && btf.kind(resolve(btf, btf.target(id)).id) === kinds.BTF_KIND_FUNC_PROTO;
}
