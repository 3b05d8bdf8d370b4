import { describe, expect, it } from "vitest";
import { settle } from "../../../support/settle-units.js";

describe("data that moves to another unit", () => {
  const USE = "extern int limit; int over(int x) { return x > limit; }";

  it("is the running object", async () => {
    const { parts, refused } = await settle({
      one: { pre: `int limit; ${USE}`, post: USE },
      two: { pre: "int grow(int x) { return x; }", post: "int limit; int grow(int x) { limit += x; return x; }" },
    });
    expect(refused).toEqual([]);
    const two = parts.find(({ unit }) => unit.path === "two.o")?.newCode;
    expect(two?.imports).toEqual([{ name: "one.o:limit", symbol: "limit" }]);
    expect(two?.object.sections.map(({ name }) => name)).toEqual([".text.grow"]);
  });

  it.each([
    ["another size", "int limit[2]; int grow(int x) { limit[1] += x; return x; }"],
    ["another initial value", "int limit = 4; int grow(int x) { limit += x; return x; }"],
    ["another kind", "const int limit = 0; extern int sum; int grow(int x) { sum += limit; return x; }"],
  ])("is refused if it has %s", async (_, post) => {
    const { refused } = await settle({
      one: { pre: "int limit; int over(int x) { return x > limit; }", post: "int over(int x) { return x; }" },
      two: { pre: "int grow(int x) { return x; }", post },
    });
    expect(refused).toEqual(["moved-definition limit"]);
  });

  it.each([
    [
      "with its function, and is static",
      {
        one: ["static int last; int next_id(int x) { return last += x; }", ""],
        two: ["", "static int last; int next_id(int x) { return last += x + 1; }"],
      },
      "split-state last",
    ],
    [
      "with its function, as a static local",
      {
        one: ["int next_id(int x) { static int last; return last += x; }", ""],
        two: ["", "int next_id(int x) { static int last; return last += x + 1; }"],
      },
      /^split-state last\./,
    ],
    [
      "and is global there, which it was not",
      {
        one: ["static int last; int next_id(int x) { return last += x; }", "extern int last; int next_id(int x) { return last += x; }"],
        two: ["", "int last;"],
      },
      "split-state last",
    ],
    [
      "and is static there, which it was not",
      {
        one: ["int last; int next_id(int x) { return last += x; }", ""],
        two: ["", "static int last; int next_id(int x) { return last -= x; }"],
      },
      "split-state last",
    ],
    [
      "with its function, and is a table of operations that objects hold",
      {
        one: [
          "struct ops { int (*f)(int); }; struct file { const struct ops *ops; }; int outside(int); static const struct ops fops = { outside }; void open(struct file *f) { f->ops = &fops; }",
          "",
        ],
        two: [
          "",
          "struct ops { int (*f)(int); }; struct file { const struct ops *ops; }; int outside(int); static const struct ops fops = { outside }; void open(struct file *f) { f->ops = &fops; }",
        ],
      },
      "split-state fops",
    ],
    [
      "nowhere, but is one for each processor under another name",
      {
        one: [
          "static int last; int next_id(int x) { return last += x; }",
          '__attribute__((section(".data..percpu"))) static int last_id; int next_id(int x) { return last_id += x; }',
        ],
      },
      "split-state last_id",
    ],
    [
      "with its function, and is the flag that something was done once",
      {
        one: ['int next_id(int x) { static int ___done __attribute__((section(".data.once"))); return ___done++ + x; }', ""],
        two: ["", 'int next_id(int x) { static int ___done __attribute__((section(".data.once"))); return ___done++ + x + 1; }'],
      },
      /^split-state ___done/,
    ],
    [
      "and its function asks for it there",
      {
        one: [
          "static int last; int next_id(int x) { return last += x; }",
          "int add_to(int x); int next_id(int x) { return add_to(x) + 1; }",
        ],
        two: ["", "static int total; int add_to(int x) { return total += x; }"],
      },
      "split-state total",
    ],
    [
      "and its function asks one for it that was there",
      {
        one: [
          "static int last; int next_id(int x) { return last += x; }",
          "int add_to(int x); int next_id(int x) { return add_to(x) + 1; }",
        ],
        two: ["int add_to(int x) { return x; }", "static int total; int add_to(int x) { return total += x; }"],
      },
      "split-state total",
    ],
    [
      "from a function that asked for it, which is gone",
      {
        one: ["static int last; int add_to(int x) { return last += x; }", ""],
        two: ["int add_to(int x); int next_id(int x) { return add_to(x); }", "static int total; int next_id(int x) { return total += x; }"],
      },
      "split-state total",
    ],
    [
      "nowhere, but is wider under another name",
      {
        one: [
          "static int last; int next_id(int x) { return last += x; }",
          "static long last_id; int next_id(int x) { return last_id += x; }",
        ],
      },
      "split-state last_id",
    ],
  ])("%s: whether it is the running one, nobody knows", async (_, texts: Readonly<Record<string, string[]>>, expected) => {
    const units = Object.fromEntries(Object.entries(texts).map(([name, [pre = "", post = ""]]) => [name, { pre, post }]));
    const { refused } = await settle(units);
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatch(expected);
  });

  it("of functions that are others on both sides is other data", async () => {
    const { refused } = await settle({
      one: {
        pre: "static int last; int f(int x) { return last += x; } int g(int x) { return x; }",
        post: "int f(int x) { return x; } int g(int x) { return x; }",
      },
      two: { pre: "int h(int x) { return x; }", post: "static int last; int h(int x) { return last += x; }" },
    });
    expect(refused).toEqual([]);
  });

  it("under another name, nobody knows", async () => {
    const { refused } = await settle({
      one: { pre: "int limit;", post: "" },
      two: { pre: "", post: "int bound;" },
      user: {
        pre: "extern int limit; int over(int x) { return x > limit; }",
        post: "extern int bound; int over(int x) { return x >= bound; }",
      },
    });
    expect(refused).toEqual(["split-state bound"]);
  });
});

