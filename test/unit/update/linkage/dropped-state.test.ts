import { describe, expect, it } from "vitest";
import { settle } from "../../../support/settle-units.js";

describe("a variable that the compiler left out before the patch", () => {
  const START = "void *start(void *); void stop(void *);";

  it.each([
    ["of the file", "static void *current_dev; int probe(void *d) { current_dev = d; return start(d) != 0; }", "void end(void) { BODY }"],
    [
      "of the file, by a member",
      "static struct { void *dev; int count; } current_dev; int probe(void *d) { current_dev.dev = d; return start(d) != 0; }",
      "void end(void) { BODY }",
    ],
  ])("%s: what it would hold is not known", async (_, before, end) => {
    const used = before.includes("struct") ? "current_dev.dev" : "current_dev";
    const { refused } = await settle({
      unit: {
        pre: `${START} ${before} ${end.replace("BODY", "stop(0);")}`,
        post: `${START} ${before} ${end.replace("BODY", `stop(${used});`)}`,
      },
    });
    expect(refused).toEqual(["split-state current_dev"]);
  });

  it("that is a static local", async () => {
    const text = (result: string): string =>
      `${START} int probe(void *d) { static void *last; void *was = ${result}; last = d; return was != start(d); }`;
    expect((await settle({ unit: { pre: text("d"), post: text("last") } })).refused).toEqual(["split-state last"]);
  });

  it.each([
    // It was never written to: the compiler has put its value into the code.
    ["has only its initial value", "static int limit = 5; int over(int x) { return x > limit; }", "", "limit = x;"],
    ["is new", "int over(int x) { return x > 3; }", "static int limit = 3;", "if (limit++ > x) return 0;"],
    ["is compared only", "static int limit; int over(int x) { return limit == x || limit >= 5 + x; }", "", "limit = x;"],
  ])("one that %s begins with that", async (_, before, added, body) => {
    const f = (text: string): string => `int outside(int); ${before} ${added} int f(int x) { ${text} return outside(x); }`;
    const { refused } = await settle({ unit: { pre: f("").replace(added, ""), post: f(body) } });
    expect(refused).toEqual([]);
  });
});

describe("a variable that the compiler leaves out with the patch", () => {
  const INIT = '__attribute__((section(".init.text"))) int start(void)';
  const text = (writer: string, result: string): string =>
    `void *make(void *); static void *cache; ${writer} void *get(void) { return make(${result}); }`;

  it.each([
    ["as initialization code fills it no more", `${INIT} { cache = make(0); return 0; }`],
    ["as nobody sets it any more", "void set(void *x) { cache = x; }"],
  ])("%s: what it holds would be forgotten", async (_, writer) => {
    expect((await settle({ unit: { pre: text(writer, "cache"), post: text("", "cache") } })).refused).toEqual(["split-state cache"]);
  });

  it("as what sets it is called by nobody any more", async () => {
    const setter = "static void set(void *x) { cache = make(x); }";
    const { refused } = await settle({
      unit: {
        pre: text(`${setter} void begin(void *x) { set(x); }`, "cache"),
        post: text(`${setter} void begin(void *x) { make(x); }`, "cache"),
      },
    });
    expect(refused).toEqual(["split-state cache"]);
  });

  it.each([
    ["is only written to", text("void set(void *x) { cache = x; }", "0")],
    ["is gone from the source", "void *make(void *); void *get(void) { return make((void *)1); }"],
  ])("passes where it %s", async (_, post) => {
    expect((await settle({ unit: { pre: text("void set(void *x) { cache = x; }", "cache"), post } })).refused).toEqual([]);
  });
});
