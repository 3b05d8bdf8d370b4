import type { Btf } from "./btf.js";
import * as kinds from "./constants.js";
import { isRecord, resolve, sizeOf } from "./resolve.js";
import { declare } from "./spell-type.js";

/** A function of some BTF. */
export interface NamedFunction {
  readonly btf: Btf;
  readonly name: string;
}

/**
 * Whether code that was compiled to call one function can call another in its place: as many parameters, passed alike, and a result where one is expected.
 * Names of parameters, qualifiers and the signs of numbers do not count; nor does `void *` in the place of another pointer.
 * @returns the difference in words; undefined if there is none
 * @throws BtfFormatError for a type without end
 */
export function comparePrototypes(before: NamedFunction, after: NamedFunction): string | undefined {
  const [old, now] = [findPrototype(before), findPrototype(after)];
  if (old === undefined || now === undefined) {
    const missing = old === undefined ? before.name : after.name;
    return `the parameters of ${after.name} cannot be compared, as there is no type information about ${missing}`;
  }
  const [had, has] = [before.btf.parameters(old), after.btf.parameters(now)];
  if (had.length !== has.length) return `${after.name} takes ${countOf(has.length)} instead of ${String(had.length)}`;
  for (const [index, parameter] of had.entries()) {
    const other = has[index];
    if (other === undefined || arePassedAlike(before.btf, parameter.type, after.btf, other.type)) continue;
    const [spelledBefore, spelledAfter] = [declare(before.btf, parameter.type, parameter.name), declare(after.btf, other.type, other.name)];
    return `${after.name} takes \`${spelledAfter}\` instead of \`${spelledBefore}\``;
  }
  const [result, newResult] = [before.btf.target(old), after.btf.target(now)];
  if (resolve(before.btf, result).id === 0 || arePassedAlike(before.btf, result, after.btf, newResult)) return undefined;
  return `${after.name} returns \`${declare(after.btf, newResult, "")}\` instead of \`${declare(before.btf, result, "")}\``;
}

function countOf(count: number): string {
  return count === 1 ? "1 parameter" : `${String(count)} parameters`;
}

function findPrototype({ btf, name }: NamedFunction): number | undefined {
  for (let id = btf.firstId; id < btf.endId; id++) if (btf.kind(id) === kinds.BTF_KIND_FUNC && btf.name(id) === name) return btf.target(id);
  return undefined;
}

/** How deep pointers are followed: what a pointer to a pointer leads to is seldom more than a place for one. */
const MOST_POINTERS = 2;

function arePassedAlike(a: Btf, aId: number, b: Btf, bId: number, depth = 0): boolean {
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
    return names[0] === names[1] && (depth > 0 || sizeOf(a, x.id) === sizeOf(b, y.id));
  }
  return kind === other && (kind !== kinds.BTF_KIND_FLOAT || sizeOf(a, x.id) === sizeOf(b, y.id));
}

function isNumber(kind: number): boolean {
  return kind === kinds.BTF_KIND_INT || kind === kinds.BTF_KIND_ENUM || kind === kinds.BTF_KIND_ENUM64;
}

function isRecordOrForward(kind: number): boolean {
  return isRecord(kind) || kind === kinds.BTF_KIND_FWD;
}
