import { expect, test } from "vitest";
import { mergeLines, type FunctionLine } from "../../../../src/diff/listing/disassemble-function.js";

const lines = (keys: readonly string[]): FunctionLine[] => keys.map((key, offset) => ({ offset, text: key, key }));
const merge = (pre: string, post: string): string =>
  mergeLines(lines(pre.split("")), lines(post.split("")))
    .map(({ mark, text }) => `${mark}${text}`)
    .join("");

test.each([
  ["abc", "abc", " a b c"],
  ["abc", "axc", " a-b+x c"],
  ["abc", "ac", " a-b c"],
  ["ac", "abc", " a+b c"],
  ["", "ab", "+a+b"],
  ["abcd", "acbd", " a-b c+b d"],
])("%j and %j are merged to %j", (pre, post, merged) => {
  expect(merge(pre, post)).toBe(merged);
});

test("of two long versions that have hardly a line in common, the middle is told as gone and come, in no time", () => {
  const long = (name: string) => ["first", ...Array.from({ length: 20_000 }, (_, index) => `${name}${String(index)}`), "last"];
  const merged = mergeLines(lines(long("a")), lines(long("b")));
  expect(merged.length).toBe(40_002);
  expect([merged[0], merged.at(-1)].map((line) => `${line?.mark ?? ""}${line?.text ?? ""}`)).toEqual([" first", " last"]);
  expect(merged.slice(1, -1).map(({ mark }) => mark)).toEqual([...Array<string>(20_000).fill("-"), ...Array<string>(20_000).fill("+")]);
});
