import { collect } from "../../../support/collect-events.js";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { unifiedDiff } from "../../../../src/kbuild/change/diff-texts.js";
import { shadowWithPatch } from "../../../../src/kbuild/change/patch-tree.js";
import { UnitIndex } from "../../../../src/kbuild/compile/unit-index.js";
import { findUnits } from "../../../../src/kbuild/reach/find-units.js";
import { changesOnlyLists } from "../../../../src/kbuild/reach/makefile-lines.js";
import type { PreparedBuild } from "../../../../src/kbuild/types.js";
import { fakeBuild, writeFakeKernel } from "../../../support/fake-tree-source.js";
import { temporaryDirectory } from "../../../support/temp-dir.js";

const source = temporaryDirectory();
const cacheDir = temporaryDirectory();
let build: PreparedBuild;
beforeAll(() => {
  writeFakeKernel(source);
  mkdirSync(join(cacheDir, "out/include/config"), { recursive: true });
  mkdirSync(join(cacheDir, "tmp"));
  writeFileSync(join(cacheDir, "out/include/config/auto.conf"), "CONFIG_NET=y\n");
  writeFileSync(join(cacheDir, "out/configured"), `${source}\n`);
  build = fakeBuild(source, cacheDir);
});

const C_CHANGE = "--- a/drivers/mod.c\n+++ b/drivers/mod.c\n@@ -1 +1 @@\n-int mod(void) { return 5; }\n+int mod(void) { return 6; }\n";

/** The units of a change of a file by itself, or together with one of a C file; what is noted goes into `notes`. */
async function units(file: string, was: string, is: string, { alone = false, notes = [] as string[], more = "" } = {}): Promise<string[]> {
  const pre = readFileSync(join(source, file), "utf8");
  expect(pre).toContain(was);
  const patch = (await unifiedDiff(file, pre, pre.replace(was, is))) + (alone ? "" : C_CHANGE) + more;
  const patched = await shadowWithPatch(build.tree, { patch });
  try {
    return (await findUnits(build, patched.touched, { patched, tell: collect(notes) })).map(({ path }) => path);
  } finally {
    await patched.dispose();
  }
}

describe("a makefile or Kconfig file that is touched", () => {
  test.each<[name: string, file: string, was: string, is: string]>([
    ["a comment", "net/Makefile", "# what", "# all that"],
    ["a list that says the same in another way", "net/Makefile", "obj-y := listed.o", "obj-y :=\nobj-y += listed.o"],
    ["an object of another configuration", "net/Makefile", "obj-y := listed.o", "obj-y := listed.o\nobj-$(CONFIG_UNSET) += unlisted.o"],
    ["the help of an option", "net/Kconfig", "help\n", "help\n  More.\n"],
  ])("%s means nothing", async (_, file, was, is) => {
    const notes: string[] = [];
    expect(await units(file, was, is, { notes })).toEqual(["drivers/mod.o"]);
    expect(notes).toEqual([`${file} is left out: with it, too, every object is made as it is now`]);
    await expect(units(file, was, is, { alone: true })).rejects.toMatchObject({ code: "nothing-to-compile", exitCode: 66 });
    expect(readdirSync(join(cacheDir, "tmp")).filter((name) => name.startsWith("rules-"))).toEqual([]);
    expect(readFileSync(join(build.outDir, "include/config/auto.conf"), "utf8")).toBe("CONFIG_NET=y\n");
  });

  test.each<[name: string, file: string, was: string, is: string, code: string, words: RegExp]>([
    ["a new object", "net/Makefile", "listed.o\n", "listed.o unlisted.o\n", "makefile", /net\/Makefile: net\/unlisted\.o is made anew/],
    ["an object less", "net/Makefile", "obj-y := listed.o", "obj-y :=", "makefile", /net\/listed\.o is made no more/],
    [
      "a flag for an object that kbuild makes with the whole tree only",
      "lib/Makefile",
      "-DAGAIN",
      "-DAGAIN=2",
      "makefile",
      /lib\/again\.o is made by another command/,
    ],
    [
      "a flag for a directory that kbuild goes into on a way of its own",
      "drivers/firmware/efi/libstub/Makefile",
      "-DSTUB",
      "-DSTUB=2",
      "makefile",
      /libstub\/stub\.o is made by another command/,
    ],
    [
      "a flag for an image that kbuild makes otherwise",
      "arch/x86/boot/compressed/Makefile",
      "-DMISC",
      "-DMISC=2",
      "not-kernel-text",
      /boot\/compressed\/Makefile/,
    ],
    ["a flag", "net/Makefile", "-DLISTED", "-DLISTED=2", "makefile", /net\/listed\.o is made by another command/],
    [
      "a recipe",
      "net/Makefile",
      "\t./tool",
      "\t./other",
      "makefile",
      /by more than lists of objects and flags for compiling them: \.\/tool/,
    ],
    ["an option", "net/Kconfig", "CONFIG_NET=y", "CONFIG_NET=m", "kconfig", /net\/Kconfig \(CONFIG_\S+: y, with the patch m\)/],
    ["a new option", "net/Kconfig", "help\n", "config CONFIG_MORE=y\n", "kconfig", /unset, with the patch y/],
  ])("%s is refused", async (_, file, was, is, code, words) => {
    await expect(units(file, was, is)).rejects.toMatchObject({ code, message: expect.stringMatching(words) as string });
  });
});

