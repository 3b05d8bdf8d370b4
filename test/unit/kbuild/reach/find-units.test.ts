import { unifiedDiff } from "../../../support/edited-patch.js";
import { withCommand } from "../../../support/with-command.js";
import { collect } from "../../../support/collect-events.js";
import { existsSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseObject } from "../../../../src/elf/parse-object.js";
import { compileUnit } from "../../../../src/kbuild/compile/compile-unit.js";
import { findUnits } from "../../../../src/kbuild/reach/find-units.js";
import { shadowWithPatch } from "../../../../src/kbuild/change/patch-tree.js";
import type { Unit } from "../../../../src/kbuild/types.js";
import { prepareFakeKernel } from "../../../support/fake-tree-source.js";

const { source, cacheDir, build } = prepareFakeKernel();

const RAW: Unit = { path: "net/raw.o", source: "net/raw.c", target: "vmlinux" };
const DOTTED: Unit = { path: "net/dotted.o", source: "net/dotted.c", target: "vmlinux" };

async function paths(touched: readonly string[], notes: string[] = []): Promise<string[]> {
  return (await findUnits(build, touched, { tell: collect(notes) })).map((unit) => unit.path);
}

describe("the units of touched files", () => {
  test("a C file is compiled itself, into the kernel or a module", async () => {
    expect(await findUnits(build, ["net/raw.c", "drivers/mod.c"])).toMatchObject([
      { path: "drivers/mod.o", source: "drivers/mod.c", target: "mod" },
      RAW,
    ]);
  });

  test("an object that kbuild names through .. has a plain path, and is compiled by its own makefile's command", async () => {
    const unit: Unit = { path: "drivers/display/shown.o", source: "drivers/display/shown.c", target: "gpu" };
    expect(await findUnits(build, ["drivers/display/shown.c"])).toMatchObject([unit]);
    expect(await paths(["drivers/include/shared.h"])).toEqual([unit.path]);
    const patched = await shadowWithPatch(build.tree, {
      patch: "--- a/drivers/include/shared.h\n+++ b/drivers/include/shared.h\n@@ -1 +1 @@\n-#define SHOWN 8\n+#define SHOWN 9\n",
    });
    const pre = await compileUnit(build, await withCommand(build, unit));
    const post = await compileUnit(build, await withCommand(build, unit), { shadow: patched });
    await patched.dispose();
    expect(post.object).not.toEqual(pre.object);
  });

  test("an object of several modules is a unit of each", async () => {
    const unit = { path: "drivers/part.o", source: "drivers/part.c" };
    expect(await findUnits(build, ["drivers/part.c"])).toMatchObject([
      { ...unit, target: "one" },
      { ...unit, target: "two_parts" },
    ]);
  });

  test("a C file in the folder of an image is compiled if kbuild puts it into the kernel, and else refused", async () => {
    expect(await findUnits(build, ["arch/x86/entry/vdso/vma.c"])).toMatchObject([{ path: "arch/x86/entry/vdso/vma.o", target: "vmlinux" }]);
    await expect(paths(["arch/x86/entry/vdso/clock.c"])).rejects.toMatchObject({ code: "not-kernel-text" });
    await expect(paths(["arch/x86/boot/video.c"])).rejects.toMatchObject({ code: "not-kernel-text" });
  });

  test("a module of one object may be a part of another", async () => {
    expect(await findUnits(build, ["drivers/whole.c"])).toMatchObject([{ target: "bigger" }, { target: "whole" }]);
  });

  test("what kbuild generates for an object is made before it is compiled", async () => {
    const [unit] = await findUnits(build, ["net/generated.c"]);
    if (unit === undefined) throw new Error("no unit");
    expect(existsSync(join(build.outDir, "net/numbers.h"))).toBe(false);
    await compileUnit(build, unit);
    expect(existsSync(join(build.outDir, "net/numbers.h"))).toBe(true);
  });

  test("finding them compiles nothing", async () => {
    await findUnits(build, ["net/raw.c", "kernel/shared.h"]);
    for (const object of ["net/raw.o", "net/dotted.o"]) expect(existsSync(join(build.outDir, object))).toBe(false);
  });

  test("a C file is included by another", async () => {
    expect(await paths(["kernel/part.c"])).toEqual(["kernel/build.o"]);
  });

  test("a C file is compiled by itself, and comes into another directory's object too", async () => {
    expect(await paths(["kernel/own.c"])).toEqual(["kernel/own.o", "lib/again.o"]);
  });

  test.each([
    ["include/linux/x.h", ["net/raw.o"]],
    ["net/local.h", ["net/raw.o"]],
    ["kernel/shared.h", ["net/dotted.o"]],
  ])("the header %s comes into %j", async (header, expected) => {
    expect(await paths([header])).toEqual(expected);
  });

  test("what is not in the configuration is left out with a note, and refused if there is nothing else", async () => {
    const notes: string[] = [];
    expect(await paths(["net/raw.c", "drivers/unset.c", "Documentation/x.rst"], notes)).toEqual(["net/raw.o"]);
    expect(notes).toEqual([
      "Documentation/x.rst is left out: documentation",
      "drivers/unset.c is left out: nothing of this kernel's configuration is compiled from it",
    ]);
    await expect(paths(["drivers/unset.c"])).rejects.toMatchObject({ code: "not-in-config", exitCode: 1 });
    await expect(paths(["include/linux/unused.h"])).rejects.toMatchObject({ code: "not-in-config" });
    await expect(paths(["MAINTAINERS"])).rejects.toMatchObject({ code: "nothing-to-compile", exitCode: 66 });
    await expect(paths(["tools/objtool/check.c", "scripts/mod/modpost.c"])).rejects.toMatchObject({
      message: expect.stringMatching(/check\.c is left out: at most a tool[\s\S]*modpost\.c is left out: at most a tool/) as string,
      exitCode: 66,
    });
    await expect(paths([])).rejects.toMatchObject({
      message: expect.stringContaining("leaves the text of every file as it was: it changes modes only") as string,
      exitCode: 66,
    });
  });

  test("of a file whose functions the kernel holds it is not said that there is nothing to patch", async () => {
    const symbolsFile = join(cacheDir, "System.map");
    writeFileSync(symbolsFile, "ffffffff81000000 T kept_in_kernel\nffffffff81000010 t mod_function\n");
    const seeing = { ...build, tree: { ...build.tree, symbolsFile } };
    // What a file that is compiled defines is that one's.
    expect((await findUnits(seeing, ["drivers/mod.c", "drivers/twin.c"])).map(({ path }) => path)).toEqual(["drivers/mod.o"]);
    await expect(findUnits(seeing, ["drivers/mod.c", "drivers/kept.c"])).rejects.toMatchObject({
      code: "code-in-image",
      message: "kbuild makes nothing of drivers/kept.c, but vmlinux holds its kept_in_kernel",
    });
  });

  test("what changes more than objects is refused by name", async () => {
    await expect(paths(["net/raw.c", "net/Makefile"])).rejects.toMatchObject({ code: "makefile", location: "net/Makefile" });
  });

  test("a file that the patch removes is refused where something is made of it", async () => {
    const removal = async (file: string): Promise<string[]> => {
      const lines = readFileSync(join(source, file), "utf8").trimEnd().split("\n");
      const patch = `--- a/${file}\n+++ /dev/null\n@@ -1,${lines.length} +0,0 @@\n${lines.map((line) => `-${line}\n`).join("")}`;
      const patched = await shadowWithPatch(build.tree, { patch });
      try {
        return (await findUnits(build, patched.touched, { patched })).map((unit) => unit.path);
      } finally {
        await patched.dispose();
      }
    };
    await expect(removal("drivers/mod.c")).rejects.toMatchObject({
      code: "source-removed",
      message: expect.stringContaining("drivers/mod.o") as string,
    });
    await expect(removal("drivers/unset.c")).rejects.toMatchObject({ code: "not-in-config" });
  });

  test("what does not compile without the patch is refused with the compiler's words", async () => {
    const unit: Unit = { path: "fs/broken.o", source: "fs/broken.c", target: "vmlinux" };
    expect(await findUnits(build, ["fs/broken.c"])).toMatchObject([unit]);
    await expect(compileUnit(build, await withCommand(build, unit))).rejects.toMatchObject({
      code: "does-not-compile",
      message: expect.stringMatching(/even without the patch:\nfs\/broken\.c: .*\nfs\/broken\.c:1:.*nonsense/) as string,
    });
  });
});

