import type { Enumerator } from "./btf.js";

export interface EnumLayout {
  /** Bytes. */
  readonly size: number;
  readonly enumerators: readonly Enumerator[];
}

/** How an enum differs: `values` where a name means another number; `count` where only the number of names at its end moved up, which is no harm by itself. */
export type EnumChange =
  { readonly kind: "size" | "values"; readonly reasons: readonly string[] } | { readonly kind: "count"; readonly note: string };

/** Names that tell how many there are, or which is the last. */
const COUNT_NAME = /(?:^|_)(?:NR|NUM|MAX|LAST|CNT|COUNT|END|SIZE|N)(?:_|$)|(?:MAX|LAST|COUNT)$/i;

/** New names are no change; a name that is gone is none either, for new code does not use it. */
export function compareEnums(before: EnumLayout, after: EnumLayout): EnumChange | undefined {
  // BTF_KIND_ENUM holds 32 bits of a value, whatever the size; so the low halves decide.
  const now = new Map(after.enumerators.map(({ name, value }) => [name, BigInt.asIntN(32, value)]));
  const known = new Set(before.enumerators.map(({ name }) => name));
  const moved = before.enumerators.flatMap(({ name, value }) => {
    const old = BigInt.asIntN(32, value);
    const value2 = now.get(name);
    return value2 === undefined || value2 === old ? [] : [{ name, old, value: value2 }];
  });
  if (before.size !== after.size)
    return { kind: "size", reasons: [`it has ${String(after.size)} bytes where it had ${String(before.size)}`] };
  const [first] = moved;
  if (first === undefined) return undefined;

  const last = before.enumerators.slice(-moved.length).map(({ name }) => name);
  const isCount =
    moved.every(({ name, old, value }) => value > old && COUNT_NAME.test(name) && last.includes(name)) &&
    after.enumerators.some(({ name, value }) => !known.has(name) && value >= first.old && value < first.value);
  const reasons = moved.map(({ name, old, value }) => `${name} was ${String(old)} and becomes ${String(value)}`);
  return isCount ? { kind: "count", note: reasons.join(", ") } : { kind: "values", reasons };
}
