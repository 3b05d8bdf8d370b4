import { describe, expect, it } from "vitest";
import { type UnitPart } from "../../../../src/update/create/cut-out.js";
import { type Sides, settle } from "../../../support/settle-units.js";

describe("a function in whose old code threads may stay", () => {
  const MACRO = (name: string): string => `static const char busy_${name}[] __attribute__((used, section(".ksplice_busy"))) = "${name}";`;
  const WAIT = "int outside(int); int wait_for(int x) { return outside(x) + 1; }";
  const WAIT_FIXED = "int outside(int); int wait_for(int x) { return x < 0 ? -1 : outside(x) + 1; }";
  /** `wait_for` calls `helper`; both change. */
  const withHelper = (linkage: string): Sides => ({
    pre: `int outside(int); __attribute__((noinline)) ${linkage} int helper(int x) { return outside(x); } int wait_for(int x) { return helper(x) + 1; }`,
    post: `int outside(int); __attribute__((noinline)) ${linkage} int helper(int x) { return outside(x + 1); } int wait_for(int x) { return helper(x) + 2; }`,
  });
  const busy = (parts: readonly UnitPart[]) => parts.map((part) => part.busy);

  it("is named by the patch, or by whoever makes the update", async () => {
    const inPatch = await settle({ one: { pre: WAIT, post: `${WAIT_FIXED} ${MACRO("wait_for")}` } });
    expect([inPatch.refused, busy(inPatch.parts)]).toEqual([[], [["wait_for"]]]);
    const byOption = await settle({ one: { pre: WAIT, post: WAIT_FIXED } }, { allowedBusy: ["wait_for"] });
    expect([byOption.refused, busy(byOption.parts)]).toEqual([[], [["wait_for"]]]);
  });

  it("must change", async () => {
    const { refused } = await settle({ one: { pre: WAIT, post: `${WAIT_FIXED} ${MACRO("wait_fro")}` } });
    expect(refused).toEqual(["no-busy-function wait_fro"]);
    const { linkage } = await settle({ one: { pre: WAIT, post: WAIT_FIXED } }, { allowedBusy: ["wait_for", "outside"] });
    expect(linkage.busy.unknown).toEqual(["outside"]);
    const again = await settle({ one: { pre: `${WAIT} ${MACRO("gone")}`, post: `${WAIT_FIXED} ${MACRO("gone")}` } });
    expect(again.refused).toEqual([]);
  });

  it("must not call a static function that changes: its callers were known when it was compiled", async () => {
    const { refused } = await settle({ one: withHelper("static") }, { allowedBusy: ["wait_for"] });
    expect(refused).toEqual(["kept-code-calls-changed wait_for"]);
    expect((await settle({ one: withHelper("static") })).refused).toEqual([]);
  });

  it("may call a global one, if that takes and returns the same", async () => {
    expect((await settle({ one: withHelper("") }, { allowedBusy: ["wait_for"] })).refused).toEqual([]);
    const difference = async (_: unknown, { name }: { name: string }) =>
      Promise.resolve(name === "helper" ? "helper takes something else" : undefined);
    const { refused } = await settle({ one: withHelper("") }, { allowedBusy: ["wait_for"], prototypes: { difference } });
    expect(refused).toEqual(["changed-interface helper"]);
  });

  it("may call a function that is removed, which is called on then", async () => {
    const sides = {
      pre: "int outside(int); __attribute__((noinline)) static int helper(int x) { return outside(x); } int wait_for(int x) { return helper(x) + 1; }",
      post: WAIT_FIXED,
    };
    const left = async (allowedBusy: string[]) =>
      (await settle({ one: sides }, { allowedBusy })).parts.flatMap((part) => part.left.map(({ mayBeCalled }) => mayBeCalled));
    expect([await left([]), await left(["wait_for"])]).toEqual([[false], [true]]);
  });

  it("must not use data that is overwritten", async () => {
    const table = (limit: number): string =>
      `const int limits[2] = { ${limit}, 2 }; int outside(const int *); int wait_for(int x) { return outside(limits + x) + ${limit}; }`;
    const sides = { pre: table(1), post: table(7) };
    expect((await settle({ one: sides })).refused).toEqual([]);
    expect((await settle({ one: sides }, { allowedBusy: ["wait_for"] })).refused).toEqual(["busy-code-uses-changed wait_for"]);
  });
});
