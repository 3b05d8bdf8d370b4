import { describe, expect, it } from "vitest";
import { settle } from "../../../support/settle-units.js";

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

  it("is refused where a macro stands for a struct, and for another one with the patch", async () => {
    const text = (members: string, value: number): string =>
      `\n#define PAIR struct { ${members} }\nstatic PAIR kept; long outside(void *, int); long get(void) { return kept.a + outside(&kept, ${String(value)}); }`;
    const refused = async (members: string): Promise<string[]> =>
      (await settle({ unit: { pre: text("short a; short b;", 1), post: text(members, 2) } })).refused;
    expect(await refused("short b; short a;")).toEqual(["changed-data-type kept"]);
    expect(await refused("short a; short b;")).toEqual([]);
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

  it.each([
    ["passes where one of two that are alike changes", `${A}, ${A}, ${C}`, `${A}, ${B}, ${C}`, []],
    ["is refused where two that are alike make room", `${A}, ${A}, ${C}`, `${B}, ${A}, ${A}`, ["moved-elements table"]],
  ])("%s", async (_, before, after, expected) => {
    expect((await settle({ unit: { pre: table(before), post: table(after) } })).refused).toEqual(expected);
  });

  it("nobody has a pointer to, if it is only read by index", async () => {
    const { refused } = await settle({ unit: { pre: table(`${A}, ${B}, ${C}`, read), post: table(`${B}, ${A}, ${C}`, read) } });
    expect(refused).toEqual([]);
  });

  it("is not a structure of functions, where one may get another place", async () => {
    const functions = (list: string): string =>
      `struct ops { int (*a)(void), (*b)(void), (*c)(void), (*d)(void); }; int first(void); int second(void); int third(void); const struct ops ops = { ${list} };`;
    const { refused } = await settle({
      unit: { pre: functions("first, second, third, third"), post: functions("third, third, first, second") },
    });
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
