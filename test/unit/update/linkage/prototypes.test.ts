import { describe, expect, it } from "vitest";
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

describe("types are compiled only where the text leaves a question", () => {
  const asked: string[] = [];
  const types = {
    of: async () => {
      asked.push("of");
      return Promise.resolve(undefined);
    },
    compiled: async () => Promise.reject(new Error("compiled")),
  };
  const difference = async (pre: string, post: string): Promise<string | undefined> =>
    await new Prototypes([{ path: "a.c", pre, post }], types).difference({ unit, name: "f" }, { unit, name: "f" });

  it("not where the head is the same", async () => {
    expect(await difference("int f(int a) { return a; }", "static int f(int a) { return a + 1; }")).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it("not where nothing outside of functions changes and no text has it", async () => {
    expect(await difference("int g(int a) { return a; }", "int g(int a) { return 1; }")).toBeUndefined();
    expect(asked).toEqual(["of"]);
  });

  it("where it differs", async () => {
    await expect(difference("int f(int a) { return a; }", "int f(int a, int b) { return a; }")).rejects.toThrow("compiled");
  });
});
