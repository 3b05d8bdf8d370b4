import { describe, expect, test } from "vitest";
import { newNames } from "../../../src/kbuild/new-names.js";

const HEADER = `#ifndef _FOO_H
#define _FOO_H
#include <linux/types.h>
/* A comment that names bar. */
#define FOO_MAX 4
#define FOO_LATER() foo_later(1)
struct foo {
	int count;
};
extern int foo_total;
int foo_get(struct foo *foo);
#ifdef CONFIG_FOO
static inline int foo_first(struct foo *foo)
{
	return this_foo_##1(foo->count);
}
#else
#define foo_first(foo) 0
#endif
#endif
`;

const LAST = "int foo_get(struct foo *foo);\n";

/** The names that putting `to` for `from` adds to or takes from the header, in order; undefined: whoever includes it. */
async function names(from: string, to: string): Promise<string[] | undefined> {
  const changed = HEADER.replace(from, () => to);
  expect(changed).not.toBe(HEADER);
  const found = await newNames(HEADER, changed);
  return found === undefined ? undefined : [...found].sort();
}

describe("what is new in a header has a name", () => {
  test.each([
    ["a prototype", "int bar(void);\n", ["bar"]],
    [
      "a prototype with attributes",
      "extern __printf(1, 2) __must_check struct bar *bar(const char *format, ...) __must_hold(x);\n",
      ["bar"],
    ],
    [
      "an inline function",
      "static inline struct foo *bar(int (*call)(int))\n{\n\tif (call(1)) {\n\t\treturn 0;\n\t}\n\treturn 0;\n}\n",
      ["bar"],
    ],
    ["a macro", "#define BAR(x, y) \\\n\tdo { baz(x); } while (0)\n#define BAZ\n", ["BAR", "BAZ"]],
    ["a macro under a condition", "#ifdef CONFIG_BAR\n#define BAR 1\n#else\n#define BAR 2\n#endif\n", ["BAR"]],
    [
      "a struct, its tags and constants",
      "struct bar {\n\tstruct inner { int x; } inner;\n\tenum { BAR_A, BAR_B = 2 } kind;\n} __packed;\n",
      ["BAR_A", "BAR_B", "bar", "inner"],
    ],
    ["constants", "enum bar {\n\tBAR_A = BIT(0),\n\tBAR_B,\n};\n", ["BAR_A", "BAR_B", "bar"]],
    [
      "a type's name",
      "typedef struct { int x; } bar_t;\ntypedef u32 __bitwise baz_t;\ntypedef int (*call_t)(int);\n",
      ["bar_t", "baz_t", "call_t"],
    ],
    ["a variable of elsewhere", "extern const struct foo *bars[], baz;\n", ["bars", "baz"]],
    ["a static table", "static const struct foo bar[] = {\n\t{ .count = 1 },\n};\n", ["bar"]],
    ["nothing: a comment, a tag, a check", "/* bar */\nstruct bar;\nstatic_assert(sizeof(int) == 4);\n", []],
  ])("%s", async (_, text, expected) => {
    expect(await names(LAST, LAST + text)).toEqual(expected);
    expect(await names(LAST, text + LAST)).toEqual(expected);
  });

  test("so has what goes", async () => {
    expect(await names(LAST, "")).toEqual(["foo_get"]);
    expect(await names("#define FOO_LATER() foo_later(1)\n", "#define FOO_NOW() foo_now(1)\n")).toEqual(["FOO_LATER", "FOO_NOW"]);
  });
});

describe("whoever includes a header may see", () => {
  test.each([
    ["a macro with another value", "FOO_MAX 4", "FOO_MAX 5"],
    ["a member", "int count;", "int count;\n\tint more;"],
    ["a function with another body", "foo->count)", "foo->count + 1)"],
    ["a prototype with another parameter", "struct foo *foo);", "struct foo *foo, int flags);"],
    ["an attribute", LAST, LAST.replace(";", " __pure;")],
    ["an #include", "#include <linux/types.h>", "#include <linux/types.h>\n#include <linux/bar.h>"],
    ["an #include that goes", "#include <linux/types.h>\n", ""],
    ["a condition around what was there", LAST, `#ifdef CONFIG_BAR\n${LAST}#endif\n`],
    ["what a macro was waiting for", LAST, `${LAST}int foo_later(int);\n`],
    ["what a condition asks for", LAST, `${LAST}#define CONFIG_FOO 1\n`],
    ["what stands under the other condition", LAST, `${LAST}#define foo_first(foo) 1\n`],
    ["a definition", LAST, `${LAST}int bar(void)\n{\n\treturn 0;\n}\n`],
    ["a function that the compiler must keep", LAST, `${LAST}static int __used bar(void)\n{\n\treturn 0;\n}\n`],
    ["a section of its own", LAST, `${LAST}static int bar __attribute__((section("x")));\n`],
    ["an object", LAST, `${LAST}struct bar { int x; } bar;\n`],
    ["a variable", LAST, `${LAST}int bar;\n`],
    ["a macro that declares", LAST, `${LAST}DECLARE_BAR(int, bar);\n`],
    ["a macro that stands before a declaration", LAST, `BAR(int)\n${LAST}`],
    ["a constant among others by a macro", LAST, `${LAST}enum { A, MORE(B) };\n`],
    ["a pragma", LAST, `${LAST}#pragma pack(1)\n`],
    ["half a block", LAST, `${LAST}#ifdef X\nstruct bar {\n#endif\n`],
    ["a function's name in an attribute", LAST, `${LAST}extern int bar(void) __asm__("foo_get");\n`],
  ])("%s", async (_, from, to) => {
    expect(await names(from, to)).toBeUndefined();
  });
});

test("comments, blanks and line numbers are no change", async () => {
  const changed = HEADER.replace("A comment that names bar.", "Another.")
    .replace("int count", "int  count")
    .replace("struct foo {", "#line 9\nstruct foo\n{");
  expect(await newNames(HEADER, changed)).toEqual(new Set());
});
