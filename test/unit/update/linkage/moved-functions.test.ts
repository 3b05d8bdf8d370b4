import { describe, expect, it } from "vitest";
import { notesOf } from "../../../../src/update/create/judge-parts.js";
import { settle, otherPrototype, PARSE, PARSE_FIXED, CALLER } from "../../../support/settle-units.js";

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

describe("a name that becomes static, while another unit defines a global one of it", () => {
  it("is refused, for who keeps its own and who is led to the other cannot be told in the running kernel", async () => {
    const use = "int local(int x) { return parse(x) * 2; }";
    const code = (word: string, add: number): string =>
      `int outside(int); ${word} __attribute__((noinline)) int parse(int x) { return outside(x) + ${String(add)}; } ${use}`;
    const { refused } = await settle({ one: { pre: code("", 1), post: code("static", 9) }, two: { pre: "", post: PARSE_FIXED } });
    expect(refused).toEqual(["moved-definition parse"]);
  });

  it("is refused of a variable too", async () => {
    const code = "int get(int x) { return limit += x; }";
    const { refused } = await settle({
      one: { pre: `int limit; ${code}`, post: `static int limit; ${code}` },
      two: { pre: "", post: `int limit; ${code.replace("get", "get_two")}` },
    });
    expect(refused).toContain("moved-definition limit");
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

  it("is refused where a static table is renamed and global: it says by which name it runs", async () => {
    const table = (head: string, name: string, value: number): string =>
      `struct ops { int (*f)(int); }; int outside(int); void add(const struct ops *o, int); ${head} const struct ops ${name} = { outside }; void start(void) { add(&${name}, ${String(value)}); }`;
    const { linkage } = await settle({ unit: { pre: table("static", "ops", 1), post: table("", "shared_ops", 2) } });
    expect(linkage.refusals.map(({ refusal }) => refusal.message)).toEqual([
      expect.stringContaining("shared_ops is what the running kernel calls ops"),
    ]);
  });
});
