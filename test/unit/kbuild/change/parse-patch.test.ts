import { describe, expect, test } from "vitest";
import { Refusal } from "../../../../src/diagnostics.js";
import { findStrip, parsePatchedFiles } from "../../../../src/kbuild/change/parse-patch.js";

const names = (patch: string, strip = 1): string[][] => parsePatchedFiles(patch, strip).map((file) => [...file.names]);

describe("the files that a patch touches", () => {
  test("of a unified diff with a time stamp", () => {
    expect(names("--- a/net/x.c\t2026-01-01\n+++ b/net/x.c\t2026-01-02\n@@ -1 +1 @@\n-a\n+b\n")).toEqual([["net/x.c"]]);
  });

  test("a line of a hunk that looks like a header is none", () => {
    expect(names("--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,2 @@\n--- a/y.c\n+++ b/y.c\n c\n--- a/z.c\n+++ b/z.c\n@@ -1 +1 @@\n-a\n+b\n")).toEqual([
      ["x.c"],
      ["z.c"],
    ]);
  });

  test("added, deleted and renamed, as git says it", () => {
    expect(
      names(
        "diff --git a/n.c b/n.c\nnew file mode 100644\n--- /dev/null\n+++ b/n.c\n@@ -0,0 +1 @@\n+x\n" +
          "diff --git a/d.c b/d.c\ndeleted file mode 100644\n--- a/d.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n" +
          "diff --git a/o.c b/p.c\nsimilarity index 100%\nrename from o.c\nrename to p.c\n",
      ),
    ).toEqual([["n.c"], ["d.c"], ["o.c", "p.c"]]);
  });

  test("of a context diff", () => {
    expect(names("*** a/x.c\n--- b/x.c\n***************\n*** 1,2 ****\n! a\n  b\n--- 1,2 ----\n! c\n  b\n")).toEqual([["x.c"]]);
  });

  test("none in text that is no patch", () => {
    expect(names("hello\nworld\n")).toEqual([]);
  });

  test.each(["../x.c", "a/../../x.c", "a"])("%s is refused", (path) => {
    expect(() => parsePatchedFiles(`--- ${path}\n+++ ${path}\n`, 1)).toThrow(Refusal);
  });

  test("an absolute path is refused where nothing is stripped", () => {
    expect(() => parsePatchedFiles("--- /etc/passwd\n+++ /etc/passwd\n", 0)).toThrow(/\/etc\/passwd/);
  });
});

test("the hunks of a unified diff, with the newlines of their lines", () => {
  const patch =
    "--- a/x.c\n+++ b/x.c\n@@ -3,3 +4,2 @@ f()\n a\n-b\n\n@@ -9 +9 @@\n-c\n\\ No newline at end of file\n+d\n\\ No newline at end of file\n";
  expect(parsePatchedFiles(patch, 1)).toEqual([
    {
      names: ["x.c"],
      hunks: [
        { oldStart: 3, newStart: 4, old: ["a\n", "b\n", "\n"], new: ["a\n", "\n"] },
        { oldStart: 9, newStart: 9, old: ["c"], new: ["d"] },
      ],
    },
  ]);
  expect(parsePatchedFiles("*** a/x.c\n--- b/x.c\n***************\n*** 1 ****\n! a\n--- 1 ----\n! c\n", 1)[0]?.hunks).toBeUndefined();
});

test.each([
  [[], 1],
  [["-p0"], 0],
  [["-l", "-p", "2"], 2],
  [["--strip=3"], 3],
])("%j strips %d components", (options, strip) => {
  expect(findStrip(options)).toBe(strip);
});
