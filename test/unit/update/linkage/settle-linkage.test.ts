import { describe, expect, it } from "vitest";
import { cutOut, type UnitPart } from "../../../../src/update/create/cut-out.js";
import { notesOf, requireEffect } from "../../../../src/update/create/judge-parts.js";
import { diffUnit, type UnitDiff } from "../../../../src/update/units/unit-diff.js";
import { findUnreached } from "../../../../src/update/create/find-unreached.js";
import { settleLinkage, type Linkage, type LinkageContext } from "../../../../src/update/linkage/settle-linkage.js";
import { GCC, KERNEL_LIKE_FLAGS, SECTION_FLAGS, compileBytes } from "../../../support/compile-object.js";

/** A unit's text before and after the patch. */
interface Sides {
  readonly pre: string;
  readonly post: string;
  readonly target?: string;
}

const FLAGS = [...KERNEL_LIKE_FLAGS, ...SECTION_FLAGS];
const compile = (text: string): Uint8Array => compileBytes(text, GCC ?? "gcc", FLAGS);

function diffsOf(units: Readonly<Record<string, Sides>>): UnitDiff[] {
  return Object.entries(units).map(([name, { pre, post, target }]) =>
    diffUnit({
      unit: { path: `${name}.o`, source: `${name}.c`, target: target ?? "vmlinux" },
      pre: compile(pre),
      post: compile(post),
      sources: [pre, post],
    }),
  );
}

interface Settled {
  readonly linkage: Linkage;
  readonly parts: UnitPart[];
  /** `CODE SYMBOL` of all that is refused. */
  readonly refused: string[];
}

async function settle(units: Readonly<Record<string, Sides>>, context: Partial<LinkageContext> = {}): Promise<Settled> {
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
  const all = [...own, ...linkage.refusals.map(({ refusal }) => refusal), ...findUnreached(parts).map(({ refusal }) => refusal)];
  return { linkage, parts, refused: all.map(({ code, symbol }) => `${code} ${symbol}`) };
}

const otherPrototype: Partial<LinkageContext> = {
  prototypes: { difference: async (_, { name }) => Promise.resolve(`${name} takes something else`) },
};

const PARSE = "int outside(int); int parse(int x) { return outside(x) + 1; }";
const PARSE_FIXED = "int outside(int); int parse(int x) { return x < 0 ? -1 : outside(x) + 1; }";
const CALLER = "int parse(int); int caller(int x) { return parse(x) * 2; }";