describe("a new object", () => {
  const NEW_FILE = "--- /dev/null\n+++ b/net/fresh.c\n@@ -0,0 +1 @@\n+int fresh(void) { return 1; }\n";

  test("of a C file that the patch brings comes with the update", async () => {
    const notes: string[] = [];
    const found = await units("net/Makefile", "listed.o\n", "listed.o fresh.o\n", { notes, more: NEW_FILE });
    expect(found).toEqual(["drivers/mod.o", "net/fresh.o"]);
    expect(notes).toEqual(["net/Makefile is left out: with it, too, every object is made as it is now, and net/fresh.o besides"]);
  });

  test.each<[name: string, is: string]>([
    ["and one of a file that was there", "listed.o fresh.o unlisted.o\n"],
    ["in place of another", "fresh.o\n"],
  ])("%s is refused", async (_, is) => {
    await expect(units("net/Makefile", "listed.o\n", is, { more: NEW_FILE })).rejects.toMatchObject({ code: "makefile" });
  });
});

test("what kbuild has made since it was asked first is made as it was", async () => {
  expect(await units("net/Makefile", "# what", "# all that")).toEqual(["drivers/mod.o"]);
  const made = join(build.outDir, "lib/shipped.h");
  mkdirSync(dirname(made), { recursive: true });
  writeFileSync(made, "#define SHIPPED 1\n");
  try {
    expect(await units("net/Makefile", "# what", "# all that")).toEqual(["drivers/mod.o"]);
    await expect(units("net/Makefile", "obj-y := listed.o", "obj-y :=")).rejects.toMatchObject({
      message: expect.stringMatching(/net\/Makefile: net\/listed\.o is made no more$/m) as string,
    });
  } finally {
    rmSync(made);
  }
});

test.each<[makefiles: string[], directories: string[] | undefined]>([
  [["net/Makefile"], ["net"]],
  [["drivers/Makefile", "drivers/gpu/Makefile"], ["drivers"]],
  [
    ["drivers/gpu/Makefile", "net/Makefile"],
    ["drivers/gpu", "net"],
  ],
  // Another one includes it.
  [["drivers/display/Makefile"], ["drivers/gpu"]],
  [["Makefile", "net/Makefile"], undefined],
  [["arch/x86/Makefile"], undefined],
  [["net/Makefile.flags"], undefined],
  [["scripts/Makefile"], undefined],
  [["nowhere/Makefile"], undefined],
])("kbuild is asked for what %j decides about in %j", async (makefiles, directories) => {
  expect(await (await UnitIndex.of(build)).directoriesOf(makefiles, build.tree)).toEqual(directories);
});

test.each<[line: string, isHarmless: boolean]>([
  ["obj-$(CONFIG_X) += x.o", true],
  ["x-objs := a.o \\\n\t b.o", true],
  ["ccflags-y += -I$(srctree)/$(src)", true],
  ["CFLAGS_REMOVE_x.o = -pg", true],
  ["ifdef CONFIG_X", true],
  ["hostprogs-y := gen", false],
  ["ldflags-y += -T x.lds", false],
  ["targets += x.h", false],
  ["obj-y += $(shell ls)", false],
  ["quiet_cmd_gen = GEN $@", false],
  ["x.o: x.h", false],
  ["\tgen > $@", false],
  ["include other.mk", false],
])("%j: %j", (line, isHarmless) => {
  expect(changesOnlyLists("", line) === undefined).toBe(isHarmless);
  expect(changesOnlyLists(line, "") === undefined).toBe(isHarmless);
});
