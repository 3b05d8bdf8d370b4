import type { Layout } from "../../btf/compare-types.js";
import { declare } from "../../btf/spell-type.js";
import type { Member, RecordLayout } from "../../btf/layout.js";

/**
 * What a patch can say in place of a new member, so that objects of the running kernel stay as they are: the macros of
 * `<ksplice-patch.h>`, a line for each new member that it can stand for (docs/shadow-data.md).
 * @returns no line for an enum, a union, and where nothing is new
 */
export function shadowFields(label: string, before: Layout, after: Layout): string[] {
  if (before.kind !== "record" || after.kind !== "record" || after.record.isUnion) return [];
  const known = new Set(before.record.members.map(({ name }) => name));
  return after.record.members
    .filter((member) => !known.has(member.name) && isField(member))
    .map((member) => macroLine(label, after.record, member));
}

/** Bits and members of nameless structs have no type of their own to be put beside the object. */
function isField(member: Member): boolean {
  return !member.isBitfield && /^\w+$/.test(member.name) && member.bitSize > 0;
}

function macroLine(label: string, { btf }: RecordLayout, member: Member): string {
  const name = `${label.replace(/^struct /, "")}_${member.name}`;
  return `ksplice_shadow(${name}, ${label}, ${declare(btf, member.type, "")}, ${fieldId(`${label}.${member.name}`)}, NULL, NULL);`;
}

/** Tells the field from those of other patches: FNV-1a, 32 bits. The same member has the same number in the next update. */
function fieldId(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, "utf8")) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return `0x${hash.toString(16)}`;
}
