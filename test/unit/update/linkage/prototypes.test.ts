import { describe, expect, it } from "vitest";
import { compileBtfBytes, HAS_PAHOLE } from "../../../support/compile-types.js";
import { functionHeads, Prototypes } from "../../../../src/update/linkage/prototypes.js";

const unit = { path: "a.o", source: "a.c", target: "vmlinux" };

describe("the head of a function", () => {
  it.each([
    ["static int f(int a) { return a; }", [["f", "int ( int a )"]]],
    ["int __init f(int a)\n{ return a; }", [["f", "int ( int a )"]]],
    ["int f(int);", []],
    ["struct foo *f(struct bar *b) { return 0; }", [["f", "struct foo * ( struct bar * b )"]]],
  ])("%s", (source, heads) => {
    expect(functionHeads(source)).toEqual(heads);
  });
});

/** Types that may have changed, or not; whoever wants them compiled gets an error. */
const typesOf = (mayChange: boolean) => ({
  of: async () => Promise.resolve(mayChange ? { pre: new Uint8Array(), post: new Uint8Array() } : undefined),
  compiled: async () => Promise.reject(new Error("compiled")),
});

describe("types are compiled only where the text leaves a question", () => {
  const difference = async (pre: string, post: string, mayChange = false): Promise<string | undefined> =>
    await new Prototypes([{ path: "a.c", pre, post }], typesOf(mayChange)).difference({ unit, name: "f" }, { unit, name: "f" });
  const same = ["int f(foo_t a) { return a; }", "static int f(foo_t a) { return a + 1; }"] as const;

  it("not where the head is the same and no type can be another", async () => {
    expect(await difference(...same)).toBeUndefined();
  });

  it("where the head is the same, and what a name in it means may be another", async () => {
    await expect(difference(...same, true)).rejects.toThrow("compiled");
  });

  it("not where nothing outside of functions changes and no text has it", async () => {
    expect(await difference("int g(int a) { return a; }", "int g(int a) { return 1; }")).toBeUndefined();
  });

  it("where it differs", async () => {
    await expect(difference("int f(int a) { return a; }", "int f(int a, int b) { return a; }")).rejects.toThrow("compiled");
  });
});

const suite = HAS_PAHOLE ? describe : describe.skip;
suite(HAS_PAHOLE ? "a head that reads the same" : "skipped: pahole is not installed", () => {
  const difference = async (pre: string, post: string): Promise<string | undefined> => {
    const pair = { pre: compileBtfBytes(pre), post: compileBtfBytes(post) };
    const types = { of: async () => Promise.resolve(pair), compiled: async () => Promise.resolve(pair) };
    return await new Prototypes([{ path: "a.c", pre, post }], types).difference({ unit, name: "f" }, { unit, name: "f" });
  };
  const text = (type: string): string => `typedef ${type} foo_t; int f(foo_t a) { return a != 0; }`;

  it("is another where its names mean other types", async () => {
    expect(await difference(text("u32"), text("u64"))).toBe("f takes `foo_t a` instead of `foo_t a`");
  });

  it("is the same where they mean the same", async () => {
    expect(await difference(text("u32"), `struct other { int a; }; ${text("u32")}`)).toBeUndefined();
  });

  it("is told about an alias by the function's other name", async () => {
    const pre = "typedef u32 foo_t; static void f(void) { } int other(foo_t a) { return a != 0; } int use(void) { f(); return 0; }";
    const pair = { pre: compileBtfBytes(pre), post: compileBtfBytes(`struct other { int a; }; ${pre}`) };
    const types = { of: async () => Promise.resolve(pair), compiled: async () => Promise.resolve(pair) };
    const differ = async (aliases: readonly string[]): Promise<string | undefined> =>
      await new Prototypes([{ path: "a.c", pre, post: pre }], types).difference(
        { unit, name: "cleanup_module", aliases },
        { unit, name: "cleanup_module", aliases },
      );
    expect(await differ(["f"])).toBeUndefined();
    expect(await differ([])).toMatch(/no type information about cleanup_module/);
    // The alias is of another function than it was.
    const types2 = { of: types.of, compiled: types.compiled };
    const moved = await new Prototypes([{ path: "a.c", pre, post: pre }], types2).difference(
      { unit, name: "cleanup_module", aliases: ["f"] },
      { unit, name: "cleanup_module", aliases: ["other"] },
    );
    expect(moved).toMatch(/no type information about cleanup_module/);
  });
});