describe("a function that moves to another unit", () => {
  it("is led to the code there, for callers that are not compiled again", async () => {
    const { parts, refused } = await settle({
      util: { pre: PARSE, post: "int rest(void) { return 1; }".replace("rest", "rest_of_util") },
      cmdline: { pre: "int cmd(int x) { return x; }", post: `int cmd(int x) { return x; } ${PARSE_FIXED}` },
      user: { pre: CALLER, post: CALLER },
    });
    expect(refused).toEqual(["unreached-code rest_of_util"]);
    const util = parts.find(({ unit }) => unit.path === "util.o");
    expect(util?.redirects).toMatchObject([{ name: "parse", preSymbol: "parse", newSymbol: "parse" }]);
    expect(util?.redirects[0]?.to.unit.path).toBe("cmdline.o");
    expect(util?.left).toEqual([]);
  });

  it("keeps its old address as a value, in its own unit and in others", async () => {
    const { parts, refused } = await settle({
      util: { pre: PARSE, post: "" },
      cmdline: { pre: "", post: `${PARSE_FIXED} typedef int (*fn)(int); extern fn kept; void keep(void); ` },
      user: {
        pre: "int parse(int); typedef int (*fn)(int); fn pick(int x) { return x ? parse : 0; }",
        post: "int parse(int); typedef int (*fn)(int); fn pick(int x) { return x > 1 ? parse : 0; }",
      },
    });
    expect(refused).toEqual([]);
    const imports = parts.find(({ unit }) => unit.path === "user.o")?.newCode.imports;
    expect(imports).toEqual([{ name: "util.o:parse", symbol: "parse" }]);
  });

  it("is refused where it takes something else there", async () => {
    const { refused } = await settle({ util: { pre: PARSE, post: "" }, cmdline: { pre: "", post: PARSE_FIXED } }, otherPrototype);
    expect(refused).toEqual(["changed-interface parse"]);
  });

  it("is not exported a second time", async () => {
    const exported = (text: string): string =>
      `${text} asm(".section ___ksymtab+parse,\\"a\\"\\n.long parse - .\\n.long 0\\n.long 0\\n.previous");`;
    const { parts } = await settle({ util: { pre: exported(PARSE), post: "" }, cmdline: { pre: "", post: exported(PARSE_FIXED) } });
    expect(parts.flatMap(({ newCode }) => newCode.exports)).toEqual([]);
  });

  it("of which only the export moves is where it was, and exported as before", async () => {
    const entry = 'asm(".section ___ksymtab+parse,\\"a\\"\\n.long parse - .\\n.long 0\\n.long 0\\n.previous");';
    const { parts, refused } = await settle({
      util: { pre: `${PARSE} ${entry}`, post: PARSE_FIXED },
      cmdline: { pre: "int cmd(int x) { return x; }", post: `int cmd(int x) { return x + 1; } ${entry}` },
    });
    expect(refused).toEqual([]);
    expect(parts.map(({ newCode }) => newCode.exports)).toEqual([[], []]);
    expect(parts.flatMap(({ diff }) => diff.notes)).toHaveLength(1);
    expect(notesOf(parts)).toEqual([]);
  });

  it("of another unit may be exported by one that only names it", async () => {
    const entry = 'asm(".section ___ksymtab+parse,\\"a\\"\\n.long parse - .\\n.long 0\\n.long 0\\n.previous");';
    const { parts } = await settle({ cmdline: { pre: "int cmd(int x) { return x; }", post: `int cmd(int x) { return x + 1; } ${entry}` } });
    expect(parts.flatMap(({ newCode }) => newCode.exports)).toMatchObject([{ name: "parse", symbol: "parse" }]);
    expect(parts.flatMap(({ newCode }) => newCode.imports)).toEqual([{ name: "parse", symbol: "parse" }]);
  });

  it("of another module is another function", async () => {
    const { linkage } = await settle({
      util: { pre: PARSE, post: "", target: "one" },
      cmdline: { pre: "", post: PARSE_FIXED, target: "two" },
    });
    expect(linkage.moves.functions).toEqual([]);
    expect(linkage.moves.added.map(({ target, name }) => `${target} ${name}`)).toEqual(["two parse"]);
  });

  it.each([
    ["names it", {}, new Map([["parse", "other.c"]])],
    ["is touched and calls it as before", { user: { pre: CALLER, post: CALLER, target: "one" } }, new Map<string, string>()],
  ])("of another module is refused where a file of the first %s", async (_, further, mentions) => {
    const units = { util: { pre: PARSE, post: "", target: "one" }, cmdline: { pre: "", post: PARSE_FIXED, target: "two" }, ...further };
    const { refused } = await settle(units, { findMentions: async () => Promise.resolve(mentions) });
    expect(refused).toEqual(["moved-definition parse"]);
  });
});

describe("definitions that compete", () => {
  it("a strong one beside the weak one that runs: what runs is led to it", async () => {
    const weak = "__attribute__((weak)) int arch_check(int x) { return 0; }";
    const { parts, refused } = await settle({
      generic: { pre: weak, post: weak },
      arch: { pre: "", post: "int arch_check(int x) { return x > 1; }" },
    });
    expect(refused).toEqual([]);
    expect(parts.flatMap(({ redirects }) => redirects.map(({ name, to }) => `${name} to ${to.unit.path}`))).toEqual([
      "arch_check to arch.o",
    ]);
  });

  it("a strong one that goes, while a weak one stays", async () => {
    const weak = "__attribute__((weak)) int arch_check(int x) { return 0; }";
    const { refused } = await settle({
      generic: { pre: weak, post: weak },
      arch: { pre: "int arch_check(int x) { return x > 1; }", post: "" },
    });
    expect(refused).toEqual(["moved-definition arch_check"]);
  });
});

