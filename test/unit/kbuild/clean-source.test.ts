import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { shadowWithPatch } from "../../../src/kbuild/change/patch-tree.js";
import { withoutBuild } from "../../../src/kbuild/clean-source.js";
import { IncludeGraph } from "../../../src/kbuild/reach/include-graph.js";
import type { KernelTree } from "../../../src/tree/kernel-tree.js";
import { fakeTree } from "../../support/fake-tree-source.js";
import { temporaryDirectory, writeFiles } from "../../support/temp-dir.js";

let source = "";
let cacheDir = "";

/** As if nobody had been there for an hour: what has just changed is looked at again anyway. */
function grow(): void {
  const before = new Date(Date.now() - 3_600_000);
  for (const path of ["", ...readdirSync(source, { recursive: true, encoding: "utf8" })]) {
    const full = join(source, path);
    if (lstatSync(full).isDirectory()) utimesSync(full, before, before);
  }
}

beforeEach(() => {
  source = temporaryDirectory();
  cacheDir = temporaryDirectory();
  writeFiles(source, {
    ".gitignore": ".*\n*.o\n/vmlinux\n/include/generated/\n!.gitignore\n/*\n",
    "lib/.gitignore": "/table.h\n!kept.o\n",
    Makefile: "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 7\n",
    "net/raw.c": '#include "../include/x.h"\nint raw;\n',
    "net/RAW.O": "not an object\n",
    "include/x.h": "#define X 1\n",
    "lib/kept.o": "\n",
    "lib/crc.c": "int crc;\n",
    // What a build leaves.
    ".config": "CONFIG_NET=y\n",
    vmlinux: "\n",
    "net/raw.o": "\n",
    "net/.raw.o.cmd": "\n",
    "lib/table.h": "\n",
    "include/generated/utsrelease.h": "\n",
    "include/config/auto.conf": "\n",
    "arch/x86/include/generated/asm/x.h": "\n",
    "arch/x86/x.c": "int x;\n",
    "ksplice/.config": "\n",
  });
  symlinkSync("../net/raw.c", join(source, "lib/raw-link.c"));
});

const viewOf = async (): Promise<KernelTree> => await withoutBuild(fakeTree(source), cacheDir);
const files = (top: string): string[] =>
  readdirSync(top, { recursive: true, encoding: "utf8" })
    .filter((path) => !lstatSync(join(top, path)).isDirectory())
    .sort();

describe("a tree that was built in", () => {
  test("is seen without what the build has made, in real directories; nothing is written to it", async () => {
    const before = files(source);
    const tree = await viewOf();
    expect(tree.original).toBe(source);
    expect(files(tree.source)).toEqual([
      ".gitignore",
      "Makefile",
      "arch/x86/x.c",
      "include/x.h",
      "lib/.gitignore",
      "lib/crc.c",
      "lib/kept.o",
      "lib/raw-link.c",
      "net/RAW.O",
      "net/raw.c",
    ]);
    expect(lstatSync(join(tree.source, "net")).isDirectory()).toBe(true);
    expect(readFileSync(join(tree.source, "lib/raw-link.c"), "utf8")).toContain("int raw;");
    expect(files(source)).toEqual(before);
  });

  test("is followed: what comes, goes, and what rules of it say", async () => {
    grow();
    const { source: view } = await viewOf();
    writeFiles(source, { "net/new/new.c": "int new_one;\n", "lib/.gitignore": "/table.h\n/crc.c\n", "net/raw.c": "int other;\n" });
    rmSync(join(source, "include/x.h"));
    expect((await viewOf()).source).toBe(view);
    expect(readFileSync(join(view, "net/new/new.c"), "utf8")).toBe("int new_one;\n");
    expect(readFileSync(join(view, "net/raw.c"), "utf8")).toBe("int other;\n");
    for (const gone of ["include/x.h", "lib/crc.c", "lib/kept.o"]) expect(existsSync(join(view, gone))).toBe(false);
  });

  test("is not read anew where nothing came or went", async () => {
    grow();
    const said: string[] = [];
    await withoutBuild(fakeTree(source), cacheDir, (message) => said.push(message));
    await withoutBuild(fakeTree(source), cacheDir, (message) => said.push(message));
    expect(said).toHaveLength(1);
    mkdirSync(join(source, "net/empty"));
    await withoutBuild(fakeTree(source), cacheDir, (message) => said.push(message));
    expect(said).toHaveLength(2);
  });

  test("is seen whole once a reading of it was interrupted", async () => {
    grow();
    const { source: view } = await viewOf();
    const stateFile = join(view, "../state.json");
    const state = JSON.parse(readFileSync(stateFile, "utf8")) as { files: string[] };
    writeFileSync(stateFile, JSON.stringify({ isWhole: false, files: [...state.files, "net/half.c"], directories: {} }));
    symlinkSync(join(source, "net/half.c"), join(view, "net/half.c"));
    rmSync(join(view, "net/raw.c"));
    await viewOf();
    expect(files(view)).toEqual(state.files);
  });

  test("whose own rules are gone is refused: it cannot be told what the build has made", async () => {
    rmSync(join(source, ".gitignore"));
    await expect(viewOf()).rejects.toMatchObject({ code: "tree-not-clean" });
  });

  test("is read through its links by those who look for text, and changed in a shadow", async () => {
    const tree = await viewOf();
    const graph = await IncludeGraph.ofTree(tree.source);
    expect([...graph.directories].sort()).toEqual(["arch/x86", "include", "lib", "net"]);
    const patched = await shadowWithPatch(tree, {
      patch: "--- a/include/x.h\n+++ b/include/x.h\n@@ -1 +1 @@\n-#define X 1\n+#define X 2\n",
    });
    try {
      // Through the link to the directory that the unit is in, its header is the view's own, and so that of the user's tree.
      expect(await patched.shadow.findAstray([join(patched.root, "net/../include/x.h")])).toEqual([]);
      expect(await patched.shadow.findAstray([join(tree.source, "include/x.h")])).toHaveLength(1);
      await patched.shadow.makeReal("net");
      expect(readFileSync(join(patched.root, "include/x.h"), "utf8")).toBe("#define X 2\n");
    } finally {
      await patched.dispose();
    }
  });
});

test("a tree that was not is taken as it is", async () => {
  for (const path of [".config", "include/config", "arch/x86/include/generated"]) rmSync(join(source, path), { recursive: true });
  expect(await viewOf()).toEqual(fakeTree(source));
  expect(existsSync(join(cacheDir, "views"))).toBe(false);
});
