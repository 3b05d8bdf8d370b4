import { withCommand } from "../../support/with-command.js";
import { describe, expect, it } from "vitest";
import { compileAll } from "../../../corpus/compile-all.js";
import { shadowWithPatch } from "../../../src/kbuild/change/patch-tree.js";
import type { Unit } from "../../../src/kbuild/types.js";
import { prepareFakeKernel } from "../../support/fake-tree-source.js";

const { build } = prepareFakeKernel();

const UNITS: Unit[] = ["net/raw", "kernel/build", "net/dotted"].map((path) => ({
  path: `${path}.o`,
  source: `${path}.c`,
  target: "vmlinux",
}));
/** Takes away what net/raw.c and net/dotted.c need; kernel/build.c needs neither. */
const PATCH =
  "--- a/net/local.h\n+++ b/net/local.h\n@@ -1 +1 @@\n-#define LOCAL 2\n+#define OTHER 2\n" +
  "--- a/kernel/shared.h\n+++ b/kernel/shared.h\n@@ -1 +1 @@\n-#define SHARED 3\n+#define OTHER 3\n";

async function failing(patch: string, most: number): Promise<(string | undefined)[]> {
  const patched = await shadowWithPatch(build.tree, { patch });
  try {
    return (await compileAll(build, await Promise.all(UNITS.map((unit) => withCommand(build, unit))), patched, most)).map(
      ({ location }) => location,
    );
  } finally {
    await patched.dispose();
  }
}

describe("units that a patch of headers comes into", () => {
  it("are all tried, and those that do not compile named", async () => {
    expect(await failing(PATCH, 8)).toEqual(["net/raw.o", "net/dotted.o"]);
  });

  it("are not tried any more where too many do not compile", async () => {
    expect(await failing(PATCH, 0)).toEqual(["net/raw.o"]);
  });

  it("all compile where the patch is complete", async () => {
    expect(await failing(PATCH.replaceAll("OTHER 2", "LOCAL 9").replaceAll("OTHER 3", "SHARED 9"), 8)).toEqual([]);
  });
});
