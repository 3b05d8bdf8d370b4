import type { Enumerator } from "./btf.js";
import type { Rename } from "./compare-records.js";

export interface EnumLayout {
  /** Bytes. */
  readonly size: number;
  readonly enumerators: readonly Enumerator[];
}

/**
 * How an enum differs: `values` where a name means another number; `renamed` where a number goes by another name only, which may be a new meaning;
 * `count` where only the number of names at its end moved up, which is no harm by itself.
 */
export type EnumChange =
  | { readonly kind: "size" | "values"; readonly reasons: readonly string[] }
  | { readonly kind: "renamed"; readonly reasons: readonly string[]; readonly renames: readonly Rename[]; readonly note?: string }
  | { readonly kind: "count"; readonly note: string };

/** Names that tell how many there are, or which is the last. */
const COUNT_NAME = /(?:^|_)(?:NR|NUM|MAX|LAST|CNT|COUNT|END|SIZE|N)(?:_|$)|(?:MAX|LAST|COUNT)$/i;

/** New names for new numbers are no change; a name that is gone is none either, for new code does not use it. */
export function compareEnums(before: EnumLayout, after: EnumLayout): EnumChange | undefined {
  // BTF_KIND_ENUM holds 32 bits of a value, whatever the size; so the low halves decide.
  const now = new Map(after.enumerators.map(({ name, value }) => [name, low(value)]));
  const known = new Set(before.enumerators.map(({ name }) => name));
  const moved = before.enumerators.flatMap(({ name, value }) => {
    const old = low(value);
    const value2 = now.get(name);
    return value2 === undefined || value2 === old ? [] : [{ name, old, value: value2 }];
  });
  if (before.size !== after.size)
    return { kind: "size", reasons: [`it has ${String(after.size)} bytes where it had ${String(before.size)}`] };
  const renames = renamesOf(before.enumerators, after.enumerators);
  const [first] = moved;
  if (first === undefined) return renames.length === 0 ? undefined : { kind: "renamed", reasons: renames.map(spell), renames };

  const last = before.enumerators.slice(-moved.length).map(({ name }) => name);
  const isCount =
    moved.every(({ name, old, value }) => value > old && COUNT_NAME.test(name) && last.includes(name)) &&
    after.enumerators.some(({ name, value }) => !known.has(name) && value >= first.old && value < first.value);
  const reasons = moved.map(({ name, old, value }) => `${name} was ${String(old)} and becomes ${String(value)}`);
  if (!isCount) return { kind: "values", reasons: [...reasons, ...renames.map(spell)] };
  const note = reasons.join(", ");
  return renames.length === 0 ? { kind: "count", note } : { kind: "renamed", reasons: renames.map(spell), renames, note };
}

/** Names that go, each with one that comes in its place. A number that keeps one of its names means what it meant; one that counts others is held by nobody. */
function renamesOf(before: readonly Enumerator[], after: readonly Enumerator[]): Rename[] {
  const [known, now] = [new Set(before.map(({ name }) => name)), new Set(after.map(({ name }) => name))];
  const named = new Set(before.filter(({ name }) => now.has(name)).map(({ value }) => low(value)));
  const come = new Map(after.filter(({ name }) => !known.has(name)).map(({ name, value }) => [low(value), name]));
  return before.flatMap(({ name, value }): Rename[] => {
    const other = come.get(low(value));
    return now.has(name) || named.has(low(value)) || COUNT_NAME.test(name) || other === undefined ? [] : [{ before: name, after: other }];
  });
}

function low(value: bigint): bigint {
  return BigInt.asIntN(32, value);
}

function spell({ before, after }: Rename): string {
  return `${before} is called ${after}, or another thing has its number`;
}
