import { collect } from "../../support/collect-events.js";
import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { openKernelTree } from "../../../src/tree/open-tree.js";
import { prepareBuild } from "../../../src/kbuild/prepare-build.js";
import type { KernelTree } from "../../../src/tree/kernel-tree.js";
import { temporaryDirectory, writeFiles } from "../../support/temp-dir.js";

/** Writes down how it was called, and generates what the headers in `ksplice/build` are compared with. */
const MAKEFILE = `
VERSION = 6
PATCHLEVEL = 1
SUBLEVEL = 7
EXTRAVERSION =
olddefconfig prepare:
	@mkdir -p $(O)/include/config
	@echo "$@ $(KERNELRELEASE) $(KBUILD_BUILD_USER) $(DISTRIBUTOR) $(DISTRIBUTION_VERSION) $(V)" >> $(O)/calls
	@[ ! -e broken ] || { echo "something is wrong" >&2; false; }
	@cp auto.conf $(O)/include/config/auto.conf
modules_prepare: prepare
`;
const VERSION = execFileSync("gcc", ["--version"], { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } }).split("\n")[0] ?? "";
const AUTO_CONF = "CONFIG_NET=y\nCONFIG_RUSTC_VERSION=0\n";

let top = "";
let cacheDir = "";
beforeEach(() => {
  top = temporaryDirectory();
  cacheDir = temporaryDirectory();
  writeFiles(top, {
    Makefile: MAKEFILE,
    "auto.conf": AUTO_CONF.replace("VERSION=0", "VERSION=109500"),
    "scripts/Makefile.build": "",
    "ksplice/.config": `# Linux/x86 6.1.7 Kernel Configuration\nCONFIG_CC_VERSION_TEXT="x86_64-linux-gnu-gcc ${VERSION.split(" ").slice(1).join(" ")}"\n`,
    "ksplice/flags": "V=verbose O=/elsewhere\n",
    "ksplice/build/include/generated/utsrelease.h": '#define UTS_RELEASE "6.1.0-1-test"\n',
    "ksplice/build/include/generated/compile.h": '#define LINUX_COMPILE_BY "builder"\n',
    "ksplice/build/include/generated/package.h": '#define LINUX_PACKAGE_ID " Debian 6.1.7-1"\n',
    "ksplice/build/include/config/auto.conf": AUTO_CONF,
    "ksplice/build/Module.symvers": "symvers\n",
  });
});
const open = (): Promise<KernelTree> => openKernelTree(top);

describe("a build", () => {
  test("is prepared as the kernel's own was, once", async () => {
    const stages: string[] = [];
    const prepare = async (): Promise<string> =>
      (await prepareBuild(await open(), { cacheDir, tell: collect(stages, "stage"), jobs: 1 })).outDir;
    const outDir = await prepare();
    expect(await prepare()).toBe(outDir);
    expect(readFileSync(join(outDir, "calls"), "utf8")).toBe(
      "olddefconfig 6.1.0-1-test builder Debian 6.1.7-1 verbose\nprepare 6.1.0-1-test builder Debian 6.1.7-1 verbose\n",
    );
    expect(readFileSync(join(outDir, "Module.symvers"), "utf8")).toBe("symvers\n");
    expect(stages).toEqual(["preparing a build for 6.1.0-1-test, once"]);
  });

  test("that two ask for at once is prepared once", async () => {
    const tree = await open();
    const [one, two] = await Promise.all([prepareBuild(tree, { cacheDir, jobs: 1 }), prepareBuild(tree, { cacheDir, jobs: 1 })]);
    expect(one.outDir).toBe(two.outDir);
    expect(readFileSync(join(one.outDir, "calls"), "utf8").split("\n")).toHaveLength(3);
  });

  test("whose configuration is another one once it is made is refused, each time", async () => {
    writeFiles(top, { "auto.conf": "CONFIG_NET=m\nCONFIG_NEW=y\n" });
    const tree = await open();
    for (let time = 0; time < 2; time++)
      await expect(prepareBuild(tree, { cacheDir })).rejects.toMatchObject({
        code: "configuration-differs",
        message: expect.stringContaining("CONFIG_NET: y in the kernel, m here\nCONFIG_NEW: unset in the kernel, y here") as string,
      });
  });

  test("of a kernel with Rust comes out as that without its compiler, and is refused where it does not", async () => {
    const rust = [
      'CONFIG_RUSTC_VERSION_TEXT="rustc 1.85.1 (a\'b)"',
      'CONFIG_BINDGEN_VERSION_TEXT="bindgen 0.71.1"',
      "CONFIG_RUSTC_LLVM_VERSION=190107",
    ];
    const config = readFileSync(join(top, "ksplice/.config"), "utf8");
    writeFiles(top, {
      "ksplice/.config": `${config}${["CONFIG_RUST=y", ...rust].join("\n")}\n`,
      "ksplice/build/include/config/auto.conf": `${AUTO_CONF}CONFIG_RUST=y\n`,
      // As Kconfig asks: RUST depends on a compiler that says what it is, on bindgen and on the source of its library.
      Makefile: `${MAKEFILE}
	@if [ -e $(RUST_LIB_SRC)/core/src/lib.rs ]; then echo CONFIG_RUST=y >> $(O)/include/config/auto.conf; fi
	@{ $(RUSTC) --version; $(RUSTC) --version --verbose; $(BINDGEN) --version; $(BINDGEN) some.h 2>&1; echo "objects: [$(CONFIG_RUST)]"; } > $(O)/asked
`.replace(/^(modules_prepare: prepare\n)([^]*)$/m, "$2$1"),
    });
    const { outDir, makeVariables } = await prepareBuild(await open(), { cacheDir, jobs: 1 });
    expect(readFileSync(join(outDir, "asked"), "utf8").split("\n")).toEqual([
      ...["rustc 1.85.1 (a'b)", "rustc 1.85.1 (a'b)", "LLVM version: 19.1.7", "bindgen 0.71.1", "clang version 19.1.7", "objects: []", ""],
    ]);
    expect(makeVariables).toContain("CONFIG_RUST=");

    writeFiles(top, { Makefile: MAKEFILE });
    await expect(prepareBuild(await open(), { cacheDir })).rejects.toMatchObject({
      code: "configuration-differs",
      message: expect.stringContaining("CONFIG_RUST: y in the kernel, unset here") as string,
    });
  });

  test("that kbuild fails to prepare is refused with make's words", async () => {
    writeFiles(top, { broken: "" });
    await expect(prepareBuild(await open(), { cacheDir })).rejects.toMatchObject({
      code: "cannot-prepare",
      message: expect.stringContaining("something is wrong") as string,
    });
  });

  test("that was optimised as it was linked is refused: its objects are not what runs", async () => {
    const before = readFileSync(join(top, "ksplice/.config"), "utf8");
    writeFiles(top, { "ksplice/.config": `${before}CONFIG_LTO=y\nCONFIG_LTO_CLANG=y\nCONFIG_LTO_CLANG_THIN=y\n` });
    await expect(prepareBuild(await open(), { cacheDir })).rejects.toMatchObject({ code: "link-time-optimised" });
  });
});
