import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compareTrees } from "../../../corpus/changed-files.js";
import { CompanionFinder, parseIdentifiers, parseMissingHeaders } from "../../../corpus/companions.js";
import { Refusal } from "../../../src/diagnostics.js";
import { doesNotCompile, tooManyUnits } from "../../../src/kbuild/refusals.js";

const top = mkdtempSync(join(tmpdir(), "ksplice-companions-"));
afterAll(() => {
  rmSync(top, { recursive: true });
});

/** Writes a file of the tree `from` or `to`. */
function write(tree: "from" | "to", path: string, text: string): void {
  mkdirSync(dirname(join(top, tree, path)), { recursive: true });
  writeFileSync(join(top, tree, path), text);
}

const FILES: [path: string, from: string | undefined, to: string | undefined][] = [
  ["net/a.c", "int a(void) { return 1; }\n", "int a(void) { return helper(2); }\n"],
  ["net/b.c", "int b;\n", "int b;\nint helper(int x)\n{\n\treturn x;\n}\n"],
  ["net/a.h", "int a(void);\n", "int a(void);\nint helper(int x);\n"],
  ["net/other.h", "struct s { int x; };\n", "struct s { int x; int limit; };\n"],
  ["net/gone.h", "#define OLD 1\n", "\n"],
  ["net/new.h", undefined, "#define FRESH 1\n"],
  ["net/macro.h", "\n", "ACCESSORS(set_limit_of_s)\n"],
  ["net/long.h", "int queue_setup(int x,\n\t\tint y);\n", "int queue_setup(int x,\n\t\tint y,\n\t\tint z);\n"],
  ["net/moved.h", "struct a { int x; };\nstruct b {\n\tint place;\n};\n", "struct a { int x;\n\tint place;\n};\nstruct b {\n};\n"],
  ["net/guard.h", "\n", "DEFINE_GUARD(fifo_user, struct fifo *, use(_T), unuse(_T))\n"],
  ["net/beside.h", "struct cache { int x; };\n", "struct cache { int x;\n\tint slab;\n};\n"],
  ["net/same.h", "int same;\n", "int same;\n"],
  ["net/main.h", "\n", '#include "sub/new.h"\n'],
];
for (const [path, from, to] of FILES) {
  if (from !== undefined) write("from", path, from);
  if (to !== undefined) write("to", path, to);
}
const set = { from: "1", to: "2", release: "r", fromTree: join(top, "from"), toTree: join(top, "to") };
const finder = async (): Promise<CompanionFinder> => new CompanionFinder(set, await compareTrees(set.fromTree, set.toTree));
const READ = ["a.c", "a.h", "other.h", "gone.h", "macro.h", "long.h", "moved.h", "guard.h", "same.h", "main.h"].map(
  (name) => `net/${name}`,
);

