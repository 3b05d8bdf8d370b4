import { expect, it } from "vitest";
import { cutOut } from "../../../../src/update/create/cut-out.js";
import { findUsesOfLeftOut } from "../../../../src/update/create/left-out.js";
import { settleLinkage } from "../../../../src/update/linkage/settle-linkage.js";
import { diffUnit, type UnitDiff } from "../../../../src/update/units/unit-diff.js";
import { GCC, KERNEL_LIKE_FLAGS, SECTION_FLAGS, compileBytes } from "../../../support/compile-object.js";

const compile = (text: string): Uint8Array => compileBytes(text, GCC ?? "gcc", [...KERNEL_LIKE_FLAGS, ...SECTION_FLAGS]);

function diffOf(name: string, target: string, pre: string, post: string): UnitDiff {
  const unit = { path: `${name}.o`, source: `${name}.c`, target };
  return diffUnit({ unit, pre: compile(pre), post: compile(post), sources: [pre, post] });
}

const CALLER = "int parse(int a, long b); int caller(int x) { return parse(x, 2); }";
const PARSE = "int outside(int); int parse(int a, long b) { return outside(a) + b; }";

it.each([
  ["a function that is new there", "int outside(int);", undefined, ["left-out-definition parse"], []],
  ["one that takes something else there", PARSE, "parse takes something else", ["changed-interface parse"], []],
  ["one that changes there", PARSE, undefined, [], ["user.o calls parse of lib, which stays as it is"]],
  ["one that stays the same", PARSE.replace("+ b", "- b"), undefined, [], []],
])("new code that uses %s, of a target that is left out", async (_, libBefore, difference, codes, notes) => {
  const user = diffOf("user", "app", CALLER, CALLER.replace("x, 2", "x + 1, 2"));
  const lib = diffOf("lib", "lib", libBefore, PARSE.replace("+ b", "- b"));
  const prototypes = { difference: async () => Promise.resolve(difference) };
  const linkage = await settleLinkage([user], {
    texts: [],
    prototypes: { difference: async () => Promise.resolve(undefined) },
    findMentions: async () => Promise.resolve(new Map<string, string>()),
    allowedBusy: [],
  });
  const found = await findUsesOfLeftOut(cutOut([user], linkage), [lib], prototypes);
  expect(found.refusals.map(({ refusal }) => `${refusal.code} ${refusal.symbol}`)).toEqual(codes);
  expect(found.notes).toEqual(notes);
});
