import { existsSync, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Refusal } from "../../../../src/diagnostics.js";
import { shadowWithPatch } from "../../../../src/kbuild/change/patch-tree.js";
import type { Change } from "../../../../src/kbuild/change/read-change.js";
import type { PatchedTree } from "../../../../src/kbuild/change/patched-tree.js";
import { fakeTree } from "../../../support/fake-tree-source.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

const source = temporaryDirectory();
const RAW = "int a;\nint b;\nint c;\nint d;\nint e;\nint f;\nint g;\n";
writeFiles(source, {
  "net/raw.c": RAW,
  "net/other.c": "int other;\n",
  "include/x.h": "#define X 1\n",
  "fs/a.c": "int fs;\n",
  "fs/twice.c": "int x;\n{\n}\nint y;\n{\n}\nint z;\n",
  "fs/a.c.new": "int fs;\nint more;\n",
  "fs/same.c": "int same;\n",
  "fs/same.c.new": "int same;\n",
});
const tree = fakeTree(source);

async function withShadow(change: Change, look: (patched: PatchedTree) => void | Promise<void>): Promise<void> {
  const patched = await shadowWithPatch(tree, change);
  try {
    await look(patched);
  } finally {
    await patched.dispose();
  }
  expect(existsSync(patched.root)).toBe(false);
  expect(readFileSync(join(source, "net/raw.c"), "utf8")).toBe(RAW);
}

async function refusalOf(change: Change): Promise<Refusal> {
  const error: unknown = await shadowWithPatch(tree, change).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Refusal);
  return error as Refusal;
}

const HUNK = "@@ -2,4 +2,5 @@\n int b;\n int c;\n+int new;\n int d;\n int e;\n";

