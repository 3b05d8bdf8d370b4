import type { Btf } from "./btf.js";
import * as kinds from "./constants.js";
import { layoutOf } from "./layout.js";
import { isRecord, resolve, sizeOf } from "./resolve.js";

/** How deep pointers are followed: what a pointer to a pointer leads to is seldom more than a place for one. */
const MOST_POINTERS = 2;

/**
 * True where code that knows one type can be given the other, in a register or behind a pointer: numbers of one size, structs of one name, pointers to such, and
 * functions that take and return such. `void *` goes with every pointer. Qualifiers and signs do not count.
 * @throws BtfFormatError for a type without end
 */
export function arePassedAlike(a: Btf, aId: number, b: Btf, bId: number, depth = 0): boolean {
  const [x, y] = [resolve(a, aId), resolve(b, bId)];
  const [kind, other] = [a.kind(x.id), b.kind(y.id)];
  if (kind === kinds.BTF_KIND_PTR && other === kinds.BTF_KIND_PTR) {
    if (depth === MOST_POINTERS) return true;
    const [to, otherTo] = [resolve(a, a.target(x.id)).id, resolve(b, b.target(y.id)).id];
    return to === 0 || otherTo === 0 || arePassedAlike(a, to, b, otherTo, depth + 1);
  }
  if (isNumber(kind) && isNumber(other)) return sizeOf(a, x.id) === sizeOf(b, y.id);
  if (isRecordOrForward(kind) && isRecordOrForward(other)) {
    const names = [a.isNamed(x.id) ? a.name(x.id) : x.typedefName, b.isNamed(y.id) ? b.name(y.id) : y.typedefName];
    if (names.every((name) => name === undefined) && isRecord(kind) && isRecord(other)) return isLaidOutAlike(a, x.id, b, y.id);
    return names[0] === names[1] && (depth > 0 || sizeOf(a, x.id) === sizeOf(b, y.id));
  }
  if (kind === kinds.BTF_KIND_FUNC_PROTO && other === kind) return areCalledAlike(a, x.id, b, y.id, depth);
  return kind === other && (kind !== kinds.BTF_KIND_FLOAT || sizeOf(a, x.id) === sizeOf(b, y.id));
}

/** Of structs without a name, which no name's own comparison tells apart: the same members at the same places. */
function isLaidOutAlike(a: Btf, aId: number, b: Btf, bId: number): boolean {
  const [had, has] = [layoutOf(a, aId), layoutOf(b, bId)];
  return (
    had.size === has.size &&
    had.members.length === has.members.length &&
    had.members.every(({ name, bitOffset, bitSize }, index) => {
      const now = has.members[index];
      return now?.name === name && now.bitOffset === bitOffset && now.bitSize === bitSize;
    })
  );
}

/** Of a function behind a pointer: whoever set the pointer and whoever calls it may be compiled at different times, so the result counts both ways. */
function areCalledAlike(a: Btf, aId: number, b: Btf, bId: number, depth: number): boolean {
  const [had, has] = [a.parameters(aId), b.parameters(bId)];
  return (
    had.length === has.length &&
    had.every(({ type }, index) => arePassedAlike(a, type, b, has[index]?.type ?? 0, depth)) &&
    arePassedAlike(a, a.target(aId), b, b.target(bId), depth)
  );
}

function isNumber(kind: number): boolean {
  return kind === kinds.BTF_KIND_INT || kind === kinds.BTF_KIND_ENUM || kind === kinds.BTF_KIND_ENUM64;
}

function isRecordOrForward(kind: number): boolean {
  return isRecord(kind) || kind === kinds.BTF_KIND_FWD;
}
