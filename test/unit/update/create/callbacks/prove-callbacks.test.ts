import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { shadowWithPatch } from "../../../../../src/kbuild/change/patch-tree.js";
import { compileUnit } from "../../../../../src/kbuild/compile/compile-unit.js";
import type { UnitWithCommand } from "../../../../../src/kbuild/compile/unit-command.js";
import type { PreparedBuild } from "../../../../../src/kbuild/types.js";
import { proveCallbacks } from "../../../../../src/update/create/callbacks/prove-callbacks.js";
import { diffUnit, type UnitDiff } from "../../../../../src/update/units/unit-diff.js";
import { unifiedDiff } from "../../../../support/edited-patch.js";
import { fakeBuild, writeFakeKernel } from "../../../../support/fake-tree-source.js";
import { temporaryDirectory, writeFiles } from "../../../../support/temp-dir.js";
import { withCommand } from "../../../../support/with-command.js";

/**
 * A callback that gets a further parameter, with all who call it and all who provide it: `@P` is what it takes, before the patch and with it, `@A` what it is given. Each case edits
 * these texts, on both sides or on one.
 */
const TEXTS = {
  "net/ops.h": `struct item { int value; };
struct ops {
	int (*show)(@P);
	int (*store)(int value);
};
struct other { int (*show)(int value); };
int raw_show(@P) __attribute__((visibility("hidden")));
extern const struct ops plain;
/* more declarations */
`,
  "net/raw.c": `#include "ops.h"
/* before all */
static int plain_show(@P) { return item->value; }
int raw_show(@P) { return item->value + 1; }
const struct ops plain = { .show = plain_show, };
static int other_show(int value) { return value; }
struct other other = { .show = other_show };
void set(struct ops *ops) { ops->show = raw_show; }
/* more code */
`,
  "net/dotted.c": `#include "ops.h"
int dotted(struct ops *ops, struct item *item) {
	if (!ops->show || other.show == 0)
		return -1;
	/* more statements */
	return ops->show(@A) + plain_show_it(item);
}
`,
};
const PRELUDE = "extern struct other other; int plain_show_it(struct item *item);\n";
type File = keyof typeof TEXTS;
type Side = "pre" | "post";
type Change = readonly [file: File, from: string | RegExp, to: string, side?: Side];

const source = temporaryDirectory();
const cacheDir = temporaryDirectory();
const PATHS = Object.keys(TEXTS) as File[];
let build: PreparedBuild;
/** No case changes how they are compiled. */
let units: UnitWithCommand[];

function textsOf(side: Side, changes: readonly Change[]): Map<File, string> {
  const words = side === "pre" ? ["struct item *item", "item"] : ["struct item *item, int more", "item, 7"];
  return new Map(
    PATHS.map((path) => {
      let text: string = TEXTS[path].replace('#include "ops.h"\n', `#include "ops.h"\n${path === "net/dotted.c" ? PRELUDE : ""}`);
      for (const [file, from, to, only] of changes) {
        if (file !== path || (only !== undefined && only !== side)) continue;
        const edited = text.replace(from, to);
        expect(edited, `${String(from)} in ${file}`).not.toBe(text);
        text = edited;
      }
      return [path, text.replaceAll("@P", words[0] ?? "").replaceAll("@A", words[1] ?? "")] as const;
    }),
  );
}

beforeAll(async () => {
  writeFakeKernel(source);
  mkdirSync(join(cacheDir, "out"));
  build = fakeBuild(source, cacheDir);
  units = await Promise.all(
    ["raw", "dotted"].map((name) => withCommand(build, { path: `net/${name}.o`, source: `net/${name}.c`, target: "vmlinux" })),
  );
});

/** What speaks against it, and the functions that the proof is about. */
async function prove(changes: readonly Change[], further: Readonly<Record<string, string>> = {}) {
  const [pre, post] = [textsOf("pre", changes), textsOf("post", changes)];
  writeFiles(source, { ...Object.fromEntries(pre), ...further });
  const patched = await shadowWithPatch(build.tree, {
    patch: PATHS.map((path) => unifiedDiff(path, pre.get(path) ?? "", post.get(path) ?? "")).join(""),
  });
  try {
    const diffs: UnitDiff[] = [];
    for (const unit of units) {
      const objects = [await compileUnit(build, unit), await compileUnit(build, unit, { shadow: patched })].map(({ object }) => object);
      diffs.push(diffUnit({ unit, pre: objects[0] ?? new Uint8Array(), post: objects[1] ?? new Uint8Array(), sources: [] }));
    }
    const proof = await proveCallbacks({ build, patched, cacheDir }, [{ label: "struct ops", member: "show" }], diffs, {
      units,
      leftOut: [],
      jobs: 2,
    });
    return {
      breaks: proof.breaks.map(({ place, why }) => `${place}: ${why}`),
      functions: [...proof.functions].sort(),
      units: [...proof.units].sort(),
    };
  } finally {
    await patched.dispose();
  }
}

