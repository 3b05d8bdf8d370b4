import { describe, expect, it } from "vitest";
import { diffObjects } from "../../../src/diff/diff-objects.js";
import { parseObject } from "../../../src/elf/parse-object.js";
import { withoutContent } from "../../../src/elf/without-content.js";
import { compileBytes, GCC, KERNEL_LIKE_FLAGS, SECTION_FLAGS } from "../../support/compile-object.js";

/** What becomes of an object that the kernel does not have: all of it is new. */
function differenceOf(source: string) {
  const post = compileBytes(source, GCC ?? "gcc", [...KERNEL_LIKE_FLAGS, ...SECTION_FLAGS]);
  return diffObjects(parseObject(withoutContent(post, "new.o"), "new.o"), parseObject(post, "new.o"));
}

describe("an object that a patch brings", () => {
  it("has new functions and data only", () => {
    const { functions, refusals } = differenceOf("static int count; int get(void) { return ++count; }");
    expect(functions.new.map(({ name }) => name)).toEqual(["get"]);
    expect([functions.changed, functions.removed, refusals]).toEqual([[], [], []]);
  });

  it("cannot have an initcall: all have been called", () => {
    const call = '__attribute__((section(".initcall6.init"), used)) static int (*call)(void) = start;';
    const { refusals } = differenceOf(`static int start(void) { return 0; } ${call}`);
    expect(refusals.map(({ code }) => code)).toContain("changed-initcalls");
  });
});
