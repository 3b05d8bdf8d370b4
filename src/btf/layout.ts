import type { Btf } from "./btf.js";
import { BtfFormatError } from "./btf-format-error.js";
import * as kinds from "./constants.js";
import { checkDepth, isQualifier, isRecord, sizeOf } from "./resolve.js";
import { declare } from "./spell-type.js";

/** A member of a struct or union, those of anonymous structs and unions inside it included. */
export interface Member {
  /** `count`; `stats.rx` for a member of a nameless struct that is called `stats`. */
  readonly name: string;
  /** From the start of the outermost type. */
  readonly bitOffset: number;
  readonly bitSize: number;
  readonly isBitfield: boolean;
  readonly type: number;
}

/** Where everything in a struct or union lies. */
export interface RecordLayout {
  readonly btf: Btf;
  readonly id: number;
  readonly isUnion: boolean;
  /** Bytes. */
  readonly size: number;
  readonly members: readonly Member[];
}

/** How many members may still be looked at: no type of the kernel's comes near the limit, a hostile one could grow without bounds. */
export class Budget {
  #left = 1 << 18;

  /** @throws BtfFormatError */
  spend(btf: Btf, id: number): void {
    if (--this.#left < 0) throw new BtfFormatError(btf.fileName, `type ${String(id)} has too many members`);
  }
}

/** @throws BtfFormatError for a type that holds itself, or too much */
export function layoutOf(btf: Btf, id: number, budget = new Budget()): RecordLayout {
  const members: Member[] = [];
  collect(btf, id, 0, "", members, budget, 0);
  return { btf, id, isUnion: btf.kind(id) === kinds.BTF_KIND_UNION, size: btf.size(id), members };
}

function collect(btf: Btf, id: number, start: number, prefix: string, members: Member[], budget: Budget, depth: number): void {
  checkDepth(btf, id, depth);
  for (const raw of btf.members(id)) {
    budget.spend(btf, id);
    const bitOffset = start + raw.bitOffset;
    const inner = namelessRecord(btf, raw.type);
    if (inner !== undefined) {
      collect(btf, inner, bitOffset, raw.name === "" ? prefix : `${prefix}${raw.name}.`, members, budget, depth + 1);
      continue;
    }
    const isBitfield = raw.bitfieldSize > 0;
    const bitSize = isBitfield ? raw.bitfieldSize : sizeOf(btf, raw.type) * 8;
    members.push({ name: `${prefix}${raw.name}`, bitOffset, bitSize, isBitfield, type: raw.type });
  }
}

/** A struct or union without a tag and without a typedef: its members are the holder's. */
function namelessRecord(btf: Btf, id: number): number | undefined {
  for (let step = 0; isQualifier(btf.kind(id)); step++) {
    checkDepth(btf, id, step);
    id = btf.target(id);
  }
  return isRecord(btf.kind(id)) && !btf.isNamed(id) ? id : undefined;
}

/** `u32 flags`, `unsigned int dead:1`. */
export function spellMember(btf: Btf, member: Member): string {
  const text = declare(btf, member.type, member.name);
  return member.isBitfield ? `${text}:${String(member.bitSize)}` : text;
}
