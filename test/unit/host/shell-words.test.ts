import { expect, test } from "vitest";
import { splitShellWords } from "../../../src/host/shell-words.js";

test.each([
  ["", []],
  ["  a  b\tc\n", ["a", "b", "c"]],
  [`-DNAME='"i2c_dev"'`, [`-DNAME="i2c_dev"`]],
  [`-DNAME="\\"x y\\""`, [`-DNAME="x y"`]],
  ["a\\ b", ["a b"]],
  ["gcc -c x.c; ./objtool x.o", ["gcc", "-c", "x.c", ";", "./objtool", "x.o"]],
  ["'a;b'", ["a;b"]],
  ["''", [""]],
  ["a\\\nb", ["ab"]],
])("%j is split into %j", (text, words) => {
  expect(splitShellWords(text)).toEqual(words);
});