test("a member, its callers and its providers change together", async () => {
  expect(await prove([])).toEqual({
    breaks: [],
    functions: ["vmlinux net/raw.o plain_show", "vmlinux net/raw.o raw_show"],
    units: ["net/dotted.o vmlinux", "net/raw.o vmlinux"],
  });
});

describe("is shown of", () => {
  test.each<[string, readonly Change[]]>([
    [
      "a macro that provides it",
      [
        ["net/raw.c", ".show = plain_show,", ".SHOW(plain),"],
        ["net/raw.c", "/* before all */", "#define SHOW(name) show = name##_show"],
      ],
    ],
    [
      "a macro that puts its name together",
      [
        ["net/raw.c", ".show = plain_show,", "SHOW(plain, sh, ow),"],
        ["net/raw.c", "/* before all */", "#define SHOW(name, a, b) .a##b = name##_show"],
      ],
    ],
    [
      "a macro that calls it",
      [
        ["net/dotted.c", "return ops->show(@A)", "return CALL(ops, show, @A)"],
        ["net/dotted.c", "int dotted", "#define CALL(ops, member, ...) (ops)->member(__VA_ARGS__)\nint dotted"],
      ],
    ],
    [
      "an inline function of a header that calls it",
      [
        [
          "net/ops.h",
          "/* more declarations */",
          "static inline int show(const struct ops *ops, struct item *item) { return ops ? ops->show(@A) : 0; }",
        ],
      ],
    ],
    [
      "a typedef of its type",
      [
        ["net/ops.h", "struct ops {", "typedef int (*show_t)(@P);\nstruct ops {"],
        ["net/ops.h", "int (*show)(@P)", "show_t show"],
      ],
    ],
    ["an address that is taken", [["net/raw.c", "= plain_show,", "= &plain_show,"]]],
    [
      "a direct call of a function that provides it",
      [["net/raw.c", "/* more code */", "int direct(struct item *item) { return plain_show(@A); }"]],
    ],
    ["a whole struct that is copied", [["net/raw.c", "/* more code */", "void copy(struct ops *ops) { *ops = plain; }"]]],
    ["a literal struct", [["net/raw.c", "/* more code */", "void fill(struct ops *ops) { *ops = (struct ops){ .show = raw_show }; }"]]],
    [
      "an array with places",
      [["net/raw.c", "/* more code */", "struct ops all[2] = { [1].show = raw_show, [0] = { .show = plain_show } };"]],
    ],
    [
      "a struct that holds it",
      [
        [
          "net/raw.c",
          "/* more code */",
          "struct holder { int x; struct ops ops; } holder = { .ops = { .show = raw_show } }, h2 = { .ops.show = raw_show };",
        ],
      ],
    ],
    [
      "one that is cleared, and asked for",
      [
        [
          "net/raw.c",
          "/* more code */",
          "int clear(struct ops *o) { o->show = (void *)0; while (o->show) ; return o->show != 0 && !!(o->show) ? 1 : 2; }",
        ],
      ],
    ],
    [
      "two that are tested at once",
      [["net/dotted.c", "/* more statements */", "if (__builtin_expect(!(ops->show && plain.show), 0)) return 2;"]],
    ],
  ])("%s", async (_, changes) => {
    expect((await prove(changes)).breaks).toEqual([]);
  });
});

