import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openKernelTree } from "../../../src/tree/open-tree.js";
import { prepareBuild } from "../../../src/kbuild/prepare-build.js";
import { temporaryDirectory, writeFiles } from "../../support/temp-dir.js";

const TREE = {
  Makefile: "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 7\nEXTRAVERSION =\n",
  "scripts/Makefile.build": "",
};
const CONFIG = '# Linux/x86 6.1.7 Kernel Configuration\nCONFIG_CC_VERSION_TEXT="gcc-3 (Other 3.4) 3.4"\n';
const BUILD = {
  "ksplice/build/include/generated/utsrelease.h": '#define UTS_RELEASE "6.1.0-1-test"\n',
  "ksplice/build/include/config/auto.conf": "",
  "ksplice/build/Module.symvers": "",
};

const treeOf = (files: Readonly<Record<string, string>>): string => {
  const top = temporaryDirectory();
  writeFiles(top, files);
  return top;
};

describe("a tree", () => {
  test("is opened with what its configuration directory holds", async () => {
    const top = treeOf({ ...TREE, ...BUILD, "ksplice/.config": CONFIG, "ksplice/System.map": "", "ksplice/flags": "O=/out V=1\n" });
    expect(await openKernelTree(top)).toEqual({
      source: top,
      original: top,
      configDir: join(top, "ksplice"),
      configFile: join(top, "ksplice/.config"),
      symbolsFile: join(top, "ksplice/System.map"),
      buildDir: join(top, "ksplice/build"),
      makeFlags: ["O=/out", "V=1"],
    });
  });

  test.each<[what: string, top: string, code: string]>([
    ["that does not exist", "/nonexistent/tree", "no-such-tree"],
    ["that is something else", treeOf({ Makefile: "all:\n" }), "not-a-kernel-tree"],
    ["without a configuration directory", treeOf(TREE), "no-config-directory"],
    ["without a configuration", treeOf({ ...TREE, ...BUILD }), "no-config"],
  ])("%s is refused", async (_, top, code) => {
    await expect(openKernelTree(top)).rejects.toMatchObject({ code });
  });
});

describe("a build is not prepared", () => {
  test.each<[what: string, files: Readonly<Record<string, string>>, code: string]>([
    ["without headers", { "ksplice/.config": CONFIG }, "no-build-directory"],
    ["with another compiler", { ...BUILD, "ksplice/.config": CONFIG }, "other-compiler"],
    ["with a source of another version", { ...BUILD, "ksplice/.config": CONFIG.replace("6.1.7", "6.1.8") }, "other-source-version"],
    ["in a tree that was built in", { ...BUILD, "ksplice/.config": CONFIG, ".config": CONFIG }, "tree-not-clean"],
  ])("%s", async (_, files, code) => {
    const tree = await openKernelTree(treeOf({ ...TREE, ...files }));
    await expect(prepareBuild(tree, { cacheDir: temporaryDirectory() })).rejects.toMatchObject({ code });
  });
});
