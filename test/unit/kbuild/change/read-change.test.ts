import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Refusal } from "../../../../src/diagnostics.js";
import { readChange, type Change } from "../../../../src/kbuild/change/read-change.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

const source = temporaryDirectory();
writeFiles(source, {
  Makefile: "VERSION = 6\n",
  "kernel/Makefile": "VERSION = 6\n",
  "net/raw.c": "int a;\nint b;\nint c;\n",
  "fs/dos.c": "int a;\r\nint b;\r\n",
  "fs/empty.c": "",
});

const patches = temporaryDirectory();
const hunk = (from: string, to: string): string => `@@ -2 +2 @@\n-int ${from};\n+int ${to};\n`;
const raw = (from: string, to: string): string => `--- a/net/raw.c\n+++ b/net/raw.c\n${hunk(from, to)}`;
writeFiles(patches, {
  "one.patch": `Subject: net: one\n\n${raw("b", "x")}`,
  "two.patch": raw("x", "y"),
  "back.patch": `--- net/raw.c\n+++ net/raw.c\n${hunk("z", "y")}`,
  series: "# what we have\none.patch\n\n  two.patch -p1 # and this\nback.patch -p0 -R\n",
  "bad/series": "one.patch --fuzz=3\n",
  "none/series": "# none\n",
  "missing/series": "three.patch\n",
});

async function outcome(change: Change): Promise<Record<string, string | undefined> | string> {
  try {
    return Object.fromEntries((await readChange(source, change)).files);
  } catch (error) {
    if (error instanceof Refusal) return `${error.code}: ${error.message}`;
    throw error;
  }
}

const RAW = { "net/raw.c": "int a;\nint z;\nint c;\n" };

describe("several patches", () => {
  test("are applied one after the other; that which says what it does describes it", async () => {
    const read = await readChange(source, { patchFile: ["one.patch", "two.patch"].map((file) => join(patches, file)) });
    expect(Object.fromEntries(read.files)).toEqual({ "net/raw.c": "int a;\nint y;\nint c;\n" });
    expect(read.description).toBe("net: one");
  });

  test("in another order: the one that does not apply is named", async () => {
    expect(await outcome({ patchFile: [join(patches, "two.patch"), join(patches, "one.patch")] })).toMatch(
      /^patch-does-not-apply: .*two\.patch does not apply/,
    );
  });

  test("of a series, with what stands behind each", async () => {
    expect(await outcome({ series: join(patches, "series") })).toEqual(RAW);
    expect(await outcome({ series: patches })).toEqual(RAW);
  });

  test.each([
    ["bad", /^bad-series-line: .*bad\/series:1: "one\.patch --fuzz=3"/],
    ["none", /^empty-series: .*none\/series names no patch/],
    ["missing", /^no-such-patch: .*missing\/three\.patch/],
    ["nowhere", /^no-series: .*nowhere/],
  ])("of a series that is %s: refused", async (name, expected) => {
    expect(await outcome({ series: join(patches, name) })).toMatch(expected);
  });
});

