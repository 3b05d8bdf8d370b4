import { describe, expect, it } from "vitest";
import { join } from "node:path";
import { findFixes } from "../../../../corpus/fixes/find-fixes.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

type Texts = Readonly<Record<string, string>>;
const top = temporaryDirectory();
let count = 0;

/** The fixes of a release, each as the ids of its pieces. */
async function fixesOf(from: Texts, to: Texts): Promise<string[][]> {
  const [fromTree, toTree] = [join(top, `${++count}`, "from"), join(top, `${count}`, "to")];
  writeFiles(fromTree, { "net/keep": "", ...from });
  writeFiles(toTree, { "net/keep": "", ...to });
  const { fixes } = await findFixes({ fromTree, toTree }, () => undefined);
  return fixes.map(({ pieces }) => pieces.map(({ id }) => id));
}

const PRE: Texts = {
  "include/net/s.h":
    "struct s {\n\tint a;\n\tint b;\n\tint c;\n\tint flags;\n};\n\n#define LIMIT 1\n\nint shared(int x);\n\nenum kind {\n\tONE,\n\tTWO,\n};\n",
  "net/a.c":
    "#include <net/s.h>\n\nstatic int helper(int x)\n{\n\treturn x;\n}\n\nint shared(int x)\n{\n\treturn helper(x);\n}\n\nint other(struct s *s)\n{\n\treturn s->a;\n}\n",
  "net/b.c":
    "#include <net/s.h>\n\nint user(struct s *s)\n{\n\treturn shared(s->b);\n}\n\nint lone(void)\n{\n\tint ret = 1;\n\treturn ret;\n}\n",
  "net/c.c":
    "#include <linux/x.h>\n\nstatic int helper(int x)\n{\n\treturn x;\n}\n\nint third(void)\n{\n\tint ret = helper(2);\n\treturn ret;\n}\n",
};

/** The old texts with some replaced: a list of what and by what, by file. */
function edited(edits: Readonly<Record<string, readonly (readonly [string, string])[]>>): Texts {
  const texts: Record<string, string> = { ...PRE };
  for (const [path, list] of Object.entries(edits))
    for (const [old, fresh] of list) {
      const text = texts[path] ?? "";
      if (!text.includes(old)) throw new Error(`${path} has no ${old}`);
      texts[path] = text.replace(old, fresh);
    }
  return texts;
}

it("a header that neither release has, as kbuild makes it, is one of unknown contents", async () => {
  const includes = edited({ "net/c.c": [["#include <linux/x.h>\n", "#include <linux/x.h>\n#include <generated/made.h>\n"]] });
  expect(await fixesOf(PRE, includes)).toEqual([["net/c.c#0"]]);
});

it("comments of any length, and long lists, are gone through once", async () => {
  const long = `${"/* word */ ".repeat(20_000)}\n`;
  const f = (result: string): string =>
    `int long_one(void)\n{\n\tstruct s ${long}*a, ${Array.from({ length: 3000 }, (_, at) => `*v${at} = 0`).join(", ")}, *b;\n\treturn c->${result};\n}\n`;
  const [from, to] = ["a", "b"].map((member) => ({ ...PRE, "net/long.c": f(member) }));
  const start = performance.now();
  expect(await fixesOf(from ?? {}, to ?? {})).toEqual([["net/long.c#0"]]);
  expect(performance.now() - start).toBeLessThan(5000);
});