describe("is not shown of", () => {
  test.each<[string, readonly Change[], string]>([
    [
      "a pointer that is copied",
      [["net/raw.c", "/* more code */", "int (*copy)(@P); void keep(struct ops *o) { copy = o->show; }"]],
      "net/raw.c:9: { copy = o->show; }",
    ],
    [
      "a pointer that is copied through ?:",
      [["net/raw.c", "/* more code */", "int (*copy)(@P); void keep(struct ops *o) { copy = o->show ?: raw_show; }"]],
      "copy = o->show ?",
    ],
    [
      "a pointer that is handed on",
      [["net/raw.c", "/* more code */", "void take(void *); void keep(struct ops *o) { take((o->show)); }"]],
      "take((o->show))",
    ],
    ["a pointer that is returned", [["net/raw.c", "/* more code */", "void *keep(struct ops *o) { return o->show; }"]], "return o->show;"],
    [
      "one that stands behind a comma",
      [["net/raw.c", "/* more code */", "void *keep(struct ops *o) { return (0, o->show); }"]],
      "o->show)",
    ],
    ["its address", [["net/raw.c", "/* more code */", "void *keep(struct ops *o) { return &o->show; }"]], "& o->show"],
    ["its place", [["net/raw.c", "/* more code */", "int place = __builtin_offsetof(struct ops, show);"]], "show"],
    [
      "a pointer that is called by another name of its type",
      [["net/dotted.c", "/* more statements */", "__typeof__(ops->show) copy;"]],
      "(ops->show)",
    ],
    [
      "a function that comes as an argument",
      [["net/raw.c", "/* more code */", "void give(struct ops *o, int (*f)(@P)) { o->show = f; }"]],
      "f is used in another way",
    ],
    ["a cast function", [["net/raw.c", "ops->show = raw_show", "ops->show = (int (*)(@P))raw_show"]], "ops->show"],
    ["a choice of functions", [["net/raw.c", "ops->show = raw_show", "ops->show = ops->store ? raw_show : plain_show"]], "ops->show ="],
    ["two that are set at once", [["net/raw.c", "ops->show = raw_show;", "struct ops *b = ops; b->show = ops->show = raw_show;"]], "show"],
    ["a list of assignments", [["net/raw.c", "ops->show = raw_show;", "ops->show = raw_show, ops->store = 0;"]], "ops->show = raw_show,"],
    [
      "a local variable of a function's name",
      [["net/raw.c", "ops->show = raw_show;", "int (*raw_show)(@P) = 0; ops->show = raw_show;"]],
      "raw_show is used in another way",
    ],
    [
      "a parameter of a function's name",
      [["net/raw.c", "void set(struct ops *ops)", "void set(struct ops *ops, int raw_show(@P))"]],
      "raw_show is used in another way",
    ],
    ["initial values without names", [["net/raw.c", "{ .show = plain_show, }", "{ plain_show }"]], "the compiler says:"],
    [
      "initial values without names in an array",
      [["net/raw.c", "/* more code */", "struct ops all[] = { { .show = raw_show }, { raw_show, 0 } };"]],
      "the compiler says:",
    ],
    [
      "a literal struct without names",
      [["net/raw.c", "/* more code */", "void fill(struct ops *ops) { *ops = (struct ops){ raw_show }; }"]],
      "the compiler says:",
    ],
    [
      "the value of a block",
      [["net/raw.c", "ops->show = raw_show;", "void *copy = ({ ops->show = raw_show; }); (void)copy;"]],
      "where the pointer comes from",
    ],
    [
      "a function of two names",
      [["net/raw.c", "/* more code */", 'int other_name(@P) __attribute__((alias("raw_show")));']],
      "raw_show is not the same function",
    ],
    [
      "a variable that holds a function",
      [["net/raw.c", "ops->show = raw_show;", "static int (*const first)(@P) = raw_show; ops->show = first;"]],
      "is used in another way",
    ],
    [
      "a function of another type",
      [["net/raw.c", "/* more code */", "int odd(long x) { return x; } struct ops odd_ops = { .show = odd };"]],
      "the compiler says:",
    ],
    ["a function that others hold, too", [["net/raw.c", "/* more code */", "void *timer = raw_show;"]], "raw_show is used in another way"],
    [
      "a function that is handed on",
      [["net/raw.c", "/* more code */", "void take(void *); void start(void) { take(raw_show); }"]],
      "raw_show is used in another way",
    ],
    [
      "a function whose address is compared",
      [["net/dotted.c", "/* more statements */", "if (ops == (void *)raw_show) return 4;"]],
      "raw_show is used in another way",
    ],
    [
      "a function in a list for BPF or error injection",
      [["net/raw.c", "/* more code */", 'unsigned long __attribute__((used, section("list"))) entry = (unsigned long)raw_show;']],
      "raw_show is used in another way",
    ],
    [
      "one that BPF programs provide",
      [["net/raw.c", "/* more code */", "struct bpf_struct_ops_ops { struct ops data; };"]],
      "BPF programs provide functions",
    ],
    [
      "a provider that goes",
      [["net/raw.c", "ops->show = raw_show;", "ops->show = 0;", "post"]],
      "raw_show is given to it only before the patch",
    ],
    [
      "a provider that comes",
      [["net/raw.c", "ops->show = raw_show;", "ops->show = 0;", "pre"]],
      "raw_show is given to it only with the patch",
    ],
    [
      "a table that gets another function",
      [["net/raw.c", "= plain_show,", "= raw_show,", "post"]],
      "plain_show is given to it only before the patch",
    ],
    [
      "a struct that is a union",
      [
        ["net/ops.h", "struct ops {", "struct ops { union { struct { int a; }; long b; } u;"],
        ["net/ops.h", "int (*show)(@P);", "union { int (*show)(@P); long raw; };"],
      ],
      "show is not declared plainly",
    ],
    [
      "a struct that a function has for itself",
      [["net/raw.c", "/* more code */", "void f(void) { struct ops { int show; } x; (void)x; }"]],
      "struct ops is defined more than once",
    ],
    [
      "an array of pointers beside it",
      [["net/raw.c", "/* more code */", "int (*table[])(@P) = { raw_show };"]],
      "raw_show is used in another way",
    ],
    [
      "a copy through other types",
      [["net/raw.c", "/* more code */", "void *bytes(struct ops *o) { void **p = (void **)&o->show; return *p; }"]],
      "& o->show",
    ],
    [
      "assembly that is given it",
      [["net/raw.c", "/* more code */", 'void call(struct ops *o) { asm("call *%0" : : "m" (o->show)); }']],
      "(o->show)",
    ],
    [
      "what is read once",
      [
        [
          "net/raw.c",
          "/* more code */",
          "int once(struct ops *o, struct item *item) { return (*(__typeof__(o->show) volatile *)&o->show)(@A); }",
        ],
      ],
      "o->show",
    ],
    [
      "a provider of an unknown place",
      [
        [
          "net/raw.c",
          "/* more code */",
          'int far_show(@P) __attribute__((visibility("hidden"))); void far(struct ops *o) { o->show = far_show; }',
        ],
      ],
      "far_show is not the same function",
    ],
  ])("%s", async (_, changes, expected) => {
    expect((await prove(changes)).breaks.join("\n")).toContain(expected);
  });

  test("a name that a file knows which is no part of the update", async () => {
    writeFiles(source, { "kernel/own.c": "int raw_show();\nint own(void) { return raw_show(0); }\n" });
    expect((await prove([])).breaks).toEqual(["kernel/own.c: it has the name raw_show, and is no part of the update"]);
    writeFiles(source, { "kernel/own.c": "int own(void) { return 4; /* raw_show */ }\n" });
    expect((await prove([])).breaks).toEqual([]);
  });

  test("a place that assembly is told of", async () => {
    writeFiles(source, { "arch/x86/kernel/asm-offsets.c": "int f(void) { return __builtin_offsetof(struct ops, show); }\n" });
    expect((await prove([])).breaks).toEqual(["arch/x86/kernel/asm-offsets.c: it has the name show, and is no part of the update"]);
    writeFiles(source, { "arch/x86/kernel/asm-offsets.c": "" });
  });

  test("a struct that modules of others can know", async () => {
    const changes: Change[] = [["net/ops.h", /struct ops \{[^}]*\};/, "#define ARGUMENTS @P\n#include <linux/ops.h>"]];
    const header = "struct item;\nstruct ops {\n\tint (*show)(ARGUMENTS);\n\tint (*store)(int value);\n};\n";
    const { breaks } = await prove(changes, { "include/linux/ops.h": header });
    expect(breaks.join("\n")).toContain("include/linux/ops.h:3: the header is there for every module");
  });

  test("a struct that has another name before the patch", async () => {
    const renamed = PATHS.map((path): Change => [path, /struct ops\b/g, "struct old", "pre"]);
    expect((await prove(renamed)).breaks).toContain(": not both sides have a plain struct ops");
  });
});
