import { existsSync, lstatSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { shadowWithPatch } from "../../../../src/kbuild/change/patch-tree.js";
import type { KernelTree } from "../../../../src/tree/kernel-tree.js";
import { withUpdates } from "../../../../src/update/create/source-with-updates.js";
import { fakeTree } from "../../../support/fake-tree-source.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

const RAW = "int a;\nint b;\nint c;\nint d;\nint e;\nint f;\nint g;\n";
const FIRST = "--- a/net/raw.c\n+++ b/net/raw.c\n@@ -1,3 +1,4 @@\n int a;\n+int one;\n int b;\n int c;\n";
const NEW = "--- /dev/null\n+++ b/net/new.h\n@@ -0,0 +1 @@\n+int n;\n--- a/net/gone.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-int gone;\n";
const SECOND = "--- a/net/raw.c\n+++ b/net/raw.c\n@@ -1,4 +1,5 @@\n int a;\n int one;\n+int two;\n int b;\n int c;\n";

let source = "";
let cacheDir = "";

beforeEach(() => {
  source = temporaryDirectory();
  cacheDir = temporaryDirectory();
  writeFiles(source, { Makefile: "", "net/raw.c": RAW, "net/gone.c": "int gone;\n", "net/other.c": "int other;\n", "net/kept.o": "" });
});

const after = async (...patches: string[]): Promise<KernelTree> => {
  const named = patches.map((text, index) => ({ name: `update ${index + 1}`, text }));
  return await withUpdates(fakeTree(source), named, cacheDir);
};

describe("a tree with updates", () => {
  test("holds what they made, numbered as the original, in a view; the tree stays as it is", async () => {
    const tree = await after(FIRST, NEW);
    expect(readFileSync(join(tree.source, "net/raw.c"), "utf8")).toBe(
      "int a;\nint one;\n#line 2\nint b;\nint c;\nint d;\nint e;\nint f;\nint g;\n",
    );
    expect(readFileSync(join(tree.source, "net/new.h"), "utf8")).toBe("int n;\n");
    expect(existsSync(join(tree.source, "net/gone.c"))).toBe(false);
    expect(lstatSync(join(tree.source, "net/other.c")).isSymbolicLink()).toBe(true);
    expect(existsSync(join(tree.source, "net/kept.o"))).toBe(true);
    expect(readFileSync(join(source, "net/raw.c"), "utf8")).toBe(RAW);
    expect(tree.original).toBe(source);
  });

  test("is what the next patch is made against, and told as; its lines are numbered as the original's too", async () => {
    const tree = await after(FIRST);
    const patched = await shadowWithPatch(tree, { patch: SECOND });
    try {
      expect(patched.touched).toEqual(["net/raw.c"]);
      expect(readFileSync(join(patched.root, "net/raw.c"), "utf8")).toBe(
        "int a;\nint one;\nint two;\n#line 2\nint b;\nint c;\nint d;\nint e;\nint f;\nint g;\n",
      );
      expect(patched.patch).toContain(" int one;\n+int two;\n");
      expect(patched.patch).not.toContain("+int one;");
      // So that it can be told again, for the update after that.
      const third = await after(FIRST, patched.patch);
      expect(readFileSync(join(third.source, "net/raw.c"), "utf8")).toContain("int one;\nint two;\n#line 2\n");
    } finally {
      await patched.dispose();
    }
  });

  test("takes back what an update did", async () => {
    const back = "--- a/net/raw.c\n+++ b/net/raw.c\n@@ -1,4 +1,3 @@\n int a;\n-int one;\n int b;\n int c;\n";
    const patched = await shadowWithPatch(await after(FIRST), { patch: back });
    expect(patched.touched).toEqual(["net/raw.c"]);
    expect(readFileSync(join(patched.root, "net/raw.c"), "utf8")).toBe(RAW);
    await patched.dispose();
  });

  test("is the same place the next time, follows the tree, and leaves alone what is right", async () => {
    const { source: view } = await after(FIRST);
    const before = statSync(join(view, "net/raw.c")).mtimeMs;
    writeFiles(source, { "net/added.c": "int added;\n" });
    expect((await after(FIRST)).source).toBe(view);
    expect(statSync(join(view, "net/raw.c")).mtimeMs).toBe(before);
    expect(readFileSync(join(view, "net/added.c"), "utf8")).toBe("int added;\n");
    writeFileSync(join(source, "net/raw.c"), RAW.replace("int g;", "int h;"));
    await after(FIRST);
    expect(readFileSync(join(view, "net/raw.c"), "utf8")).toContain("int h;");
  });

  test("is refused where an update does not fit, by its name, or has hooks", async () => {
    await expect(after(SECOND)).rejects.toMatchObject({
      code: "patch-does-not-apply",
      message: expect.stringContaining("update 1") as unknown,
    });
    await expect(after(FIRST.replace("int one;", "#include <ksplice-patch.h>"))).rejects.toMatchObject({ code: "hooks-in-source" });
  });
});
