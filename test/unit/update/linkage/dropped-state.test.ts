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
