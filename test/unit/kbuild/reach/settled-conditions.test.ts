import { describe, expect, test } from "vitest";
import { deadLines, SettledOptions } from "../../../../src/kbuild/reach/settled-conditions.js";

const CONFIG = `CONFIG_YES=y
CONFIG_MODULE=m
CONFIG_NUMBER=64
CONFIG_TEXT=""
# CONFIG_NO is not set
CONFIG_OWN=y
`;
const options = new SettledOptions(CONFIG, new Set(["CONFIG_OWN"]));

describe("what the configuration settles", () => {
  test.each([
    ["ifdef CONFIG_YES", true],
    ["ifdef CONFIG_MODULE", false],
    ["ifdef CONFIG_NUMBER", true],
    ["ifdef CONFIG_TEXT", true],
    ["ifdef CONFIG_NO", false],
    ["ifndef CONFIG_NO", true],
    ["ifdef CONFIG_UNHEARD_OF", undefined],
    ["ifdef CONFIG_OWN", undefined],
    ["ifdef CONFIG_MODULE_MODULE", undefined],
    ["ifdef MODULE", undefined],
    ["if defined(CONFIG_YES)", true],
    ["if !defined( CONFIG_YES )", false],
    ["if defined CONFIG_NO", false],
    ["if IS_ENABLED(CONFIG_MODULE)", true],
    ["if IS_BUILTIN(CONFIG_MODULE)", false],
    ["if IS_ENABLED(CONFIG_NO)", false],
    ["if !IS_ENABLED(CONFIG_NO)", true],
    ["if defined(CONFIG_YES) && defined(X)", undefined],
    ["if CONFIG_NUMBER > 3", undefined],
    ["if 0", undefined],
  ])("%s: %s", (directive, expected) => {
    expect(options.answer(directive)).toBe(expected);
  });
});

describe("lines that are left out", () => {
  test.each([
    ["a branch", "#ifdef CONFIG_NO\na\n#endif\nb", ["a"]],
    ["the other branch", "#ifdef CONFIG_YES\na\n#else\nb\n#endif", ["b"]],
    ["the other branch, not taken", "#ifdef CONFIG_NO\na\n#else\nb\n#endif", ["a"]],
    ["behind one that is taken", "#if defined(CONFIG_YES)\na\n#elif X\nb\n#else\nc\n#endif", ["b", "c"]],
    ["behind one that may be", "#if X\na\n#elif defined(CONFIG_YES)\nb\n#else\nc\n#endif", ["c"]],
    ["what is inside of it", "#ifdef CONFIG_NO\n#ifdef CONFIG_YES\na\n#else\nb\n#endif\n#endif\nc", ["a", "b"]],
    ["not by half a condition", "#if defined(CONFIG_NO) \\\n  || X\na\n#endif", []],
    ["not by what stands in a comment", "/*\n#ifdef CONFIG_NO\n*/\na", []],
    ["not in what does not close", "#ifdef CONFIG_NO\na\n#endif\n#endif", []],
    ["not in what stays open", "#ifdef CONFIG_NO\na", []],
  ])("%s", (_what, text, expected) => {
    const lines = text.split("\n");
    const dead = [...deadLines(text, options)].map((line) => lines[line]).filter((line) => /^[a-z]$/.test(line ?? ""));
    expect(dead).toEqual(expected);
  });
});