describe("a patch", () => {
  test("changes the shadow and not the tree; numbering is restored; what it does not touch is linked", async () => {
    await withShadow({ patch: `--- a/net/raw.c\n+++ b/net/raw.c\n${HUNK}` }, (patched) => {
      expect(patched.touched).toEqual(["net/raw.c"]);
      expect(readFileSync(join(patched.root, "net/raw.c"), "utf8")).toBe(
        "int a;\nint b;\nint c;\nint new;\n#line 4\nint d;\nint e;\nint f;\nint g;\n",
      );
      expect(lstatSync(join(patched.root, "net/other.c")).isSymbolicLink()).toBe(true);
      expect(lstatSync(join(patched.root, "include")).isSymbolicLink()).toBe(true);
      expect(patched.patch).toBe(
        `--- a/net/raw.c\n+++ b/net/raw.c\n@@ -1,6 +1,7 @@\n int a;\n int b;\n int c;\n+int new;\n int d;\n int e;\n int f;\n`,
      );
    });
  });

  test("keeps every byte, whatever encoding they are of, and applies again as it is told back", async () => {
    const bytes = "int caf\xc3\xa9; /* \xe9\xff */\n";
    const patch = `--- /dev/null\n+++ b/net/bytes.c\n@@ -0,0 +1 @@\n+${bytes}`;
    await withShadow({ patch }, async (patched) => {
      expect(readFileSync(join(patched.root, "net/bytes.c"), "latin1")).toBe(bytes);
      expect(patched.patch).toContain(`+${bytes}`);
      await withShadow({ patch: patched.patch }, (again) => {
        expect(readFileSync(join(again.root, "net/bytes.c"), "latin1")).toBe(bytes);
      });
    });
  });

  test("adds, removes and renames files", async () => {
    const patch =
      "--- /dev/null\n+++ b/net/added.h\n@@ -0,0 +1 @@\n+#define Y\n" +
      "--- a/net/other.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-int other;\n" +
      "diff --git a/fs/a.c b/fs/b.c\nsimilarity index 100%\nrename from fs/a.c\nrename to fs/b.c\n";
    await withShadow({ patch }, (patched) => {
      expect(patched.added).toEqual(["fs/b.c", "net/added.h"]);
      expect(patched.removed).toEqual(["fs/a.c", "net/other.c"]);
      expect(existsSync(join(patched.root, "net/other.c"))).toBe(false);
      expect(readFileSync(join(patched.root, "fs/b.c"), "utf8")).toBe("int fs;\n");
    });
    expect(existsSync(join(source, "net/other.c"))).toBe(true);
  });

  test("takes other options in the place of -p1", async () => {
    await withShadow({ patch: `--- net/raw.c\n+++ net/raw.c\n${HUNK}`, patchOptions: ["-p0"] }, (patched) => {
      expect(patched.touched).toEqual(["net/raw.c"]);
    });
  });

  const TWICE = "--- a/fs/twice.c\n+++ b/fs/twice.c\n";

  test.each<[what: string, change: Change, notes: string[]]>([
    ["at its place", { patch: `--- a/net/raw.c\n+++ b/net/raw.c\n${HUNK}` }, []],
    [
      "further down",
      { patch: "--- a/net/raw.c\n+++ b/net/raw.c\n@@ -1 +1 @@\n-int c;\n+int h;\n@@ -6 +6 @@\n-int f;\n+int i;\n" },
      ["hunk 1 of net/raw.c applies 2 lines further down than it says"],
    ],
    [
      "further up",
      { patch: "--- a/net/raw.c\n+++ b/net/raw.c\n@@ -5,3 +5,3 @@\n int c;\n-int d;\n+int h;\n int e;\n" },
      ["hunk 1 of net/raw.c applies 2 lines further up than it says"],
    ],
    ["where it says, though it fits elsewhere too", { patch: `${TWICE}@@ -5,2 +5,3 @@\n {\n+int a;\n }\n` }, []],
    [
      "backwards",
      { patch: "--- a/net/raw.c\n+++ b/net/raw.c\n@@ -3 +1 @@\n-int h;\n+int c;\n", patchOptions: ["-p1", "-R"] },
      ["hunk 1 of net/raw.c applies 2 lines further down than it says"],
    ],
    [
      "without a newline at the end",
      { patch: "--- a/fs/a.c\n+++ b/fs/a.c\n@@ -1 +1 @@\n-int fs;\n+int fd;\n\\ No newline at end of file\n" },
      [],
    ],
    [
      "with other names, one of which is there",
      { patch: "--- net/raw.c.orig\n+++ net/raw.c\n@@ -3 +3 @@\n-int c;\n+int h;\n", patchOptions: ["-p0"] },
      [],
    ],
    [
      "renamed and changed",
      {
        patch:
          "diff --git a/net/raw.c b/net/r.c\nrename from net/raw.c\nrename to net/r.c\n--- a/net/raw.c\n+++ b/net/r.c\n@@ -3 +3 @@\n-int c;\n+int h;\n",
      },
      [],
    ],
    [
      "in two sections",
      {
        patch:
          "--- a/net/raw.c\n+++ b/net/raw.c\n@@ -1 +1,2 @@\n-int a;\n+int h;\n+int i;\n" +
          "--- a/net/raw.c\n+++ b/net/raw.c\n@@ -2 +2 @@\n-int i;\n+int j;\n",
      },
      [],
    ],
  ])("applies %s, and says where", async (_, change, notes) => {
    await withShadow(change, (patched) => {
      expect(patched.notes).toEqual(notes);
      expect(patched.touched.length).toBeGreaterThan(0);
    });
  });

  test.each<[what: string, change: Change, words: RegExp]>([
    [
      "has lines that stand at two places, at neither of which it says",
      { patch: `${TWICE}@@ -4,2 +4,3 @@\n {\n+int a;\n }\n` },
      /hunk 1 of fs\/twice\.c fits at lines 2 and 5/,
    ],
    [
      "stands behind a shifted hunk, and fits twice",
      { patch: `${TWICE}@@ -2 +2 @@\n-int x;\n+int w;\n@@ -5,2 +5,3 @@\n {\n+int a;\n }\n` },
      /hunk 2 of fs\/twice\.c fits at lines 2 and 5/,
    ],
    [
      "is a context diff that is shifted",
      { patch: "*** a/net/raw.c\n--- b/net/raw.c\n***************\n*** 4,5 ****\n! int c;\n  int d;\n--- 4,5 ----\n! int h;\n  int d;\n" },
      /cannot be told/,
    ],
    [
      "is shifted, with an option that changes what fits",
      { patch: "--- a/net/raw.c\n+++ b/net/raw.c\n@@ -1 +1 @@\n-int   c;\n+int h;\n", patchOptions: ["-p1", "-l"] },
      /cannot be told/,
    ],
    [
      "keeps silent of where it went",
      { patch: "--- a/net/raw.c\n+++ b/net/raw.c\n@@ -1 +1 @@\n-int   c;\n+int h;\n", patchOptions: ["-p1", "-ls"] },
      /cannot be told/,
    ],
  ])("that %s is refused", async (_, change, words) => {
    const refusal = await refusalOf(change);
    expect(refusal.code).toBe("ambiguous-hunk");
    expect(refusal.message).toMatch(words);
  });

  test("that changes nothing touches nothing", async () => {
    await withShadow({ patch: "--- a/net/raw.c\n+++ b/net/raw.c\n@@ -1 +1 @@\n-int a;\n+int a;\n" }, (patched) => {
      expect(patched.touched).toEqual([]);
    });
  });

  test.each<[what: string, change: Change, code: string, words: RegExp]>([
    ["missing", { patchFile: "/nonexistent/patch" }, "no-such-patch", /\/nonexistent\/patch/],
    ["empty", { patch: "\n" }, "empty-patch", /empty/],
    ["something else", { patch: "hello\n" }, "not-a-patch", /no line in it names a file/],
    ["outside", { patch: `--- a/../x.c\n+++ a/../x.c\n${HUNK}` }, "unsafe-patch-path", /\.\.\/x\.c/],
    [
      "with a failing second hunk",
      { patch: `--- a/net/raw.c\n+++ b/net/raw.c\n${HUNK}@@ -6,2 +7,2 @@\n int nonsense;\n-int g;\n+int h;\n` },
      "patch-does-not-apply",
      /Hunk #2 FAILED/,
    ],
    [
      "that fits with fuzz only",
      {
        patch:
          "--- a/net/raw.c\n+++ b/net/raw.c\n@@ -1,7 +1,8 @@\n int z;\n int b;\n int c;\n+int new;\n int d;\n int e;\n int f;\n int g;\n",
      },
      "patch-does-not-apply",
      /Hunk #1 FAILED/,
    ],
    ["for a file that is not there", { patch: `--- a/net/none.c\n+++ b/net/none.c\n${HUNK}` }, "patch-does-not-apply", /net\/none\.c/],
  ])("%s is refused", async (_, change, code, words) => {
    const refusal = await refusalOf(change);
    expect(refusal.code).toBe(code);
    expect(refusal.message).toMatch(words);
    expect(refusal.message).not.toMatch(/\/tmp\//);
  });
});

describe("files with an extension", () => {
  test("replace those without it", async () => {
    await withShadow({ diffext: ".new" }, (patched) => {
      expect(patched.touched).toEqual(["fs/a.c"]);
      expect(readFileSync(join(patched.root, "fs/a.c"), "utf8")).toContain("int more;");
      expect(patched.patch).toContain("+int more;");
    });
  });

  test("must exist", async () => {
    expect((await refusalOf({ diffext: ".none" })).code).toBe("diffext-finds-nothing");
  });
});