describe("a further name of what is there", () => {
  const ALIAS = 'int again(int) __attribute__((alias("parse")));';

  it.each([
    ["is refused, as the running kernel does not have it", `${PARSE} ${ALIAS}`, ["moved-definition again"]],
    ["is refused where the function changes too", `${PARSE_FIXED} ${ALIAS}`, ["moved-definition again"]],
  ])("%s", async (_, post, expected) => {
    const other = { pre: "int g(int x) { return x; }", post: "int again(int); int g(int x) { return again(x); }" };
    expect((await settle({ unit: { pre: PARSE, post }, other })).refused).toEqual(expected);
  });

  it("passes where it was static before", async () => {
    const use = "int f(int x) { return inner(x) * 2; }";
    const inner = "int outside(int); static __attribute__((noinline)) int inner(int x) { return outside(x) + 1; }";
    const other = { pre: "int g(int x) { return x; }", post: "int inner(int); int g(int x) { return inner(x); }" };
    const sides = { pre: `${inner} ${use}`, post: `${inner.replace("static ", "")} ${use}` };
    expect((await settle({ unit: sides, other })).refused).toEqual([]);
  });
});

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

describe("a variable of another type", () => {
  it.each([
    ["a number of the same size passes", "static long kept;", "static unsigned long kept;", []],
    ["a pointer in a number's place is refused", "static long kept;", "static char *kept;", ["changed-data-type kept"]],
    ["one to another structure is refused", "static struct a *kept;", "static struct b *kept;", ["changed-data-type kept"]],
  ])("%s", async (_, before, after, expected) => {
    const use = (declaration: string, value: string): string =>
      `struct a; struct b; ${declaration} int get(void) { return kept != 0 ? ${value} : 0; } void set(void *x) { kept = (typeof(kept))x; }`;
    expect((await settle({ unit: { pre: use(before, "1"), post: use(after, "2") } })).refused).toEqual(expected);
  });
});

describe("a variable whose type reads the same", () => {
  const use = (type: string, value: string): string =>
    `struct a; struct b; ${type} static foo_t kept; int get(void) { return kept != 0 ? ${value} : 0; } void set(void *x) { kept = (foo_t)x; }`;

  it.each([
    ["is refused where a typedef means another", "typedef struct b *foo_t;", ["changed-data-type kept"]],
    ["is refused where a macro means another", "\n#define foo_t struct b *\n", ["changed-data-type kept"]],
    ["passes where a macro means the same", "\n#define foo_t struct a *\n", []],
  ])("%s", async (_, after, expected) => {
    expect((await settle({ unit: { pre: use("typedef struct a *foo_t;", "1"), post: use(after, "2") } })).refused).toEqual(expected);
  });

  it.each([
    [
      "a pointer in the place of what a macro defines is refused",
      "DECLARE_BITMAP(kept, 64);",
      "static unsigned long *kept;",
      ["changed-data-type kept"],
    ],
    ["what another macro defines is refused", "LLIST_HEAD(kept);", "HLIST_HEAD(kept);", ["changed-data-type kept"]],
    ["what the macro stands for passes", "LLIST_HEAD(kept);", "static struct llist_head kept;", []],
  ])("%s", async (_, before, after, expected) => {
    const macros =
      "\n#define DECLARE_BITMAP(name, bits) static unsigned long name[bits / 64]\n#define LLIST_HEAD(name) static struct llist_head name\n#define HLIST_HEAD(name) static struct hlist_head name\n";
    const types = "struct llist_head { void *first; }; struct hlist_head { void *first; };";
    const text = (declaration: string, value: number): string =>
      `${macros}${types} ${declaration} long outside(void *, int); long get(void) { return outside(&kept, ${String(value)}); }`;
    expect((await settle({ unit: { pre: text(before, 1), post: text(after, 2) } })).refused).toEqual(expected);
  });

  it("is refused where only another unit uses it", async () => {
    const other = (type: string, value: number): string =>
      `extern struct ${type} *kept; int get(void) { return kept != 0 ? ${String(value)} : 0; }`;
    const units = {
      unit: { pre: "struct a *kept;", post: "struct b *kept;" },
      other: { pre: other("a", 1), post: other("b", 2) },
    };
    expect((await settle(units)).refused).toEqual(["changed-data-type kept"]);
  });

  it("is refused where it moves to another unit", async () => {
    const code = (value: number): string => `int get(void) { return kept != 0 ? ${String(value)} : 0; }`;
    const units = {
      unit: { pre: "struct a *kept;", post: "" },
      other: { pre: `extern struct a *kept; ${code(1)}`, post: `struct b *kept; ${code(2)}` },
    };
    expect((await settle(units)).refused).toEqual(["changed-data-type kept"]);
  });
});

