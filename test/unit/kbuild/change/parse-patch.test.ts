import { describe, expect, test } from "vitest";
import { Refusal } from "../../../../src/diagnostics.js";
import { hasGitPrefixes, parsePatch, stripNames } from "../../../../src/kbuild/change/parse-patch.js";
import { readPatchOptions } from "../../../../src/kbuild/change/read-change.js";

const names = (patch: string, strip = 1): string[][] => stripNames(parsePatch(patch), strip).map((file) => [...file.names]);

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
    expect(() => names(`--- ${path}\n+++ ${path}\n@@ -1 +1 @@\n-a\n+b\n`)).toThrow(Refusal);
  });

  test("an absolute path is refused where nothing is stripped", () => {
    expect(() => names("--- /etc/passwd\n+++ /etc/passwd\n@@ -1 +1 @@\n-a\n+b\n", 0)).toThrow(/\/etc\/passwd/);
  });
});

test("the hunks of a unified diff, with the newlines of their lines", () => {
  const patch =
    "--- a/x.c\n+++ b/x.c\n@@ -3,3 +4,2 @@ f()\n a\n-b\n\n@@ -9 +9 @@\n-c\n\\ No newline at end of file\n+d\n\\ No newline at end of file\n";
  expect(parsePatch(patch)).toMatchObject([
    {
      fate: "change",
      oldName: "a/x.c",
      newName: "b/x.c",
      isGit: false,
      hunks: [
        { oldStart: 3, newStart: 4, old: ["a\n", "b\n", "\n"], new: ["a\n", "\n"] },
        { oldStart: 9, newStart: 9, old: ["c"], new: ["d"] },
      ],
    },
  ]);
  expect(parsePatch("*** a/x.c\n--- b/x.c\n***************\n*** 1 ****\n! a\n--- 1 ----\n! c\n")[0]?.hunks).toBeUndefined();
});

describe("what becomes of a file", () => {
  const fates = (patch: string): unknown[] =>
    parsePatch(patch).map(({ fate, oldName, newName, notText }) => [fate, oldName, newName, notText]);
  const HUNK = "@@ -1 +1 @@\n-a\n+b\n";

  test.each<[what: string, patch: string, expected: unknown[]]>([
    ["mode only", "diff --git a/x y.c b/x y.c\nold mode 100644\nnew mode 100755\n", ["change", "a/x y.c", "b/x y.c", undefined]],
    ["empty, and new", "diff --git a/x.c b/x.c\nnew file mode 100644\nindex 000..e69\n", ["add", undefined, "b/x.c", undefined]],
    ["empty, and gone", "diff --git a/x.c b/x.c\ndeleted file mode 100644\nindex e69..000\n", ["delete", "a/x.c", undefined, undefined]],
    [
      "copied, with blanks in its names",
      "diff --git a/p q.c b/r s.c\nsimilarity index 100%\ncopy from p q.c\ncopy to r s.c\n",
      ["copy", "a/p q.c", "b/r s.c", undefined],
    ],
    [
      "renamed, with names that are quoted",
      'diff --git "a/caf\\303\\251.c" "b/t\\"\\t.c"\nrename from "caf\\303\\251.c"\nrename to "t\\"\\t.c"\n',
      ["rename", "a/café.c", 'b/t"\t.c', undefined],
    ],
    ["in a name of bytes", `--- a/caf\u00c3\u00a9.c\n+++ b/caf\u00c3\u00a9.c\n${HUNK}`, ["change", "a/café.c", "b/café.c", undefined]],
    [
      "new by its time",
      `--- a/x.c\t1970-01-01 01:00:00.000000000 +0100\n+++ b/x.c\t2026-01-01 00:00:00 +0000\n@@ -0,0 +1 @@\n+a\n`,
      ["add", undefined, "b/x.c", undefined],
    ],
    [
      "gone by its time",
      `--- a/x.c\t2026-01-01 00:00:00 +0000\n+++ b/x.c\t1970-01-01 00:00:00 +0000\n@@ -1 +0,0 @@\n-a\n`,
      ["delete", "a/x.c", undefined, undefined],
    ],
    ["binary", "diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\nliteral 1\nIcmZP\n", ["change", "a/x", "b/x", "binary"]],
    ["binary, without it", "diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n", ["change", "a/x", "b/x", "binary"]],
    [
      "a link",
      "diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+y\n",
      ["add", undefined, "b/x", "symbolic link"],
    ],
    [
      "a submodule",
      "diff --git a/x b/x\nindex 1..2 160000\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n",
      ["change", "a/x", "b/x", "submodule"],
    ],
  ])("%s", (_, patch, expected) => {
    expect(fates(patch)).toEqual([expected]);
  });

  test("a line of a message that looks like a header is none", () => {
    expect(fates(`--- a note\n+++ really\n--- a/x.c\n+++ b/x.c\n${HUNK}`)).toEqual([["change", "a/x.c", "b/x.c", undefined]]);
  });

  test("each file of a context diff", () => {
    const one = (file: string): string => `*** a/${file}\n--- b/${file}\n***************\n*** 1 ****\n! a\n--- 1 ----\n! c\n`;
    expect(names(one("x.c") + one("y.c"))).toEqual([["x.c"], ["y.c"]]);
  });
});

test.each([
  ["--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b\n", true],
  ["--- i/x.c\n+++ w/x.c\n@@ -1 +1 @@\n-a\n+b\n", true],
  ["--- /dev/null\n+++ b/x.c\n@@ -0,0 +1 @@\n+b\n", true],
  ["--- a/x.c\n+++ a/x.c\n@@ -1 +1 @@\n-a\n+b\n", false],
  ["--- x.c\n+++ x.c\n@@ -1 +1 @@\n-a\n+b\n", false],
])("whether %j has git's prefixes", (patch, expected) => {
  expect(hasGitPrefixes(parsePatch(patch))).toBe(expected);
});

test.each([
  [[], undefined, []],
  [["-p0"], 0, []],
  [["-l", "-p", "2"], 2, ["-l"]],
  [["--strip=3", "-R"], 3, ["-R"]],
])("%j strips %s components, and leaves %j", (options, strip, rest) => {
  expect(readPatchOptions(options)).toEqual({ strip, rest });
});