describe("what is stripped of names", () => {
  const named = (name: string, post = name): string => `--- ${name}\n+++ ${post}\n${hunk("b", "z")}`;
  test.each([
    ["nothing", named("net/raw.c")],
    ["one name", named("linux-6.1.orig/net/raw.c", "linux-6.1/net/raw.c")],
    ["three", named("/usr/src/net/raw.c")],
    ["four", named("/home/me/linux/net/raw.c")],
    ["with git's prefixes", named("a/net/raw.c", "b/net/raw.c")],
  ])("%s", async (_, patch) => {
    expect(await outcome({ patch })).toEqual(RAW);
  });

  test("is as it is told", async () => {
    expect(await outcome({ patch: named("x/y/net/raw.c"), strip: 2 })).toEqual(RAW);
    expect(await outcome({ patch: named("x/y/net/raw.c"), strip: 1 })).toMatch(/^patch-does-not-apply/);
  });

  const VERSION = "@@ -1 +1 @@\n-VERSION = 6\n+VERSION = 7\n";

  test("is asked for where two ways fit", async () => {
    expect(await outcome({ patch: `--- kernel/Makefile\n+++ kernel/Makefile\n${VERSION}` })).toMatch(
      /^ambiguous-strip: the patch fits the source tree with 0 and with 1 leading directories/,
    );
    expect(await outcome({ patch: `--- x/kernel/Makefile\n+++ y/kernel/Makefile\n${VERSION}` })).toMatch(
      /^ambiguous-strip: .* 1 and with 2/,
    );
    expect(await outcome({ patch: `--- a/kernel/Makefile\n+++ b/kernel/Makefile\n${VERSION}` })).toEqual({
      "kernel/Makefile": "VERSION = 7\n",
    });
  });

  test("is asked for where a patch only makes files, of which nothing is there", async () => {
    expect(await outcome({ patch: "--- /dev/null\n+++ b/linux/nothing/x.c\n@@ -0,0 +1 @@\n+int x;\n" })).toMatch(/^unknown-strip/);
    expect(await outcome({ patch: "--- /dev/null\n+++ b/net/x.c\n@@ -0,0 +1 @@\n+int x;\n" })).toEqual({ "net/x.c": "int x;\n" });
  });
});

describe("a patch", () => {
  test("with CR LF at its lines is one without; in hunks alone they are the file's own", async () => {
    expect(await outcome({ patch: raw("b", "z").replaceAll("\n", "\r\n") })).toEqual(RAW);
    const dos = "--- a/fs/dos.c\n+++ b/fs/dos.c\n@@ -2 +2 @@\n-int b;\r\n+int z;\r\n";
    expect(await outcome({ patch: dos })).toEqual({ "fs/dos.c": "int a;\r\nint z;\r\n" });
    expect(await outcome({ patch: dos.replaceAll("\r\n", "\n").replaceAll("\n", "\r\n") })).toMatch(/^patch-does-not-apply/);
  });

  test("that makes a file which is there: refused", async () => {
    const made = (file: string): Change => ({ patch: `--- /dev/null\n+++ b/${file}\n@@ -0,0 +1 @@\n+int x;\n`, strip: 1 });
    expect(await outcome(made("fs/empty.c"))).toMatch(/^file-exists: .*fs\/empty\.c/);
    expect(await outcome(made("net/raw.c"))).toMatch(/^patch-does-not-apply: .*\n.*net\/raw\.c,\nwhich already exists/);
    const moved = "diff --git a/net/raw.c b/fs/dos.c\nsimilarity index 100%\nrename from net/raw.c\nrename to fs/dos.c\n";
    expect(await outcome({ patch: moved })).toMatch(/^(?:file-exists|patch-does-not-apply)/);
  });

  test("that deletes a file of which something is left: refused", async () => {
    expect(await outcome({ patch: "--- a/net/raw.c\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-int a;\n-int b;\n" })).toMatch(
      /^(?:ambiguous-hunk|patch-does-not-apply)/,
    );
  });

  test("of modes changes nothing", async () => {
    expect(await outcome({ patch: "diff --git a/net/raw.c b/net/raw.c\nold mode 100644\nnew mode 100755\n" })).toEqual({});
  });

  test.each([
    [
      "binary",
      "diff --git a/logo b/logo\nindex 1..2 100644\nGIT binary patch\nliteral 1\nIcmZP\n",
      /^not-a-text-patch: .* binary file b\/logo/,
    ],
    ["a link", "diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+y\n", /b\/x, which is a symbolic link/],
  ])("that is %s: refused", async (_, patch, expected) => {
    expect(await outcome({ patch })).toMatch(expected);
  });

  test("that goes round what is understood of it: a script for ed is not run", async () => {
    const patch = `Index: net/raw.c\n--- a/net/raw.c\n+++ b/net/raw.c\n1d\n.\n${raw("b", "z")}`;
    expect(await outcome({ patch: `--- /dev/null\n+++ b/net/raw.c\n1a\nint evil;\n.\n!touch /tmp/ksplice-evil\n` })).toMatch(
      /^not-a-patch/,
    );
    expect(await outcome({ patch })).toEqual(RAW);
  });
});