describe("the units that a header's change comes into", () => {
  async function reached(file: string, added: string, besides = "", notes: string[] = [], mostUnits?: number): Promise<string[]> {
    const [first = ""] = readFileSync(join(source, file), "utf8").split("\n");
    const patched = await shadowWithPatch(build.tree, {
      patch: `--- a/${file}\n+++ b/${file}\n@@ -1 +1,${added.split("\n").length} @@\n ${first}\n${added.replaceAll(/^(?=.)/gm, "+")}${besides}`,
    });
    try {
      const limit = mostUnits === undefined ? {} : { mostUnits };
      const units = await findUnits(build, patched.touched, { patched, tell: collect(notes), ...limit });
      return units.map((unit) => unit.path);
    } finally {
      await patched.dispose();
    }
  }

  test("are those that use what is new in it", async () => {
    expect(await reached("include/linux/x.h", "#undef X\n#define X 5\n")).toEqual(["net/raw.o"]);
    expect(await reached("include/linux/x.h", "extern int raw(void);\n")).toEqual(["net/raw.o"]);
  });

  test("or include a header that does", async () => {
    expect(await reached("kernel/shared.h", "#undef SHARED\n#define SHARED 4\n")).toEqual(["net/dotted.o"]);
  });

  test("but none that only mentions it: what the preprocessor makes of it is the same, and has no such name", async () => {
    // net/local.h, which comes later, has the last word.
    await expect(reached("include/linux/x.h", "#define LOCAL 5\n")).rejects.toMatchObject({ code: "nothing-to-compile" });
    await expect(reached("kernel/shared.h", "extern int DEEP;\n")).rejects.toMatchObject({ code: "nothing-to-compile" });
  });

  test("nor one that a header has brought in, if the preprocessor makes the same of all of it", async () => {
    // kernel/deep/deep.h has an array of that size, and defines the macro anew before.
    await expect(reached("kernel/shared.h", "#define LATE 2\n")).rejects.toMatchObject({ code: "nothing-to-compile" });
    expect(await reached("kernel/shared.h", "#define LATE 2\nextern int more;\n")).toEqual(["net/dotted.o"]);
    // Not before as many have gone through it as are allowed.
    await expect(reached("kernel/shared.h", "#define LATE 2\n", "", [], 0)).rejects.toMatchObject({ code: "too-many-units" });
  });

  test("nor one that could put a new name together, and does not", async () => {
    // kernel/deep/deep.h puts first_part together, of what the text of the tree does not tell.
    await expect(reached("kernel/shared.h", "extern int second_part;\n")).rejects.toMatchObject({ code: "nothing-to-compile" });
    expect(await reached("kernel/shared.h", "extern int first_part;\n")).toEqual(["net/dotted.o"]);
    // A macro's name is gone behind the preprocessor.
    expect(await reached("kernel/shared.h", "extern int second_part;\n#define first_part third_part\n")).toEqual(["net/dotted.o"]);
  });

  test("nor one that has a changed name from that header alone, and nothing of it that uses the name", async () => {
    const changed = async (from: string, to: string): Promise<string[]> => {
      const text = readFileSync(join(source, "kernel/parts.h"), "utf8");
      const patched = await shadowWithPatch(build.tree, { patch: unifiedDiff("kernel/parts.h", text, text.replace(from, to)) });
      try {
        return (await findUnits(build, patched.touched, { patched })).map((unit) => unit.path);
      } finally {
        await patched.dispose();
      }
    };
    await expect(changed("int keep_part(void);", "int kept_part(void);")).rejects.toMatchObject({ code: "nothing-to-compile" });
    expect(await changed("int old_part(void);", "long old_part(void);")).toEqual(["net/dotted.o"]);
    expect(await changed("int keep_part(void);", "int first_part(void);")).toEqual(["net/dotted.o"]);
  });

  test("of which there may be too many, where a limit is set; those that only mention it do not count", async () => {
    await expect(reached("include/linux/x.h", "#undef X\n#define X 5\n", "", [], 0)).rejects.toMatchObject({ code: "too-many-units" });
    expect(await reached("include/linux/x.h", "#undef X\n#define X 5\n", "", [], 1)).toEqual(["net/raw.o"]);
    await expect(reached("include/linux/x.h", "#define LOCAL 5\n", "", [], 0)).rejects.toMatchObject({ code: "nothing-to-compile" });
  });

  test("none, where nobody does, not even with what only a comment says", async () => {
    for (const added of ["#define NOBODY 1\n", "/* X */\n"])
      await expect(reached("include/linux/x.h", added)).rejects.toMatchObject({
        code: "nothing-to-compile",
        message: "nothing that is compiled into this kernel uses what the patch changes in include/linux/x.h",
        exitCode: 66,
      });
  });

  test("which is noted, where the patch touches more", async () => {
    const notes: string[] = [];
    const module = "--- a/drivers/mod.c\n+++ b/drivers/mod.c\n@@ -1 +1,2 @@\n int mod(void) { return 5; }\n+int more;\n";
    expect(await reached("include/linux/x.h", "#define NOBODY 1\n", module, notes)).toEqual(["drivers/mod.o"]);
    expect(notes).toEqual(["include/linux/x.h: no file besides those of the patch uses what changes in it"]);
  });
});

