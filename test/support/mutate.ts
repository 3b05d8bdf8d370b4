import fc from "fast-check";

/** One change to some bytes. Places are parts of the length, so that a change means something whatever it is done to. */
export type Mutation =
  | { readonly kind: "flip"; readonly at: number; readonly bit: number }
  | { readonly kind: "set"; readonly at: number; readonly value: number }
  /** A number of 1, 2, 4 or 8 bytes, at a multiple of them: sizes, offsets, counts. */
  | { readonly kind: "number"; readonly at: number; readonly size: number; readonly value: bigint }
  | { readonly kind: "cut"; readonly at: number }
  | { readonly kind: "remove"; readonly at: number; readonly length: number }
  /** Some of the bytes once more, elsewhere. */
  | { readonly kind: "copy"; readonly from: number; readonly at: number; readonly length: number };

/** All equally likely: numbers of fast-check are else mostly next to the ends, and a broken first byte tries nothing. */
export const place: fc.Arbitrary<number> = fc.noBias(fc.nat(2 ** 31 - 1)).map((number) => number / 2 ** 31);
const LIMITS = [
  0n,
  1n,
  2n,
  0x7fn,
  0xffn,
  0xfffn,
  0x7fffn,
  0xffffn,
  0x7fffffffn,
  0xffffffffn,
  1n << 40n,
  1n << 53n,
  (1n << 63n) - 1n,
  1n << 63n,
];
const length = fc.oneof(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 17, max: 4096 }));

/** One to six changes, most of them small: what is broken all over is refused at once, and tries nothing. */
export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("flip" as const), at: place, bit: fc.integer({ min: 0, max: 7 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("set" as const), at: place, value: fc.integer({ min: 0, max: 255 }) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("number" as const),
        at: place,
        size: fc.constantFrom(1, 2, 4, 8),
        value: fc.oneof(
          fc.constantFrom(...LIMITS, (1n << 64n) - 1n),
          fc.bigInt({ min: 0n, max: 4096n }),
          fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        ),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), at: place }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), at: place, length }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("copy" as const), from: place, at: place, length }) },
  ),
  { minLength: 1, maxLength: 6 },
);

/** Does the changes to a copy, one after another. */
export function mutate(bytes: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  return changes.reduce<Uint8Array>(change, Uint8Array.from(bytes));
}

function change(bytes: Uint8Array, mutation: Mutation): Uint8Array {
  const at = Math.floor(mutation.at * bytes.length);
  switch (mutation.kind) {
    case "flip":
      if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << mutation.bit);
      return bytes;
    case "set":
      if (at < bytes.length) bytes[at] = mutation.value;
      return bytes;
    case "number":
      setNumber(bytes, at - (at % mutation.size), mutation.size, mutation.value);
      return bytes;
    case "cut":
      return bytes.subarray(0, at);
    case "remove":
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + mutation.length)]);
    case "copy": {
      const from = Math.floor(mutation.from * bytes.length);
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, from + mutation.length), bytes.subarray(at)]);
    }
  }
}

function setNumber(bytes: Uint8Array, at: number, size: number, value: bigint): void {
  for (let index = 0; index < size && at + index < bytes.length; index++) bytes[at + index] = Number((value >> BigInt(8 * index)) & 0xffn);
}
