import { describe, expect, it } from "vitest";
import { requireEffect } from "../../../../src/update/create/judge-parts.js";
import { settle, otherPrototype, PARSE } from "../../../support/settle-units.js";

describe("a removed function", () => {
  const HELPER = "int outside(int); __attribute__((noinline)) static int helper(int x) { return outside(x) + 3; }";
  const HELPER_FIXED = HELPER.replace("+ 3", "+ 4");
  const HELD = "struct work { int (*run)(int); }; void queue(struct work *w);";

  it("stays, and nobody may refer to it", async () => {
    const { parts, refused } = await settle({
      unit: { pre: `${HELPER} int f(int x) { return helper(x); }`, post: "int outside(int); int f(int x) { return outside(x); }" },
    });
    expect(refused).toEqual([]);
    expect(parts.flatMap(({ left }) => left)).toEqual([{ name: "helper", preParts: [], mayBeCalled: false }]);
    expect(parts.flatMap(({ newCode }) => newCode.functions.map(({ name }) => name))).toEqual(["f"]);
  });

  it.each([
    ["its address was taken", `${HELD} ${HELPER} void f(struct work *w) { w->run = helper; queue(w); }`, true],
    ["a file names it: not, as it would mean another one", `${HELPER.replace("static ", "")} int f(int x) { return helper(x); }`, false],
  ])("may be called on if %s", async (_, pre, mayBeCalled) => {
    const { parts } = await settle(
      { unit: { pre, post: "int outside(int); int f(int x) { return outside(x) - 1; }" } },
      { findMentions: async () => Promise.resolve(new Map([["helper", "other.c"]])) },
    );
    expect(parts.flatMap(({ left }) => left)).toMatchObject([{ name: "helper", mayBeCalled }]);
  });

  it.each([
    [
      "that a file names keeps its target in the update, so that the running kernel is asked",
      new Map([["parse", "other.c"]]),
      ["one", "two"],
    ],
    ["that no file names does not", new Map<string, string>(), ["two"]],
  ])("%s", async (_, mentions, expected) => {
    const units = {
      util: { pre: PARSE, post: "", target: "one" },
      cmdline: { pre: "int cmd(int x) { return x; }", post: "int cmd(int x) { return x + 1; }", target: "two" },
    };
    const { parts } = await settle(units, { findMentions: async () => Promise.resolve(mentions) });
    expect(requireEffect(parts, parts, []).map(({ unit }) => unit.target)).toEqual(expected);
  });

  it("that may be called on must not call a static function that was compiled for others", async () => {
    const { refused } = await settle({
      unit: {
        pre: `${HELD} ${HELPER} static int job(int x) { return helper(x) + 1; } void f(struct work *w) { w->run = job; queue(w); } int g(int x) { return helper(x); }`,
        post: `${HELD} ${HELPER_FIXED} void f(struct work *w) { queue(w); } int g(int x) { return helper(x); }`,
      },
    });
    expect(refused).toEqual(["kept-code-calls-changed job"]);
  });

  it.each([
    ["with the same parameters passes", {}, []],
    ["with others is refused", otherPrototype, ["changed-interface helper"]],
  ] as const)("that may be called on and calls a changed function of all units %s", async (_, context, expected) => {
    const open = (text: string): string => text.replace("static ", "");
    const { refused } = await settle(
      {
        unit: {
          pre: `${HELD} int helper(int); static int job(int x) { return helper(x) + 1; } void f(struct work *w) { w->run = job; queue(w); }`,
          post: `${HELD} void f(struct work *w) { queue(w); }`,
        },
        other: { pre: open(HELPER), post: open(HELPER_FIXED) },
      },
      context,
    );
    expect(refused).toEqual(expected);
  });

  it.each([
    ["whose address was taken and that becomes another unit's global function is refused", "", ["moved-definition job"]],
    ["whose address was taken and that becomes another unit's static function is refused", "static", ["moved-definition job"]],
  ])("%s", async (_, linkage, expected) => {
    const code = "int outside(int); WORD int job(int x) { return outside(x) DO; }";
    const hold = "void f(struct work *w) { w->run = job; queue(w); }";
    const pre = code.replace("WORD", "static").replace("DO", "+ 1");
    const post = code.replace("WORD", linkage).replace("DO", "+ 2");
    const units =
      linkage === ""
        ? { one: { pre: `${HELD} ${pre} ${hold}`, post: `${HELD} int job(int); ${hold}` }, two: { pre: "", post } }
        : { one: { pre: `${HELD} ${pre} ${hold}`, post: HELD }, two: { pre: "", post: `${HELD} ${post} ${hold}` } };
    expect((await settle(units)).refused).toEqual(expected);
  });

  it("that may be called on must not read a constant that is overwritten", async () => {
    const text = (type: string, values: string, rest: string): string =>
      `${HELD} static const unsigned ${type} sizes[${type === "char" ? "4" : "2"}] = { ${values} }; int g(int x) { return sizes[x]; } ${rest}`;
    const job = "static int job(int x) { return sizes[x] + 1; } void f(struct work *w) { w->run = job; queue(w); }";
    const { refused } = await settle({
      unit: { pre: text("char", "1, 2, 3, 4", job), post: text("short", "300, 400", "void f(struct work *w) { queue(w); }") },
    });
    expect(refused).toEqual(["kept-code-uses-changed job"]);
  });

  it("that another removed one calls, which may be called on, is followed too", async () => {
    const { refused } = await settle({
      unit: {
        pre: `${HELD} ${HELPER} __attribute__((noinline)) static int step(int x) { return helper(x) + 5; } static int job(int x) { return step(x) + 1; }
          void f(struct work *w) { w->run = job; queue(w); } int g(int x) { return helper(x); }`,
        post: `${HELD} ${HELPER_FIXED} void f(struct work *w) { queue(w); } int g(int x) { return helper(x); }`,
      },
    });
    expect(refused).toEqual(["kept-code-calls-changed step"]);
  });
});
