import { describe, expect, it } from "vitest";
import { type Sides, settle, otherPrototype } from "../../../support/settle-units.js";

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

  const INIT = '__attribute__((section(".init.text"))) int start(int x)';
  const NEW = "__attribute__((noinline)) static int alone(int x) { return outside(x) + 1; }";
  const g = {
    pre: "int outside(int); int g(int x) { return outside(x); }",
    post: "int outside(int); int g(int x) { return outside(x) + 7; }",
  };
  const note = (name: string): string => `${name} is new, and only initialization code calls it, which has run already`;
  it.each([
    ["by initialization code", `${F} ${NEW} ${INIT} { return alone(x); }`, [note("alone")], []],
    [
      "by what initialization code calls",
      `${F} ${NEW} __attribute__((noinline)) int next(int x) { return alone(x) + alone(7); } ${INIT} { return next(x); }`,
      [note("alone"), note("next")],
      [],
    ],
    [
      "by that and by something that nothing calls",
      `${F} ${NEW} __attribute__((noinline)) int next(int x) { return alone(x) + alone(7); } ${INIT} { return alone(x); }`,
      [],
      ["unreached-code alone", "unreached-code next"],
    ],
    [
      "by a circle that nothing leads to",
      `${F} int last(int x); __attribute__((noinline)) int first(int x) { return x ? last(x - 1) * 3 : outside(x); } __attribute__((noinline)) int last(int x) { return first(x) + 1; } ${INIT} { return x; }`,
      [],
      ["unreached-code first", "unreached-code last"],
    ],
    [
      "by initialization code of another unit",
      `${F} __attribute__((noinline)) int alone(int x) { return outside(x) + 1; }`,
      [note("alone")],
      [],
      `int alone(int); ${INIT} { return alone(x); }`,
    ],
  ])("or only %s, which is told", async (_, post, notes, refused, more = "") => {
    const settled = await settle({ unit: { pre: F, post }, other: { ...g, post: `${g.post} ${more}` } });
    expect([[...settled.unreachedNotes].sort(), settled.refused.sort()]).toEqual([notes, refused]);
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
