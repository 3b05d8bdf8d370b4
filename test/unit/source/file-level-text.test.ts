import { describe, expect, test } from "vitest";
import { fileLevelText } from "../../../src/source/file-level-text.js";

const FILE = `#include <linux/fs.h>
/* A comment. */
struct foo {
	int count;
};
static const struct ops ops = {
	.open = foo_open,
};
static int foo_get(struct foo *foo)
{
#ifdef CONFIG_FOO
	if (foo->count) {
		return 1;
	}
#endif
	return 0;
}
SYSCALL_DEFINE1(foo, int, fd)
{
	return foo_get(0);
}
module_init(foo_init);
`;

/** Whether two versions of a file can define other types. */
function differs(from: string, to: string): boolean {
  const changed = FILE.replace(from, to);
  expect(changed).not.toBe(FILE);
  const [before, after] = [fileLevelText(FILE), fileLevelText(changed)];
  return before === undefined || before !== after;
}

describe("a change that cannot change a type", () => {
  test.each([
    ["a statement", "return 0;", "return foo->count + 1;"],
    ["a block", "return 0;", 'if (!foo) {\n\t\tpr_info("}");\n\t}\n\treturn 0;'],
    ["a comment", "A comment.", "Another { comment."],
    ["blanks", "struct foo {", "struct  foo\n{"],
    ["a parameter", "struct foo *foo)\n{", "const struct foo *foo, int flags)\n{"],
    ["a new function", "SYSCALL_DEFINE1", "static noinline struct foo *helper(int (*call)(void)) __must_hold(x)\n{\n}\nSYSCALL_DEFINE1"],
    ["a prototype", "module_init", "extern struct foo *foo_find(int id) __must_check;\nmodule_init"],
    ["a function that goes", "SYSCALL_DEFINE1(foo, int, fd)\n{\n\treturn foo_get(0);\n}\n", ""],
    ["a directive for line numbers", "module_init", "#line 20\nmodule_init"],
  ])("%s", (_, from, to) => {
    expect(differs(from, to)).toBe(false);
  });
});

describe("a change that may change a type", () => {
  test.each([
    ["a member", "int count;", "int count;\n\tint more;"],
    ["an attribute of a struct", "struct foo {", "struct foo __aligned(8) {"],
    ["a new struct", "module_init", "struct bar { int x; };\nmodule_init"],
    ["a macro that ends in a semicolon", "module_init", "static declare_foo(x);\nmodule_init"],
    ["a variable", "module_init", "static int (*call)(void);\nmodule_init"],
    ["a macro that could be anything", "static int foo_get", "DECLARE_FOO(x)\nstatic int foo_get"],
    ["a function whose head is a macro", "module_init", "DEFINE_FOO(x)\n{\n}\nmodule_init"],
    ["a preprocessor line", "CONFIG_FOO", "CONFIG_BAR"],
    ["a macro that is defined inside a function", "return 0;", "\n#define X 1\n\treturn 0;"],
    ["a struct inside a function", "return 0;", "struct local { int a; } local;\n\treturn 0;"],
    ["an initial value", "foo_open", "other_open"],
    ["a brace too many", "return 0;", "} return 0;"],
    ["half a block in a branch", "return 1;\n\t}\n#endif", "return 1;\n#endif\n\t}"],
    ["parentheses that do not close", "foo_init);", "foo_init;"],
  ])("%s", (_, from, to) => {
    expect(differs(from, to)).toBe(true);
  });

  test.each([
    ["struct foo __aligned(8) {\n\tint a;\n};\n", "int a;", "long a;"],
    ["struct foo __packed __aligned(8) {\n\tint a;\n};\n", "int a;", "long a;"],
    ["struct __attribute__((packed)) {\n\tint a;\n} foo;\n", "int a;", "long a;"],
    ["typedef struct foo ATTRIBUTE(8) {\n\tint a;\n} foo_t;\n", "int a;", "long a;"],
    ["static struct foo foo = (struct foo) {\n\t.a = 1,\n};\n", "= 1", "= 2"],
    ["enum __packed(x) {\n\tA,\n};\n", "A", "B, A"],
    ["DEFINE_FOO(x, { int a; });\n", "int a", "long a"],
    ["int foo(void)\n{\n\tunion { int a; } u;\n}\n", "int a", "long a"],
  ])("%j is no function", (text, from, to) => {
    expect(fileLevelText(text)).not.toBe(fileLevelText(text.replace(from, to)));
  });
});
