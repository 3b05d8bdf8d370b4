import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { findFixes, type FixSet } from "../../../corpus/fixes/find-fixes.js";
import { NeighbourFinder } from "../../../corpus/neighbours.js";
import { Refusal } from "../../../src/diagnostics.js";
import { doesNotCompile } from "../../../src/kbuild/compile/refusals.js";
import { tooManyUnits } from "../../../src/kbuild/reach/refusals.js";
import { temporaryDirectory, writeFiles } from "../../support/temp-dir.js";

const top = temporaryDirectory();

/** Each changes something that the compiler will be said to miss; none mentions what another changes. */
const FILES: [path: string, from: string | undefined, to: string | undefined][] = [
  ["net/a.c", '#include "a.h"\n\nint a(void)\n{\n\treturn 1;\n}\n', '#include "a.h"\n\nint a(void)\n{\n\treturn unknown_2(2);\n}\n'],
  ["net/b.c", "int b;\n", "int b;\nint helper(int x)\n{\n\treturn x;\n}\n"],
  [
    "net/c.c",
    "int c(void)\n{\n\treturn 1;\n}\n\nint d(void)\n{\n\treturn 1;\n}\n",
    "int c(void)\n{\n\treturn 2;\n}\n\nint d(void)\n{\n\treturn mentioned_1;\n}\n",
  ],
  ["net/other.h", "struct s {\n\tint x;\n};\n", "struct s {\n\tint x;\n\tint limit;\n};\n"],
  ["net/gone.h", "#define OLD_NAME 1\n", "\n"],
  ["net/new.h", undefined, "#define FRESH_NAME 1\n"],
  ["net/long.h", "int queue_setup(int x,\n\t\tint y);\n", "int queue_setup(int x,\n\t\tint y,\n\t\tint z);\n"],
  ["net/guard.h", "\n", "DEFINE_GUARD(fifo_user, struct fifo *, use(_T), unuse(_T))\n"],
  ["net/beside.h", "struct cache {\n\tint x;\n};\n", "struct cache {\n\tint x;\n\tint slab;\n};\n"],
];
const READ = ["a.c", "other.h", "gone.h", "long.h", "guard.h"].map((name) => `net/${name}`);
let found: FixSet;

beforeAll(async () => {
  const [fromTree, toTree] = [join(top, "from"), join(top, "to")];
  for (const [path, from, to] of FILES) {
    if (from !== undefined) writeFiles(fromTree, { [path]: from });
    if (to !== undefined) writeFiles(toTree, { [path]: to });
  }
  found = await findFixes({ fromTree, toTree }, () => undefined);
});

/** Names of the fixes that are found to be needed, where those of the named files are in the patch. */
async function needed(refusals: readonly Refusal[], taken: readonly string[]): Promise<string[]> {
  const fixes = new Set(found.fixes.filter(({ pieces }) => pieces.some(({ path }) => taken.includes(path))));
  const more = await new NeighbourFinder(found).neededFor(refusals, async () => await Promise.resolve(READ), fixes);
  return more.map(({ name }) => name);
}

describe("which other fixes one needs that does not compile", () => {
  it("starts from fixes that nothing connects", () => {
    expect(found.fixes.every(({ pieces }) => pieces.length === 1)).toBe(true);
  });

  it.each<[name: string, words: string, expected: string[]]>([
    ["a function without declaration", "net/a.c:1:9: error: implicit declaration of function 'helper'; did you mean 'a'?", []],
    ["a member", "net/a.c:1:9: error: 'struct s' has no member named 'limit'", ["net/other.h#0"]],
    ["a macro that the release takes away", "net/a.c:1:9: error: 'OLD_NAME' redefined", ["net/gone.h#0"]],
    ["a header", "net/a.c:1:10: fatal error: new.h: No such file or directory", ["net/new.h#0"]],
    ["what stands in a new header", "net/a.c:1:10: error: 'FRESH_NAME' undeclared", ["net/new.h#0"]],
    ["what only the patched file includes", "net/a.c:1:10: error: 'struct cache' has no member named 'slab'", ["net/beside.h#0"]],
    [
      "a declaration that changes in another of its lines",
      "net/a.c:1:9: error: too many arguments to function 'queue_setup'",
      ["net/long.h#0"],
    ],
    ["a guard's type", "net/a.c:1:9: error: unknown type name 'class_fifo_user_t'", ["net/guard.h#0"]],
    [
      "what only the source line names",
      "net/a.c:1:9: error: cleanup argument not a function\n    1 |  guard(fifo_user)(x);",
      ["net/guard.h#0"],
    ],
    ["nothing that the release has", "net/a.c:1:9: error: 'nowhere' undeclared", []],
  ])("%s", async (_, words, expected) => {
    expect(await needed([doesNotCompile("net/a.o", true, words)], ["net/a.c"])).toEqual(expected);
  });

  it.each<[name: string, refusals: Refusal[], taken: string[], expected: string[]]>([
    [
      "what changes in the unit itself, where it mentions what is missed",
      [doesNotCompile("net/c.o", true, "net/c.c:1: error: 'mentioned_1' undeclared")],
      ["net/gone.h"],
      ["net/c.c#1"],
    ],
    [
      "or lies in the function that does not compile",
      [doesNotCompile("net/c.o", true, "net/c.c: In function 'c':\nnet/c.c:1: error: too few arguments to function 'nowhere'")],
      ["net/gone.h"],
      ["net/c.c#0"],
    ],
    [
      "of the first unit that something is found for",
      [
        doesNotCompile("net/x.o", true, "net/x.c:1: error: 'nowhere' undeclared"),
        doesNotCompile("net/y.o", true, "net/y.c:1: error: 'struct s' has no member named 'limit'"),
      ],
      ["net/a.c"],
      ["net/other.h#0"],
    ],
    [
      "what defines a symbol",
      [
        new Refusal({
          code: "unresolved-symbol",
          message: "",
          items: [{ code: "unresolved-symbol", message: "", place: "net/a.o", symbol: "helper" }],
        }),
      ],
      ["net/a.c"],
      ["net/b.c#0"],
    ],
    ["nothing where that cannot be told", [tooManyUnits(["net/a.h"], 200)], ["net/other.h"], []],
    [
      "nothing twice",
      [doesNotCompile("net/a.o", true, "net/a.c:1: error: 'struct s' has no member named 'limit'")],
      ["net/a.c", "net/other.h"],
      [],
    ],
  ])("%s", async (_, refusals, taken, expected) => {
    expect(await needed(refusals, taken)).toEqual(expected);
  });
});