describe("a table of structures", () => {
  const table = (elements: string, use = "const struct chip *pick(int id) { return table[id].id == id ? &table[id] : 0; }"): string =>
    `struct chip { long id; const char *name; long bits; }; static const struct chip table[3] = { ${elements} }; ${use}`;
  const [A, B, C] = ['{ 1, "one", 4 }', '{ 2, "two", 8 }', '{ 3, "three", 9 }'];
  const read = "long bits(int id) { return table[id].bits; }";

  it.each([
    ["whose elements change places is refused", table(`${B}, ${A}, ${C}`), ["moved-elements table"]],
    ["into the middle of which another one comes is refused", table(`${A}, ${C}, ${B}`), ["moved-elements table"]],
    ["whose elements change where they are passes", table(`${A}, ${B.replace("8", "9")}, ${C}`), []],
    ["one of which goes passes", table(`${A}, {}, ${C}`), []],
  ])("%s", async (_, post, expected) => {
    expect((await settle({ unit: { pre: table(`${A}, ${B}, ${C}`), post } })).refused).toEqual(expected);
  });

  it("nobody has a pointer to, if it is only read by index", async () => {
    const { refused } = await settle({ unit: { pre: table(`${A}, ${B}, ${C}`, read), post: table(`${B}, ${A}, ${C}`, read) } });
    expect(refused).toEqual([]);
  });

  it("is not a structure of functions, where one may get another place", async () => {
    const functions = (list: string): string =>
      `struct ops { int (*a)(void), (*b)(void), (*c)(void), (*d)(void); }; int first(void); int second(void); const struct ops ops = { ${list} };`;
    const { refused } = await settle({ unit: { pre: functions("first, second, 0, 0"), post: functions("0, 0, first, second") } });
    expect(refused).toEqual([]);
  });
});

describe("a variable without a type's name", () => {
  const use = (declaration: string): string =>
    `${declaration} long get(void) { return kept.a; } void set(long x, long y) { kept.a = x; kept.b = y; }`;

  it.each([
    [
      "whose members change places is refused",
      "static struct { long a; long b; } kept;",
      "static struct { long b; long a; } kept;",
      ["changed-data-type kept"],
    ],
    ["that is the same passes", "static struct { long a; long b; } kept;", "struct more; static struct { long a; long b; } kept;", []],
  ])("%s", async (_, pre, post, expected) => {
    expect((await settle({ unit: { pre: use(pre), post: use(post) } })).refused).toEqual(expected);
  });
});

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

