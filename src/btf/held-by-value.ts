import type { Btf } from "./btf.js";
import * as kinds from "./constants.js";
import type { RecordLayout } from "./layout.js";
import { checkDepth, resolve } from "./resolve.js";

/** True where a member of the holder is a struct or union `held`, or an array of such. */
export function isHeldByValue(btf: Btf, held: number, holder: RecordLayout): boolean {
  return holder.members.some((member) => elementOf(btf, member.type) === held);
}

/** The type behind names, qualifiers and arrays. */
function elementOf(btf: Btf, id: number): number {
  for (let step = 0; ; step++) {
    checkDepth(btf, id, step);
    id = resolve(btf, id).id;
    if (btf.kind(id) !== kinds.BTF_KIND_ARRAY) return id;
    id = btf.array(id).element;
  }
}
