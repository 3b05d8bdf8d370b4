import { expect, test } from "vitest";
import { diffObjects } from "../../../../src/diff/diff-objects.js";
import type { ElfObject } from "../../../../src/elf/model.js";
import { parseObject } from "../../../../src/elf/parse-object.js";
import { GCC, KERNEL_LIKE_FLAGS, SECTION_FLAGS, compileBytes } from "../../../support/compile-object.js";

const compile = (text: string, name: string): ElfObject =>
  parseObject(compileBytes(text, GCC ?? "gcc", [...KERNEL_LIKE_FLAGS, ...SECTION_FLAGS]), name);

const PRE = `
int outside(int);
static int former(int x) { return outside(x) + 1; }
int (*table[])(int) = { former };
int counts(int x) { static int calls; static int other; other ^= x; return calls += x; }
int gone(int x) { return outside(x); }
`;
const POST = PRE.replaceAll("former", "latter")
  .replace("static int calls; static int other;", "static int other; static int calls;")
  .replace("int gone(int x)", "int added(int x)");

test("how two objects are paired is told, pair by pair", () => {
  const lines: string[] = [];
  diffObjects(compile(PRE, "pre.o"), compile(POST, "post.o"), (line) => lines.push(line));
  expect(lines).toContain("counts: its name");
  expect(lines).toContain("latter was former: renamed: its address stands where the other's stood");
  expect(lines.filter((line) => /^calls\.\d+( was calls\.\d+)?: a static object of one name/.test(line))).toHaveLength(1);
  expect(lines).toContain("added: new");
  expect(lines).toContain("gone: gone");
});