describe("what others call", () => {
  const OPS =
    "struct ops { int (*show)(int); }; int outside(int); static int show(int x) { return outside(x) BODY; } const struct ops table = { show };";
  const EXPORTED =
    'int outside(int); int shown(int x) { return outside(x) BODY; } asm(".section ___ksymtab+shown,\\"a\\"\\n.long shown - .\\n.long 0\\n.long 0\\n.previous");';
  const PLAIN = "int outside(int); int plain(int x) { return outside(x) BODY; }";
  const change = (text: string): Sides => ({ pre: text.replace("BODY", "+ 1"), post: text.replace("BODY", "+ 2") });

  it.each([
    ["an exported function", EXPORTED, ["changed-interface shown"]],
    ["a function whose address is held", OPS, ["changed-interface show"]],
  ])("%s must take the same", async (_, text, expected) => {
    expect((await settle({ unit: change(text) })).refused).toEqual([]);
    expect((await settle({ unit: change(text) }, otherPrototype)).refused).toEqual(expected);
  });

  it.each([
    ["by a set of BTF ids", 'asm(".section .BTF_ids,\\"a\\"\\n__BTF_ID__func__plain__12: .long 0\\n.previous");', (text: string) => text],
    [
      "by a word at its head",
      "",
      (text: string) => text.replace("int plain", "__bpf_kfunc int plain").replace("int outside", "#define __bpf_kfunc\nint outside"),
    ],
  ])("a function that BPF programs may call, told %s, must take the same", async (_, ids, edit) => {
    const sides = change(edit(`${PLAIN} ${ids}`));
    expect((await settle({ unit: sides })).refused).toEqual([]);
    expect((await settle({ unit: sides }, otherPrototype)).refused).toEqual(["changed-interface plain"]);
  });

  it("another function may take something else: the running kernel is asked who calls it", async () => {
    const { parts, refused } = await settle({ unit: change(PLAIN) }, otherPrototype);
    expect(refused).toEqual([]);
    expect(parts.flatMap(({ otherInterface }) => otherInterface)).toEqual(["plain"]);
  });

  it("a renamed callback must take the same", async () => {
    const text = (name: string, body: string): string =>
      `struct timer { void (*run)(struct timer *t); }; void add(struct timer *t); static void ${name}(struct timer *t) { t->run = ${body}; } void f(struct timer *t) { t->run = ${name}; add(t); }`;
    const sides = { pre: text("tick", "0"), post: text("tock", "(void *)1") };
    expect((await settle({ unit: sides })).refused).toEqual([]);
    expect((await settle({ unit: sides }, otherPrototype)).refused).toEqual(["changed-interface tock"]);
  });
});

describe("everything new is reached", () => {
  const F = "int outside(int); int f(int x) { return outside(x); }";

  it.each([
    ["a function that nothing calls", `${F} int alone(int x) { return outside(x) + 1; }`, ["unreached-code alone"]],
    [
      "one that only initialization code calls",
      `${F} __attribute__((noinline)) static int alone(int x) { return outside(x) + 1; } __attribute__((section(".init.text"))) int start(int x) { return alone(x); }`,
      ["unreached-code alone"],
    ],
    [
      "one that a changed function calls",
      `int outside(int); __attribute__((noinline)) static int used(int x) { return outside(x) + 1; } int f(int x) { return used(x); }`,
      [],
    ],
  ])("%s", async (_, post, expected) => {
    const other = {
      pre: "int outside(int); int g(int x) { return outside(x); }",
      post: "int outside(int); int g(int x) { return outside(x) + 7; }",
    };
    expect((await settle({ unit: { pre: F, post }, other })).refused).toEqual(expected);
  });

  it("by another unit's new code", async () => {
    const { refused } = await settle({
      one: { pre: "", post: "int outside(int); int added(int x) { return outside(x); }" },
      two: { pre: F, post: F.replace("return outside(x)", "return added(x)").replace("int outside(int);", "int added(int);") },
    });
    expect(refused).toEqual([]);
  });
});

describe("names that leave initialization", () => {
  it("mean the new code for other units", async () => {
    const init = '__attribute__((section(".init.text"), noinline))';
    const { parts, linkage, refused } = await settle({
      one: {
        pre: `int outside(int); int ${init} setup(int x) { return outside(x); }`,
        post: "int outside(int); int setup(int x) { return outside(x); }",
      },
      two: { pre: "int f(int x) { return x; }", post: "int setup(int); int f(int x) { return setup(x); }" },
    });
    expect(refused).toEqual([]);
    expect(parts.flatMap(({ newCode }) => newCode.newGlobals)).toEqual(["setup"]);
    expect(linkage.moves.added.map(({ name }) => name)).toEqual(["setup"]);
  });
});

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
