import { collect } from "../../../support/collect-events.js";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findUnits } from "../../../../src/kbuild/reach/find-units.js";
import { shadowWithPatch } from "../../../../src/kbuild/change/patch-tree.js";
import { prepareFakeKernel } from "../../../support/fake-tree-source.js";

const { source, build } = prepareFakeKernel();

/** Changes a header by replacing its first line, and a C file of the kernel, so that there is something to compile. */
async function changed(file: string, first: string, notes: string[] = []): Promise<string[]> {
  const [was = ""] = readFileSync(join(source, file), "utf8").split("\n");
  const patch =
    `--- a/${file}\n+++ b/${file}\n@@ -1 +1,${first.split("\n").length} @@\n-${was}\n${first.replaceAll(/^/gm, "+")}\n` +
    "--- a/drivers/mod.c\n+++ b/drivers/mod.c\n@@ -1 +1 @@\n-int mod(void) { return 5; }\n+int mod(void) { return 6; }\n";
  const patched = await shadowWithPatch(build.tree, { patch });
  try {
    const units = await findUnits(build, patched.touched, { patched, tell: collect(notes) });
    return units.map(({ path }) => path);
  } finally {
    await patched.dispose();
  }
}

describe("what a header comes into besides C objects of the kernel", () => {
  test.each<[file: string, first: string, code: string, words: RegExp]>([
    ["include/linux/image.h", "#define IMAGE 2", "not-kernel-text", /include\/linux\/image\.h comes into arch\/x86\/entry\/vdso\/clock\.o/],
    [
      "include/linux/later.h",
      "#define LATER 2",
      "not-kernel-text",
      /include\/linux\/later\.h comes into arch\/x86\/boot\/startup\/start\.o, of which/,
    ],
    [
      "include/linux/assembly.h",
      "#define ASSEMBLY 2",
      "assembly",
      /include\/linux\/assembly\.h comes into the assembly source arch\/x86\/lib\/copy\.S/,
    ],
    ["include/linux/bounds.h", "#define BOUND 2", "generated-header", /include\/linux\/bounds\.h comes into kernel\/bounds\.c/],
    [
      "include/linux/script.h",
      "#define SCRIPT 2",
      "linker-script",
      /include\/linux\/script\.h comes into the linker script kernel\/vmlinux\.lds\.S, .* the change makes another script of it$/,
    ],
    [
      "include/linux/late.h",
      "#define LATE 1 /* one */",
      "linker-script",
      /late\.h comes into the linker script kernel\/late\.lds\.S, .* whether the change makes another script of it cannot be told/,
    ],
    ["include/linux/host.h", "#define HOST 2", "generated-header", /include\/linux\/host\.h comes into lib\/gen_table\.c/],
    ["include/linux/table.h", "#define TABLE 2", "generated-header", /include\/linux\/table\.h comes into lib\/table\.c/],
    // Of a file that its command alone does not make, nothing is known.
    ["include/linux/hidden.h", "#define HIDDEN 1\n/* one */", "generated-header", /include\/linux\/hidden\.h comes into lib\/hidden\.c/],
    ["lib/gen_table.c", "#include <linux/host.h>\nint used;", "generated-header", /lib\/gen_table\.c comes into lib\/gen_table\.c/],
    ["scripts/gen_list.c", "int main(void) { return 2; }", "generated-header", /scripts\/gen_list\.c comes into scripts\/gen_list\.c/],
  ])("%s with %j is refused", async (file, first, code, words) => {
    await expect(changed(file, first)).rejects.toMatchObject({ code, message: expect.stringMatching(words) as string });
  });

  test.each([
    ["include/linux/image.h", "#define IMAGE (0 + 1)"],
    ["include/linux/assembly.h", "#define ASSEMBLY 1 /* one */"],
    ["include/linux/bounds.h", "#define BOUND (0 + 1)"],
    ["include/linux/script.h", "#define SCRIPT 1 /* one */"],
    ["include/linux/host.h", "#define HOST (0 + 1)"],
    ["include/linux/table.h", "#define TABLE 1\n/* one */"],
    ["lib/gen_table.c", "#include <linux/host.h>\nstatic int unused;"],
    ["scripts/gen_list.c", "int main(void) { return 0 + 1; }"],
    ["scripts/mod/modpost.c", "int main(void) { return 2; }"],
  ])("%s with %j makes the same, and is let through", async (file, first) => {
    expect(await changed(file, first)).toEqual(["drivers/mod.o"]);
  });

  test.each([
    ["include/linux/stub.h", "#define STUB 2", "drivers/firmware/efi/libstub/stub.o"],
    ["include/linux/start.h", "#define START 2", "arch/x86/boot/startup/start.o"],
  ])("code that has run stays as it is, which is told: %s", async (file, first, object) => {
    const notes: string[] = [];
    expect(await changed(file, first, notes)).toEqual(["drivers/mod.o"]);
    expect(notes[0]?.startsWith(`${file} also comes into ${object}, which the kernel has left behind`)).toBe(true);
  });
});