describe("pieces make a fix", () => {
  it.each<[name: string, edits: Parameters<typeof edited>[0], fixes: string[][]]>([
    ["none", {}, []],
    [
      "each its own where nothing is in common but locals",
      { "net/b.c": [["int ret = 1", "int ret = 3"]], "net/c.c": [["int ret = helper(2)", "int ret = helper(3)"]] },
      [["net/b.c#0"], ["net/c.c#0"]],
    ],
    [
      "a condition that comes around a function, and around its call",
      {
        "net/c.c": [
          ["static int helper(int x)\n{\n\treturn x;\n}\n", "#ifdef HELP\nstatic int helper(int x)\n{\n\treturn x;\n}\n#endif\n"],
          ["\tint ret = helper(2);\n", "\tint ret = 2;\n#ifdef HELP\n\tret = helper(2);\n#endif\n"],
        ],
        "net/b.c": [["int ret = 1", "int ret = 3"]],
      },
      [["net/b.c#0"], ["net/c.c#0", "net/c.c#1"]],
    ],
    [
      "a function's parameters, its prototype, and who calls it",
      {
        "include/net/s.h": [["shared(int x)", "shared(int x, int y)"]],
        "net/a.c": [["shared(int x)", "shared(int x, int y)"]],
        "net/b.c": [
          ["shared(s->b)", "shared(s->b, 1)"],
          ["int ret = 1", "int ret = 3"],
        ],
      },
      [["include/net/s.h#0", "net/a.c#0", "net/b.c#0"], ["net/b.c#1"]],
    ],
    [
      "not: a function of which the body changes, and a change of a caller",
      { "net/a.c": [["return helper(x)", "return helper(x) + 1"]], "net/b.c": [["shared(s->b)", "shared(s->a)"]] },
      [["net/a.c#0"], ["net/b.c#0"]],
    ],
    [
      "a member and those who use it, not another change of the header",
      {
        "include/net/s.h": [
          ["\tint a;\n", "\tint a;\n\tint fresh;\n"],
          ["LIMIT 1", "LIMIT 2"],
        ],
        "net/a.c": [["return s->a", "return s->fresh"]],
        "net/b.c": [["shared(s->b)", "shared(s->a)"]],
      },
      [["include/net/s.h#0", "net/a.c#0"], ["include/net/s.h#1"], ["net/b.c#0"]],
    ],
    [
      "a member of a short name, where a variable tells the type",
      {
        "include/net/s.h": [["\tint a;\n", "\tint a;\n\tint cs;\n"]],
        "net/a.c": [["return s->a", "return s->cs"]],
        "net/b.c": [["int lone(void)\n{\n", "int lone(struct t *t)\n{\n\tt->cs = 1;\n"]],
      },
      [["include/net/s.h#0", "net/a.c#0"], ["net/b.c#0"]],
    ],
    [
      "not: a member of the same name in another type",
      {
        "include/net/s.h": [["\tint flags;\n", "\tlong flags;\n"]],
        "net/c.c": [["int third(void)\n{\n", "int third(struct t *t)\n{\n\tt->flags = 1;\n"]],
      },
      [["include/net/s.h#0"], ["net/c.c#0"]],
    ],
    [
      "not: a member of a common name that a table of another type gets for the first time",
      {
        "include/net/s.h": [["\tint flags;\n", "\tlong flags;\n"]],
        "net/b.c": [["int lone(void)\n", "struct t t = {\n\t.flags = 1,\n};\n\nint lone(void)\n"]],
      },
      [["include/net/s.h#0"], ["net/b.c#0"]],
    ],
    [
      "a macro and its users",
      { "include/net/s.h": [["LIMIT 1", "LIMIT 2"]], "net/a.c": [["return s->a", "return s->a + LIMIT"]] },
      [["include/net/s.h#0", "net/a.c#0"]],
    ],
    [
      "not: a macro of a header that the file does not include",
      { "include/net/s.h": [["LIMIT 1", "LIMIT 2"]], "net/c.c": [["helper(2)", "helper(LIMIT)"]] },
      [["include/net/s.h#0"], ["net/c.c#0"]],
    ],
    [
      "an enumerator",
      { "include/net/s.h": [["\tTWO,\n", "\tTWO,\n\tTHREE,\n"]], "net/b.c": [["shared(s->b)", "shared(THREE)"]] },
      [["include/net/s.h#0", "net/b.c#0"]],
    ],
    [
      "a new static function and its caller, not one of that name elsewhere",
      {
        "net/a.c": [
          ["int other(", "static int fresh(void)\n{\n\treturn 2;\n}\n\nint other("],
          ["return s->a", "return fresh()"],
        ],
        "net/b.c": [["shared(s->b)", "fresh(s->b)"]],
      },
      [["net/a.c#0", "net/a.c#1"], ["net/b.c#0"]],
    ],
    [
      "static functions of the same name in two files are none of each other's",
      {
        "net/a.c": [
          ["helper(int x)", "helper(long x)"],
          ["return helper(x)", "return helper(x + 1)"],
        ],
        "net/c.c": [["helper(2)", "helper(3)"]],
      },
      [["net/a.c#0", "net/a.c#1"], ["net/c.c#0"]],
    ],
    [
      "a call over several lines",
      {
        "include/net/s.h": [["shared(int x)", "shared(int x, int y)"]],
        "net/a.c": [["shared(int x)", "shared(int x, int y)"]],
        "net/b.c": [["shared(s->b)", "shared(s->b,\n\t\t      1)"]],
      },
      [["include/net/s.h#0", "net/a.c#0", "net/b.c#0"]],
    ],
    [
      "an #include and who first uses what it declares",
      {
        "net/c.c": [
          ["#include <linux/x.h>\n", "#include <linux/x.h>\n#include <net/s.h>\n"],
          ["helper(2)", "helper(LIMIT)"],
          ["\treturn x;\n", "\treturn -x;\n"],
        ],
      },
      [["net/c.c#0", "net/c.c#2"], ["net/c.c#1"]],
    ],
    [
      "a function that moves within its file",
      {
        "net/a.c": [
          ["static int helper(int x)\n{\n\treturn x;\n}\n\n", ""],
          ["int other(", "static int helper(int x)\n{\n\treturn x;\n}\n\nint other("],
        ],
        "net/b.c": [["int ret = 1", "int ret = 3"]],
      },
      [["net/a.c#0", "net/a.c#1"], ["net/b.c#0"]],
    ],
  ])("%s", async (_, edits, fixes) => {
    expect(await fixesOf(PRE, edited(edits))).toEqual(fixes);
  });

  it("a function that goes to another file", async () => {
    const moved = "int lone(void)\n{\n\tint ret = 1;\n\treturn ret;\n}\n";
    const to = edited({ "net/b.c": [[`\n${moved}`, ""]] });
    expect(await fixesOf(PRE, { ...to, "net/a.c": `${to["net/a.c"] ?? ""}\n${moved}` })).toEqual([["net/a.c#0", "net/b.c#0"]]);
  });

  it("a new file, what it is built by, its header, and who calls it", async () => {
    const from = { ...PRE, "net/Makefile": "obj-y += a.o\n" };
    const to = {
      ...edited({
        "net/a.c": [
          ["#include <net/s.h>\n", "#include <net/s.h>\n#include <net/n.h>\n"],
          ["return s->a", "return fresh(s)"],
        ],
        "net/c.c": [["helper(2)", "helper(3)"]],
      }),
      "net/Makefile": "obj-y += a.o n.o\n",
      "include/net/n.h": "int fresh(struct s *s);\n",
      "net/n.c": "#include <net/n.h>\n\nint fresh(struct s *s)\n{\n\treturn 1;\n}\n",
    };
    expect(await fixesOf(from, to)).toEqual([
      ["include/net/n.h#0", "net/Makefile#0", "net/a.c#0", "net/a.c#1", "net/n.c#0"],
      ["net/c.c#0"],
    ]);
  });

  it("a member of a header that only a makefile's -I leads to, and who uses it; not a namesake of another driver", async () => {
    const header = (members: string): string => `struct state {\n\tint first;\n${members}};\n`;
    const user = (text: string): string => `#include "state.h"\n\nint run(struct state *state)\n{\n\treturn state->first${text};\n}\n`;
    const from = { "drivers/gpu/d/inc/state.h": header(""), "drivers/gpu/d/core/run.c": user(""), "drivers/gpu/e/core/run.c": user("") };
    const to = {
      "drivers/gpu/d/inc/state.h": header("\tint second_one;\n"),
      "drivers/gpu/d/core/run.c": user(" + state->second_one"),
      "drivers/gpu/e/core/run.c": user(" + state->second_one"),
    };
    expect(await fixesOf(from, to)).toEqual([
      ["drivers/gpu/d/core/run.c#0", "drivers/gpu/d/inc/state.h#0"],
      ["drivers/gpu/e/core/run.c#0"],
    ]);
  });

  it("a callback that gets other parameters, and the functions that are one", async () => {
    const ops = (head: string): string => `struct ops {\n\tint (*call)(${head});\n};\n`;
    const user = (head: string): string =>
      `#include <net/o.h>\n\nstatic int own_call(${head})\n{\n\treturn 0;\n}\n\nstatic struct ops own = {\n\t.call = own_call,\n};\n`;
    const from = { "include/net/o.h": ops("int x"), "net/o.c": user("int x") };
    const to = { "include/net/o.h": ops("int x, int y"), "net/o.c": user("int x, int y") };
    expect(await fixesOf(from, to)).toEqual([["include/net/o.h#0", "net/o.c#0"]]);
  });

  it("a callback that returns something else, and who calls it through other structures", async () => {
    const header = (type: string): string => `struct fixups {\n\t${type} (*post_sfdp)(int x);\n};\n`;
    const caller = (text: string): string => `#include "o.h"\n\nint run(struct nor *nor)\n{\n${text}\treturn 0;\n}\n`;
    const from = { "net/o.h": header("void"), "net/o.c": caller("\tnor->info->fixups->post_sfdp(1);\n") };
    const to = { "net/o.h": header("int"), "net/o.c": caller("\tif (nor->info->fixups->post_sfdp(1))\n\t\treturn 1;\n") };
    expect(await fixesOf(from, to)).toEqual([["net/o.c#0", "net/o.h#0"]]);
  });

  it("nothing of what no code of the kernel is made of", async () => {
    expect(await fixesOf({ "Documentation/x.c": "1\n", Makefile: "V = 1\n" }, { "Documentation/x.c": "2\n", Makefile: "V = 2\n" })).toEqual(
      [],
    );
  });
});
