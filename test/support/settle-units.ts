import { cutOut, type UnitPart } from "../../src/update/create/cut-out.js";
import { diffUnit, type UnitDiff } from "../../src/update/units/unit-diff.js";
import { findUnreached } from "../../src/update/create/find-unreached.js";
import { settleLinkage, type Linkage, type LinkageContext } from "../../src/update/linkage/settle-linkage.js";
import { GCC, KERNEL_LIKE_FLAGS, SECTION_FLAGS, compileBytes } from "./compile-object.js";

/** A unit's text before and after the patch. */
export interface Sides {
  readonly pre: string;
  readonly post: string;
  readonly target?: string;
}

export const FLAGS = [...KERNEL_LIKE_FLAGS, ...SECTION_FLAGS];
export const compile = (text: string): Uint8Array => compileBytes(text, GCC ?? "gcc", FLAGS);

export function diffsOf(units: Readonly<Record<string, Sides>>): UnitDiff[] {
  return Object.entries(units).map(([name, { pre, post, target }]) =>
    diffUnit({
      unit: { path: `${name}.o`, source: `${name}.c`, target: target ?? "vmlinux" },
      pre: compile(pre),
      post: compile(post),
      sources: [pre, post],
    }),
  );
}

export interface Settled {
  readonly diffs: readonly UnitDiff[];
  readonly linkage: Linkage;
  readonly parts: UnitPart[];
  /** What is said of new code that only initialization code leads to. */
  readonly unreachedNotes: readonly string[];
  /** `CODE SYMBOL` of all that is refused. */
  readonly refused: string[];
}

export async function settle(units: Readonly<Record<string, Sides>>, context: Partial<LinkageContext> = {}): Promise<Settled> {
  const diffs = diffsOf(units);
  const linkage = await settleLinkage(diffs, {
    texts: Object.entries(units).map(([name, { pre, post }]) => ({ path: `${name}.c`, pre, post })),
    prototypes: { difference: async () => Promise.resolve(undefined) },
    findMentions: async () => Promise.resolve(new Map<string, string>()),
    allowedBusy: [],
    ...context,
  });
  const own = diffs.flatMap(({ diff }) => diff.refusals);
  const parts = own.length + linkage.refusals.length > 0 ? [] : cutOut(diffs, linkage);
  const unreached = findUnreached(parts);
  const all = [...own, ...linkage.refusals.map(({ refusal }) => refusal), ...unreached.refusals.map(({ refusal }) => refusal)];
  return { diffs, linkage, parts, unreachedNotes: unreached.notes, refused: all.map(({ code, symbol }) => `${code} ${symbol}`) };
}

export const otherPrototype: Partial<LinkageContext> = {
  prototypes: { difference: async (_, { name }) => Promise.resolve(`${name} takes something else`) },
};

export const PARSE = "int outside(int); int parse(int x) { return outside(x) + 1; }";
export const PARSE_FIXED = "int outside(int); int parse(int x) { return x < 0 ? -1 : outside(x) + 1; }";
export const CALLER = "int parse(int); int caller(int x) { return parse(x) * 2; }";
