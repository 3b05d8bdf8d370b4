import { expect, test } from "vitest";
import { parseAnswers } from "../../../../src/kbuild/compile/ask-kbuild.js";

test("an answer is read field by field, with what stands behind the last bar", () => {
  expect(parseAnswers("cc_o_c|net/a.o||||net/a.o|/src/net/a.c|/src/net/b.h net/c.h|gcc -c a.c | tee log\n")).toEqual([
    {
      kind: "c",
      isBuiltIn: true,
      isModular: false,
      isWholeModule: false,
      partOf: [],
      object: "net/a.o",
      source: "/src/net/a.c",
      prerequisites: ["/src/net/b.h", "net/c.h"],
      command: "gcc -c a.c | tee log",
    },
  ]);
});

test("a list may have an object several times", () => {
  expect(parseAnswers("cc_o_c||d/m.o d/m.o d/m.o|d/m.o d/m.o|one two|d/m.o|/src/d/m.c||gcc\n")).toMatchObject([
    { isModular: true, isWholeModule: true, partOf: ["one", "two"] },
  ]);
});

test("a command may have several lines, also some with bars", () => {
  const text = "filechk|||||lib/t.c|/src/t.h||sed one \\\n  | sort |\n  two > $@\n\ncc_s_c|||||k/b.s|/src/k/b.c||gcc -S\n";
  expect(parseAnswers(text).map(({ kind, command }) => [kind, command])).toEqual([
    ["generated", "sed one \\\n  | sort |\n  two > $@"],
    ["offsets", "gcc -S"],
  ]);
});

test("the C functions that Rust calls are an object as any other", () => {
  const helpers = "rust_cc_library|rust/helpers/helpers.o||||rust/helpers/helpers.o|/src/rust/helpers/helpers.c||gcc -c helpers.c\n";
  expect(parseAnswers(helpers)).toMatchObject([{ kind: "c", isBuiltIn: true, object: "rust/helpers/helpers.o" }]);
});

test("what does not begin like an answer is refused", () => {
  expect(() => parseAnswers("make: nothing to do\n")).toThrow("kbuild's answer is not understood: make: nothing to do");
  expect(() => parseAnswers("cc_o_c|other.o||||net/a.o|/src/net/a.c||gcc\n")).toThrow("not understood");
});