describe("a new variable", () => {
  const INIT = '__attribute__((section(".init.text"))) int start(void)';
  const user = { pre: "int use(int x) { return x; }", post: "int *table; int use(int x) { return table[x]; }" };
  const setup = { pre: `${INIT} { return 0; }`, post: `extern int *table; static int room[4]; ${INIT} { table = room; return 0; }` };

  it("that another unit's initialization code would have filled is refused", async () => {
    const { refused } = await settle({ user, setup });
    expect(refused).toContain("filled-by-init table");
  });

  it("passes where nothing of that kind fills it", async () => {
    const { refused } = await settle({ user, setup: { pre: `${INIT} { return 0; }`, post: `${INIT} { return 1; }` } });
    expect(refused).not.toContain("filled-by-init table");
  });
});

describe("data that several units or modules had", () => {
  const counter = (head: string): string => `${head} int next_id(void) { static int last; return ++last; }`;
  const STATIC = "static __attribute__((noinline))";

  it("each by itself, as a static local of a header's function, and that one has for all: values are lost", async () => {
    const { refused } = await settle({
      one: {
        pre: `${counter(STATIC)} int a(int x) { return next_id() + x; }`,
        post: `${counter("")} int a(int x) { return next_id() + x; }`,
      },
      two: {
        pre: `${counter(STATIC)} int b(int x) { return next_id() + x; }`,
        post: "int next_id(void); int b(int x) { return next_id() + x; }",
      },
    });
    expect(refused).toEqual(["split-state last"]);
  });

  it("each by itself, as a header's variable, and that one has for all: values are lost", async () => {
    const two = "void set_b(int x) { level = x; } int b(int x) { return level + x; }";
    const one = "void set_a(int x) { level = x; } int a(int x) { return level * x; }";
    const { refused } = await settle({
      one: { pre: `static int level; ${one}`, post: `int level; ${one}` },
      two: { pre: `static int level; ${two}`, post: `extern int level; ${two}` },
    });
    expect(refused).toEqual(["split-state level"]);
  });

  it("under one name, and go on doing so", async () => {
    const text = (unit: string, value: string): string =>
      `static int level; void set_${unit}(int x) { level = x; } int get_${unit}(int x) { return level + ${value}; }`;
    const { refused } = await settle({
      one: { pre: text("a", "x"), post: text("a", "x + 1") },
      two: { pre: text("b", "x"), post: text("b", "2 * x") },
    });
    expect(refused).toEqual([]);
  });

  it("of which one goes, with all that used it", async () => {
    const text = (name: string): string =>
      `static int level; void ${name}(int x) { level = x; } int get_${name}(int x) { return level + x; }`;
    const { refused } = await settle({
      one: { pre: `${text("set")} int f(int x) { return x; }`, post: "int f(int x) { return x + 1; }" },
      two: { pre: text("put"), post: text("put").replace("+ x", "* x") },
    });
    expect(refused).toEqual([]);
  });

  it("goes from one module to another: it is not the same", async () => {
    const { refused } = await settle({
      one: {
        target: "a",
        pre: "int state; int get(void) { return state; } int f(int x) { return x; }",
        post: "int f(int x) { return x + 1; }",
      },
      two: {
        target: "b",
        pre: "extern int state; int use(int x) { return state + x; }",
        post: "int state; int use(int x) { return ++state + x; }",
      },
    });
    expect(refused).toEqual(["split-state state"]);
  });
});
