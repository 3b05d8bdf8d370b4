import { describe, expect, it } from "vitest";
import { comparePrototypes } from "../../../src/btf/compare-prototypes.js";
import { compileBtf, HAS_PAHOLE } from "../../support/compile-types.js";

/** Heads of a function `f` before and after, and what is said of it. */
const cases: readonly (readonly [before: string, after: string, difference: string | undefined])[] = [
  ["int f(int a)", "int f(int b)", undefined],
  ["int f(int a)", "int f(unsigned a)", undefined],
  ["int f(const char *a)", "int f(char *a)", undefined],
  ["int f(void *a)", "int f(struct list_head *a)", undefined],
  ["void f(int a)", "int f(int a)", undefined],
  ["int f(int a)", "void f(int a)", "f returns `void` instead of `int`"],
  ["int f(int a)", "int f(int a, int b)", "f takes 2 parameters instead of 1"],
  ["int f(int a, int b)", "int f(int a)", "f takes 1 parameter instead of 2"],
  ["int f(int a)", "int f(u64 a)", "f takes `u64 a` instead of `int a`"],
  ["int f(u64 a)", "int f(struct list_head *a)", "f takes `struct list_head *a` instead of `u64 a`"],
  ["int f(struct list_head *a)", "int f(refcount_t *a)", "f takes `refcount_t *a` instead of `struct list_head *a`"],
  ["int f(int a)", "int f(int a, ...)", "f takes 2 parameters instead of 1"],
  ["int f(int a, int b)", "int f(int b, int a)", "f takes `b` at another place than before"],
  ["int f(int a, int b)", "int f(int first, int b)", undefined],
  ["int f(int (*a)(int))", "int f(int (*a)(unsigned))", undefined],
  ["int f(int (*a)(int))", "int f(int (*a)(int, int))", "f takes `int (*a)()` instead of `int (*a)()`"],
  ["int *f(void)", "u64 f(void)", "f returns `u64` instead of `int *`"],
];

const suite = HAS_PAHOLE ? describe : describe.skip;

suite(HAS_PAHOLE ? "what a function takes and returns" : "skipped: pahole is not installed", () => {
  it.each(cases)("%s, then %s", (before, after, difference) => {
    const body = (head: string): string => `${head} { ${head.startsWith("void ") ? "" : "return 0;"} }`;
    const [pre, post] = [compileBtf(body(before), "pre"), compileBtf(body(after), "post")];
    expect(comparePrototypes({ btf: pre, name: "f" }, { btf: post, name: "f" })).toBe(difference);
  });

  it("cannot be told of a function that is not there", () => {
    const btf = compileBtf("int f(void) { return 0; }", "pre");
    expect(comparePrototypes({ btf, name: "f" }, { btf, name: "g" })).toMatch(/g cannot be compared/);
  });
});
