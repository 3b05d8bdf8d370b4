import { withCommand } from "../../../support/with-command.js";
import { collect } from "../../../support/collect-events.js";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { shadowWithPatch } from "../../../../src/kbuild/change/patch-tree.js";
import type { PreparedBuild, Unit } from "../../../../src/kbuild/types.js";
import type { AllowedLayout } from "../../../../src/update/file/manifest.js";
import { checkLayouts, Layouts } from "../../../../src/update/create/check-layouts.js";
import { UnitTypes } from "../../../../src/update/units/unit-types.js";
import { compileBtfBytes, HAS_PAHOLE } from "../../../support/compile-types.js";
import { unifiedDiff } from "../../../support/edited-patch.js";
import { fakeBuild, writeFakeKernel } from "../../../support/fake-tree-source.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

/** The fake kernel, with a header that two units include. */

const source = temporaryDirectory();
const cacheDir = temporaryDirectory();
const HEADER = `/* Types. */
struct inner {
	int count;
};
struct outer {
	struct inner inner;
	int state;
};
struct loose {
	void *next;
	int count;
};
`;
const CODE = (name: string): string =>
  `#include "types.h"\nint ${name}(struct outer *outer, struct loose *loose) { return outer->state + loose->count; }\n`;
const RAW = `${CODE("raw")}
enum phase { GOING, HELD, DONE };
void hold(enum phase *phase) { *phase = HELD; }
int shown(enum phase *phase) { return *phase == HELD ? 1 : 0; }
`;
let build: PreparedBuild;

beforeAll(() => {
  writeFakeKernel(source);
  writeFiles(source, { "net/types.h": HEADER, "net/raw.c": RAW, "net/dotted.c": CODE("dotted") });
  mkdirSync(join(cacheDir, "out"));
  build = fakeBuild(source, cacheDir);
});

const UNITS: readonly Unit[] = ["raw", "dotted"].map((name) => ({ path: `net/${name}.o`, source: `net/${name}.c`, target: "vmlinux" }));

/** What the last check has let through. */
let letThrough: AllowedLayout[];

/** What is said when these parts of the header change: warnings, or the refusal. */
async function check(
  edits: readonly (readonly [string, string])[],
  allowed: readonly string[] = [],
  file = "net/types.h",
): Promise<string[]> {
  const before = file === "net/types.h" ? HEADER : RAW;
  const after = edits.reduce((text, [from, to]) => text.replace(from, to), before);
  return await judge(unifiedDiff(file, before, after), UNITS, allowed);
}

/** What is said of a patch. @param units those that bring code */
async function judge(patch: string, units: readonly Unit[], allowed: readonly string[] = []): Promise<string[]> {
  const patched = await shadowWithPatch(build.tree, { patch });
  const warnings: string[] = [];
  try {
    const layouts = new Layouts({
      all: UNITS,
      types: new UnitTypes(build, patched, await Promise.all(UNITS.map((unit) => withCommand(build, unit))), false),
      patched,
      kernel: { configDir: join(source, "ksplice"), release: build.release, cacheDir },
    });
    letThrough = await checkLayouts(layouts, { units, jobs: 2, allowed, tell: collect(warnings) });
    return warnings;
  } finally {
    await patched.dispose();
  }
}

