import type { Btf } from "./btf.js";
import * as kinds from "./constants.js";
import { arePassedAlike } from "./pass-alike.js";
import { resolve } from "./resolve.js";
import { declare } from "./spell-type.js";

/** A function of some BTF. */
export interface NamedFunction {
  readonly btf: Btf;
  readonly name: string;
}

/**
 * Whether code that was compiled to call one function can call another in its place: as many parameters, passed alike, and a result where one is expected.
 * Qualifiers and the signs of numbers do not count; nor does `void *` in the place of another pointer, nor what parameters are called, unless one is called as
 * another was: of two that are passed alike it is the name that tells which is which.
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
  const swapped = has.find(
    ({ name }, index) => name !== "" && had[index]?.name !== name && had.some((parameter) => parameter.name === name),
  );
  if (swapped !== undefined) return `${after.name} takes \`${swapped.name}\` at another place than before`;
  const [result, newResult] = [before.btf.target(old), after.btf.target(now)];
  if (resolve(before.btf, result).id === 0 || arePassedAlike(before.btf, result, after.btf, newResult)) return undefined;
  return `${after.name} returns \`${declare(after.btf, newResult, "")}\` instead of \`${declare(before.btf, result, "")}\``;
}

/** False for a function that its types say nothing about. */
export function hasPrototype(named: NamedFunction): boolean {
  return findPrototype(named) !== undefined;
}

function countOf(count: number): string {
  return count === 1 ? "1 parameter" : `${String(count)} parameters`;
}

function findPrototype({ btf, name }: NamedFunction): number | undefined {
  for (let id = btf.firstId; id < btf.endId; id++) if (btf.kind(id) === kinds.BTF_KIND_FUNC && btf.name(id) === name) return btf.target(id);
  return undefined;
}
