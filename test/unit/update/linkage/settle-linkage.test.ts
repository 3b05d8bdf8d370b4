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

  it("may take something else where only callbacks hold it that change together, and then nobody else is asked for", async () => {
    const together = new Set(["vmlinux unit.o show"]);
    const { parts, refused } = await settle({ unit: change(OPS) }, { ...otherPrototype, together });
    expect(refused).toEqual([]);
    expect(parts.flatMap(({ otherInterface }) => otherInterface)).toEqual([]);
    for (const other of ["vmlinux other.o show", "mod unit.o show", "vmlinux unit.o other"])
      expect((await settle({ unit: change(OPS) }, { ...otherPrototype, together: new Set([other]) })).refused).toEqual([
        "changed-interface show",
      ]);
  });

  it.each([
    ["an exported function", EXPORTED, "shown"],
    [
      "one that BPF programs may call",
      `${PLAIN} void *held = plain; asm(".section .BTF_ids,\\"a\\"\\n__BTF_ID__func__plain__12: .long 0\\n.previous");`,
      "plain",
    ],
  ])("must take the same all the same: %s", async (_, text, name) => {
    const together = new Set([`vmlinux unit.o ${name}`]);
    expect((await settle({ unit: change(text) }, { ...otherPrototype, together })).refused).toEqual([`changed-interface ${name}`]);
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