const suite = HAS_PAHOLE ? describe : describe.skip;
suite("the layouts of an update", () => {
  const grow = ["\tint count;\n};\nstruct outer", "\tint count;\n\tint more;\n};\nstruct outer"] as const;
  const fill = [`\tvoid *next;\n\tint count;\n`, `\tvoid *next;\n\tint count;\n\tint flags;\n`] as const;

  test("that change are refused, with place, units, picture and what holds them", async () => {
    await expect(check([grow])).rejects.toMatchObject({
      code: "changed-layout",
      exitCode: 1,
      location: "net/types.h:2",
      message: `the patch changes the layout of types that objects of the running kernel may have:
  net/types.h:2: struct inner, seen by net/raw.o, net/dotted.o:
    it grows from 4 to 8 bytes
    more takes 4 bytes at offset 4, where nothing was
    objects that exist have the old size and spacing: new code would read and write what lies behind them
       running  patched  size
             0        0     4  int count
    +                 4     4  int more
    ~        4        8        bytes in all
    and one type that holds it: struct outer
    or leave the type as it is, and put what is new beside its objects (docs/shadow-data.md):
      #include <ksplice-patch.h>
      ksplice_shadow(inner_more, struct inner, int, 0xfb6d4813, NULL, NULL);`,
    });
  });

  test("of which a number goes by another name are refused, unless all that used the one uses the other", async () => {
    const list = ["GOING, HELD,", "GOING, PAUSED,"] as const;
    const uses = [
      ["*phase = HELD", "*phase = PAUSED"],
      ["*phase == HELD", "*phase == PAUSED"],
    ] as const;
    await expect(check([list, ...uses], [], "net/raw.c")).resolves.not.toContain("HELD");
    await expect(check([list, ...uses, ["PAUSED ? 1", "PAUSED ? 2"]], [], "net/raw.c")).rejects.toMatchObject({
      code: "changed-layout",
      location: "net/raw.c:4",
      message: expect.stringMatching(
        /enum phase, seen by net\/raw\.o:\n {4}HELD is called PAUSED, or another thing has its number\n/,
      ) as string,
    });
  });

  test("that gain more than fits beside an object say so, and what shrinks says nothing of it", async () => {
    const bits = [
      "\tint count;\n};\nstruct outer",
      "\tint count;\n\tunsigned int a:1;\n\tint (*go)(void);\n\tchar name[8];\n};\nstruct outer",
    ] as const;
    await expect(check([bits])).rejects.toMatchObject({
      message: expect.stringMatching(
        /ksplice_shadow\(inner_go, struct inner, int \(\*\)\(\), \w+, NULL, NULL\);\n +ksplice_shadow\(inner_name, struct inner, char \[8\], \w+, NULL, NULL\);$/,
      ) as string,
    });
    const shrink = ["\tint count;\n};\nstruct outer", "\tshort count;\n};\nstruct outer"] as const;
    await expect(check([shrink])).rejects.toMatchObject({ message: expect.not.stringContaining("ksplice_shadow") as string });
  });

  test.each([["struct loose"], ["loose"], ["struct  loose"]])("are let through as %s, with what that vouches for", async (name) => {
    expect(await check([fill], [name])).toEqual([
      "the running kernel's types are not in the configuration directory (btf/vmlinux): those of the unpatched source stand for them",
      "struct loose is allowed: flags takes 4 bytes at offset 12, where nothing was; the objects that exist hold whatever was in the padding: zero if they were allocated zeroed; new code must cope with it",
    ]);
    expect(letThrough).toEqual([
      {
        ...{ label: "struct loose", place: "net/types.h:9", units: ["net/raw.o", "net/dotted.o"], holders: [] },
        ...{
          reasons: ["flags takes 4 bytes at offset 12, where nothing was"],
          vouched: expect.stringContaining("must cope with it") as string,
        },
        picture: expect.arrayContaining(["+                12     4  int flags"]) as string[],
      },
    ]);
  });

  test("are refused but for those that are allowed", async () => {
    await expect(check([grow, fill], ["loose"])).rejects.toMatchObject({
      code: "changed-layout",
      message: expect.not.stringContaining("struct loose") as string,
    });
  });

  test("that are allowed and do not change are a usage error", async () => {
    await expect(check([fill], ["struct lose"])).rejects.toMatchObject({
      code: "unknown-layout",
      exitCode: 2,
      hint: "it changes that of struct loose",
    });
  });

  test("may be the running kernel's already", async () => {
    writeFiles(source, { "ksplice/btf/README": "" });
    const bytes = compileBtfBytes(`${HEADER.replace(...fill)}int f(struct loose *loose) { return loose->count; }`);
    writeFileSync(join(source, "ksplice/btf/vmlinux"), bytes);
    expect(await check([fill])).toEqual([]);
    await expect(check([grow])).rejects.toMatchObject({ code: "changed-layout" });
    writeFileSync(join(source, "ksplice/btf/vmlinux"), bytes.subarray(0, 50));
    await expect(check([fill])).rejects.toMatchObject({ code: "bad-btf", location: join(source, "ksplice/btf/vmlinux") });
    rmSync(join(source, "ksplice/btf"), { recursive: true });
  });

  test("are not compiled for a change inside a function", async () => {
    expect(await check([["outer->state +", "outer->state -"]], [], "net/raw.c")).toEqual([]);
    await expect(check([["outer->state +", "outer->state -"]], ["foo"], "net/raw.c")).rejects.toMatchObject({
      code: "unknown-layout",
      hint: "it changes that of no type",
    });
  });

  describe("of what a pointer without a type leads to", () => {
    const TYPES =
      "struct old {\n\tint count;\n};\nstruct wrapper {\n\tlong first;\n\tstruct old old;\n};\nstruct like {\n\tint count;\n};\n";
    const user = (type: string, member: string): string =>
      `${TYPES}void *private(void *of);\nint count(void *of)\n{\n\t${type} *it = private(of);\n\treturn it->${member};\n}\n`;
    const retell = async (type: string, member: string, allowed: readonly string[] = []): Promise<string[]> => {
      writeFiles(source, { "net/raw.c": user("struct old", "count") });
      return await judge(unifiedDiff("net/raw.c", user("struct old", "count"), user(type, member)), UNITS.slice(0, 1), allowed);
    };

    test("are refused where it is taken for another struct, although no struct changes", async () => {
      await expect(retell("struct wrapper", "old.count")).rejects.toMatchObject({
        code: "changed-layout",
        message: expect.stringMatching(
          /struct wrapper, seen by net\/raw\.o:\n +count\(\) takes private\(of\) for one, and before the patch for a struct old/,
        ) as string,
      });
    });

    test("are refused where it is taken for a struct without a name, whose members change", async () => {
      const nameless = (members: string): string =>
        `${TYPES}void *private(void *of);\nint count(void *of)\n{\n\tstruct {\n${members}\t} *it = (void *)private(of);\n\treturn it->count;\n}\n`;
      const change = async (members: string, allowed: readonly string[] = []): Promise<string[]> => {
        const before = nameless("\t\tlong first;\n\t\tint count;\n");
        writeFiles(source, { "net/raw.c": before });
        return await judge(unifiedDiff("net/raw.c", before, nameless(members)), UNITS.slice(0, 1), allowed);
      };
      const exchanged = "\t\tint count;\n\t\tlong first;\n";
      await expect(change(exchanged)).rejects.toMatchObject({
        code: "changed-layout",
        message: expect.stringMatching(/struct \{count, …\}, seen by net\/raw\.o:/) as string,
      });
      expect(await change(exchanged, ["struct {count, …}"])).toHaveLength(1);
      expect(await change("\t\tlong first;\n\t\tunsigned int count;\n")).toEqual([]);
    });

    test("are refused where it is taken for a number of another size", async () => {
      const number = (type: string): string =>
        `void *private(void *of);\nint count(void *of)\n{\n\t${type} *it = private(of);\n\treturn *it;\n}\n`;
      const change = async (former: string, type: string): Promise<string[]> => {
        writeFiles(source, { "net/raw.c": number(former) });
        return await judge(unifiedDiff("net/raw.c", number(former), number(type)), UNITS.slice(0, 1));
      };
      await expect(change("int", "unsigned long")).rejects.toMatchObject({
        code: "changed-layout",
        message: expect.stringMatching(
          /unsigned long, seen by net\/raw\.o:\n +count\(\) takes private\(of\) for one, and before the patch for a int: .*\n +unsigned long has 8 bytes, and int has 4/,
        ) as string,
      });
      expect(await change("int", "unsigned int")).toEqual([]);
      // Bytes from outside, which a header is laid over.
      expect(await change("int", "char")).toEqual([]);
      expect(await change("unsigned char", "long")).toEqual([]);
    });

    test("are compared whatever a type is called by", async () => {
      const TYPES =
        "typedef struct old {\n\tint count;\n} old_t;\ntypedef struct {\n\tint count;\n} same_t;\nunion wide {\n\tint count;\n\tlong all;\n};\n";
      const text = (type: string): string =>
        `${TYPES}void *private(void *of);\nint count(void *of)\n{\n\t${type} *it = private(of);\n\treturn it->count;\n}\n`;
      const change = async (former: string, type: string): Promise<string[]> => {
        writeFiles(source, { "net/raw.c": text(former) });
        return await judge(unifiedDiff("net/raw.c", text(former), text(type)), UNITS.slice(0, 1));
      };
      await expect(change("old_t", "union wide")).rejects.toMatchObject({
        code: "changed-layout",
        message: expect.stringMatching(
          /union wide, seen by net\/raw\.o:\n +count\(\) takes private\(of\) for one, and before the patch for a old_t/,
        ) as string,
      });
      expect(await change("struct old", "same_t")).toEqual([]);
      expect(await change("old_t", "struct old")).toEqual([]);
    });

    test("are let through where the user vouches for it, or it is laid out alike", async () => {
      expect(await retell("struct wrapper", "old.count", ["struct wrapper"])).toHaveLength(1);
      expect(await retell("struct like", "count")).toEqual([]);
    });
  });

  describe("of a type that goes to another file", () => {
    const state = (members: string): string => `struct state {\n${members}};\n`;
    const user = (type = "struct state"): string => `int count(${type} *state) { return state->count; }\n`;
    const OLD = state("\tint count;\n");
    const NEW = state("\tint first;\n\tint count;\n");

    beforeAll(() => {
      writeFiles(source, { "net/raw.c": OLD + user(), "net/dotted.c": "int dotted;\n" });
    });

    /** Its code goes with it: what it leaves has nothing that is changed. */
    async function move(to: string, from = "int dotted;\n", file = "net/raw.c"): Promise<string[]> {
      writeFiles(source, { "net/dotted.c": from });
      const patch = unifiedDiff(file, OLD + user(), "int raw;\n") + unifiedDiff("net/dotted.c", from, to);
      return await judge(patch, UNITS.slice(1));
    }

    test.each([
      ["by its name", NEW + user()],
      ["by another name", NEW.replace("struct state", "struct fresh") + user("struct fresh")],
    ])("are compared with those of the file that it leaves, %s", async (_, to) => {
      await expect(move(to)).rejects.toMatchObject({
        code: "changed-layout",
        message: expect.stringMatching(/seen by net\/dotted\.o:\n +it grows from 4 to 8 bytes/) as string,
      });
    });

    test("are compared with those that the other file had of that name", async () => {
      await expect(move(NEW + user(), NEW)).rejects.toMatchObject({ code: "changed-layout" });
      // Both what it had itself, and what comes to it, was otherwise: that is told once.
      await expect(move(NEW + user(), OLD)).rejects.toMatchObject({
        message: expect.stringMatching(/seen by net\/dotted\.o:\n/) as string,
      });
      expect(await move(OLD + user(), OLD)).toEqual([]);
    });

    test("are compared where the file that it leaves comes into another one", async () => {
      writeFiles(source, { "net/raw.c": '#include "part.c"\n', "net/part.c": OLD + user() });
      await expect(move(NEW + user(), undefined, "net/part.c")).rejects.toMatchObject({ code: "changed-layout" });
      writeFiles(source, { "net/raw.c": OLD + user() });
    });

    test("pass where it stays as it is", async () => {
      expect(await move(OLD + user())).toEqual([]);
    });
  });
});