describe("what else of a release a file needs", () => {
  it("starts from how the trees differ", async () => {
    expect(await compareTrees(set.fromTree, set.toTree)).toEqual({
      changed: [
        "net/a.c",
        "net/a.h",
        "net/b.c",
        "net/beside.h",
        "net/gone.h",
        "net/guard.h",
        "net/long.h",
        "net/macro.h",
        "net/main.h",
        "net/moved.h",
        "net/other.h",
      ],
      added: ["net/new.h"],
      removed: [],
    });
  });

  it.each([
    ["a function without declaration", "net/a.c:1:9: error: implicit declaration of function 'helper'; did you mean 'a'?", ["net/a.h"]],
    ["a member", "net/a.c:1:9: error: 'struct s' has no member named 'limit'", ["net/other.h"]],
    ["a macro that the release takes away", "net/a.c:1:9: error: 'OLD' redefined", ["net/gone.h"]],
    ["what has moved to another", "net/new.h:1:5: error: redefinition of 'OLD'", ["net/gone.h"]],
    ["a header", "net/a.c:1:10: fatal error: new.h: No such file or directory", ["net/new.h"]],
    ["what stands in a new header", "net/a.c:1:10: error: 'FRESH' undeclared", ["net/new.h"]],
    ["what only the patched file includes", "net/a.c:1:10: error: 'struct cache' has no member named 'slab'", ["net/beside.h"]],
    ["a name that a macro puts together", "net/a.c:1:9: error: implicit declaration of function 'dev_set_limit_of_s'", ["net/macro.h"]],
    [
      "a declaration that changes in another of its lines",
      "net/a.c:1:9: error: too many arguments to function 'queue_setup'",
      ["net/long.h"],
    ],
    ["a member that has moved", "net/a.c:1:9: error: 'struct a' has no member named 'place'", ["net/moved.h"]],
    ["a guard's type", "net/a.c:1:9: error: unknown type name 'class_fifo_user_t'", ["net/guard.h"]],
    [
      "what only the source line names",
      "net/a.c:1:9: error: cleanup argument not a function\n    1 |  guard(fifo_user)(x);",
      ["net/guard.h"],
    ],
    ["nothing that the release has", "net/a.c:1:9: error: 'nowhere' undeclared", []],
  ])("headers: %s", async (_, words, expected) => {
    expect(await (await finder()).headersFor(words, READ, new Set(["net/a.c"]))).toEqual(expected);
  });

  it("a header that includes what is taken already", async () => {
    const taken = new Set(["net/a.c", "include/net/sub/new.h"]);
    expect(await (await finder()).headersFor("error: storage size of 'fresh' isn't known", READ, taken)).toEqual(["net/main.h"]);
  });

  it("no header twice", async () => {
    expect(await (await finder()).headersFor("error: implicit declaration of function 'helper'", READ, new Set(["net/a.h"]))).toEqual([]);
  });

  it("the source file that newly defines a symbol", async () => {
    expect(await (await finder()).definersOf("helper", new Set())).toEqual(["net/b.c"]);
    expect(await (await finder()).definersOf("b", new Set())).toEqual([]);
  });
});

describe("what a patch needs that is not complete", () => {
  const sourcesOf = async (): Promise<string[]> => await Promise.resolve(READ);
  const missing = (name: string): string => `net/x.c:1:9: error: '${name}' undeclared`;

  it.each<[name: string, refusals: Refusal[], taken: string[], expected: string[]]>([
    [
      "the changes of all units that a header breaks",
      [doesNotCompile("net/a.o", true, missing("gone")), doesNotCompile("net/b.o", true, missing("gone"))],
      ["net/gone.h"],
      ["net/a.c", "net/b.c"],
    ],
    [
      "those before any header",
      [doesNotCompile("net/a.o", true, missing("limit")), doesNotCompile("net/b.o", true, missing("limit"))],
      ["net/a.c"],
      ["net/b.c"],
    ],
    [
      "the headers of the first unit that some are found for",
      [doesNotCompile("net/a.o", true, missing("nowhere")), doesNotCompile("net/x.o", true, missing("limit"))],
      ["net/a.c"],
      ["net/other.h"],
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
      ["net/b.c"],
    ],
    ["nothing where that cannot be told", [tooManyUnits(["net/a.h"], 300, 200)], ["net/a.h"], []],
  ])("%s", async (_, refusals, taken, expected) => {
    expect(await (await finder()).neededFor(refusals, sourcesOf, new Set(taken))).toEqual(expected);
  });
});

describe("the compiler's words", () => {
  it("name identifiers in quotes, without what it suggests and without C's own words", () => {
    const words =
      "a.c: In function 'f':\na.c:1: error: 'struct foo' has no member named 'bar'; did you mean 'baz'?\n    1 |  set_bar(f, 2);\nnoise 'x'\n" +
      "a.h:2: note: in expansion of macro 'container_of'\na.h:3: note: in expansion of macro 'to_bar'\n" +
      "a.h:9: error: conflicting types for 'get_bar'; have 'size_t(struct bar *)'";
    expect(parseIdentifiers(words)).toEqual({
      errors: ["foo", "bar", "get_bar"],
      notes: ["to_bar"],
      conflicts: ["get_bar"],
      source: ["set_bar"],
    });
  });

  it("name headers as the source spells them", () => {
    expect(parseMissingHeaders("a.c:3:10: fatal error: ../linux/x.h: No such file or directory")).toEqual(["linux/x.h"]);
  });
});