describe("a unit is compiled", () => {
  test("with a section for each function", async () => {
    const { object } = await compileUnit(build, await withCommand(build, RAW));
    const names = parseObject(object, "raw.o").sections.map((section) => section.name);
    expect(names).toContain(".text.raw");
    expect(names.filter((name) => name.startsWith(".debug"))).toEqual([]);
  });

  test("from the cache, until a header changes", async () => {
    const first = await compileUnit(build, await withCommand(build, RAW));
    const header = join(source, "net/local.h");
    const text = readFileSync(header, "utf8");
    utimesSync(header, 1, 1);
    expect((await compileUnit(build, await withCommand(build, RAW))).object).toEqual(first.object);
    writeFileSync(header, "#define LOCAL 77\n");
    expect((await compileUnit(build, await withCommand(build, RAW))).object).not.toEqual(first.object);
    writeFileSync(header, text);
    expect((await compileUnit(build, await withCommand(build, RAW))).object).toEqual(first.object);
  });

  test("the same from a shadow whose change adds lines only", async () => {
    const patched = await shadowWithPatch(build.tree, {
      patch: '--- a/net/raw.c\n+++ b/net/raw.c\n@@ -1,2 +1,3 @@\n #include <linux/x.h>\n+/* a comment */\n #include "local.h"\n',
    });
    const pre = await compileUnit(build, await withCommand(build, RAW));
    const post = await compileUnit(build, await withCommand(build, RAW), { shadow: patched });
    await patched.dispose();
    expect(post.object).toEqual(pre.object);
  });

  test("with the patched header, though the include leads out of a linked directory", async () => {
    const patched = await shadowWithPatch(build.tree, {
      patch: "--- a/kernel/shared.h\n+++ b/kernel/shared.h\n@@ -1 +1 @@\n-#define SHARED 3\n+#define SHARED 99\n",
    });
    const pre = await compileUnit(build, await withCommand(build, DOTTED));
    const post = await compileUnit(build, await withCommand(build, DOTTED), { shadow: patched });
    await patched.dispose();
    expect(post.object).not.toEqual(pre.object);
  });

  test("with what the patched header brings, though the unpatched one is read first, and does not do", async () => {
    const patched = await shadowWithPatch(build.tree, {
      patch: `--- a/kernel/shared.h
+++ b/kernel/shared.h
@@ -1 +1,2 @@
 #define SHARED 3
+#define MORE 9
--- a/net/dotted.c
+++ b/net/dotted.c
@@ -1,2 +1,2 @@
 #include "../kernel/deep/deep.h"
-int dotted(void) { return DEEP; }
+int dotted(void) { return DEEP + MORE; }
`,
    });
    const pre = await compileUnit(build, await withCommand(build, DOTTED));
    const post = await compileUnit(build, await withCommand(build, DOTTED), { shadow: patched });
    await patched.dispose();
    expect(post.object).not.toEqual(pre.object);
  });

  test("or refused with the compiler's words and the tree's own path", async () => {
    const patched = await shadowWithPatch(build.tree, {
      patch: "--- a/drivers/mod.c\n+++ b/drivers/mod.c\n@@ -1 +1 @@\n-int mod(void) { return 5; }\n+int mod(void) { return five; }\n",
    });
    const unit: Unit = { path: "drivers/mod.o", source: "drivers/mod.c", target: "mod" };
    await expect(compileUnit(build, await withCommand(build, unit), { shadow: patched })).rejects.toMatchObject({
      code: "does-not-compile",
      message: expect.stringMatching(
        /^drivers\/mod\.o does not compile with the patch:\ndrivers\/mod\.c: .*\ndrivers\/mod\.c:1:24: .*five/,
      ) as string,
    });
    await patched.dispose();
  });
});
