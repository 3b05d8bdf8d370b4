import { describe, expect, test } from "vitest";
import { changedDeclaration, declaredItems } from "../../../../src/kbuild/reach/rust-bindings.js";

const HEADER = `
#define LIMIT 16
#define TWICE(x) (2 * (x))
enum state { IDLE, BUSY };
struct device { int id; enum state state; };
extern int start(struct device *device);
static inline int stop(struct device *device)
{
	return device->id;
}
static void *__UNIQUE_ID_addressable_start12 = (void *)(unsigned long)&start;
`;

const changeOf = (from: string, to: string): string | undefined => {
  expect(HEADER).toContain(from);
  const items = (text: string): string => declaredItems(text).join("\n");
  return changedDeclaration(items(HEADER), items(HEADER.replace(from, to)));
};

describe("what Rust code knows of C", () => {
  test.each([
    ["the body of a function", "return device->id;", "return device ? device->id : 0;"],
    ["blanks and lines", "int id; enum", "int id;\n\n\tenum"],
    ["a declaration more", "extern int start", "extern int more(void);\nextern int start"],
    ["a macro more", "#define LIMIT 16", "#define LIMIT 16\n#define OTHER 3"],
    ["a number that the preprocessor counts up", "start12", "start13"],
  ])("is the same with %s", (_, from, to) => {
    expect(changeOf(from, to)).toBeUndefined();
  });

  test.each([
    ["a constant", "#define LIMIT 16", "#define LIMIT 17", "#define LIMIT 16"],
    ["a macro's meaning", "(2 * (x))", "((x) + (x))", "#define TWICE"],
    ["a macro that is defined anew", "#define LIMIT 16", "#define LIMIT 16\n#undef LIMIT\n#define LIMIT 17", "LIMIT"],
    ["an enumerator's place", "IDLE, BUSY", "IDLE, STARTING, BUSY", "enum state"],
    ["a member", "int id;", "long id;", "struct device"],
    ["a prototype", "extern int start(struct device *device);", "extern long start(struct device *device);", "start"],
    ["what an inline function takes", "int stop(struct device *device)", "int stop(const struct device *device)", "stop"],
    ["a declaration less", "enum state { IDLE, BUSY };\n", "", "enum state"],
  ])("is another with %s", (_, from, to, named) => {
    expect(changeOf(from, to)).toContain(named);
  });
});
