import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { prepareModule, type PreparedModule, type PrepareModuleRequest } from "../../../../src/distro/external/prepare-module.js";
import { shadowWithPatch } from "../../../../src/kbuild/change/patch-tree.js";
import { openKernelTree } from "../../../../src/tree/open-tree.js";
import { compileBytes, GCC } from "../../../support/compile-object.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

/** A module's file, as far as it says what it is. */
function moduleFile(entries: string, file = "/build/greeter/lib/words.c"): Uint8Array {
  const source = `const char info[] __attribute__((section(".modinfo"), used)) = "${entries}"; const char *file(void) { return "${file}"; }`;
  return compileBytes(source, GCC ?? "gcc", ["-O2"]);
}

const INFO = "license=GPL\\0name=my-greeter\\0vermagic=6.1.7-mine SMP mod_unload";

let kernel = "";
let module = "";
let work = "";

beforeEach(() => {
  kernel = temporaryDirectory();
  module = temporaryDirectory();
  work = temporaryDirectory();
  writeFiles(kernel, {
    Makefile: "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 7\nEXTRAVERSION =\n",
    "scripts/Makefile.build": "",
    "net/raw.c": "int raw;\n",
    "ksplice/.config": "CONFIG_MODULES=y\n",
    "ksplice/kernel.json": JSON.stringify({ distribution: "debian", release: "6.1.7-mine", version: "6.1.7-1", packages: ["a.deb"] }),
    "ksplice/build/include/generated/utsrelease.h": '#define UTS_RELEASE "6.1.7-mine"\n',
    "ksplice/image/boot/vmlinuz-6.1.7-mine": "image",
    "ksplice/image/lib/modules/6.1.7-mine/kernel/net/other.ko": "other",
    "ksplice/image/lib/modules/6.1.7-mine/modules.order": "kernel/net/other.ko\n",
  });
  writeFiles(module, {
    Makefile: "obj-m := greeter.o\n",
    "lib/words.c": "int words;\n",
    "lib/words.o": "built",
    ".words.o.cmd": "built",
    "greeter.mod.c": "built",
    "Module.symvers": "built",
    ".git/HEAD": "ref",
  });
  writeFileSync(join(module, "greeter.ko"), moduleFile(INFO));
});

async function prepare(more: Partial<PrepareModuleRequest> = {}): Promise<PreparedModule> {
  return await prepareModule({ module, kernelSource: kernel, dir: join(work, "tree"), cacheDir: join(work, "cache"), ...more });
}

describe("a module that is no part of the kernel", () => {
  it("gets a tree of links to the kernel's, with a copy of its source, but for what was built there, and its file", async () => {
    const prepared = await prepare();
    expect(prepared).toEqual({
      ...{ distribution: "debian", release: "6.1.7-mine", version: "6.1.7-1", packages: ["a.deb"] },
      module: { name: "my_greeter", directory: "extra/my_greeter", builtIn: "/build/greeter" },
    });
    const top = join(work, "tree");
    expect(readdirSync(join(top, "extra/my_greeter"), { recursive: true, encoding: "utf8" }).sort()).toEqual([
      "Makefile",
      "lib",
      "lib/words.c",
    ]);
    expect(lstatSync(join(top, "net")).isSymbolicLink()).toBe(true);
    const modules = join(top, "ksplice/image/lib/modules/6.1.7-mine");
    expect(readdirSync(join(modules, "updates"))).toEqual(["greeter.ko"]);
    expect(readFileSync(join(modules, "kernel/net/other.ko"), "utf8")).toBe("other");
    const tree = await openKernelTree(top);
    expect(tree).toMatchObject({ external: prepared.module, buildDir: join(top, "ksplice/build") });
    expect(existsSync(join(kernel, "extra"))).toBe(false);
  });

  it("gets it anew in the same place, of what its source is then", async () => {
    await prepare();
    writeFiles(module, { "lib/words.c": "int other;\n" });
    await prepare();
    expect(readFileSync(join(work, "tree/extra/my_greeter/lib/words.c"), "utf8")).toBe("int other;\n");
  });

  it("keeps links: inside its source to the copy's files, elsewhere to where they led; a loop or one that leads nowhere stops nothing", async () => {
    mkdirSync(join(work, "outside"));
    symlinkSync("lib", join(module, "alias"));
    symlinkSync(join(module, "lib/words.c"), join(module, "lib/again.c"));
    symlinkSync(".", join(module, "loop"));
    symlinkSync(join(work, "outside"), join(module, "build"));
    symlinkSync("gone", join(module, "nowhere"));
    await prepare();
    const copy = join(work, "tree/extra/my_greeter");
    const led = ["alias", "lib/again.c", "loop", "build", "nowhere"].map((path) => readlinkSync(join(copy, path)));
    expect(led).toEqual(["lib", "words.c", ".", join(work, "outside"), "gone"]);
  });

  it("gets it beside its own files, twice", async () => {
    const dir = join(module, "tree");
    await prepare({ dir });
    await prepare({ dir });
    expect(readdirSync(join(dir, "extra/my_greeter")).sort()).toEqual(["Makefile", "lib"]);
  });

  it("is patched by names as its own source has them", async () => {
    await prepare();
    const tree = await openKernelTree(join(work, "tree"));
    const patch = "--- a/lib/words.c\n+++ b/lib/words.c\n@@ -1 +1 @@\n-int words;\n+int more;\n";
    const patched = await shadowWithPatch(tree, { patch });
    try {
      expect(patched.touched).toEqual(["extra/my_greeter/lib/words.c"]);
      expect(patched.patch).toContain("+++ b/extra/my_greeter/lib/words.c");
      // So an update's own patch, which names it from the top, applies where it is held.
      expect(readFileSync(join(patched.root, "extra/my_greeter/lib/words.c"), "utf8")).toContain("int more;");
    } finally {
      await patched.dispose();
    }
  });

  it("a patch of the kernel is refused, with the reason", async () => {
    await prepare();
    const tree = await openKernelTree(join(work, "tree"));
    const patch = "--- a/net/raw.c\n+++ b/net/raw.c\n@@ -1 +1 @@\n-int raw;\n+int more;\n";
    await expect(shadowWithPatch(tree, { patch })).rejects.toMatchObject({
      code: "patch-does-not-apply",
      hint: expect.stringContaining("this is the tree of the module my_greeter") as string,
    });
  });

  it.each([
    ["no source", "no-module-source", () => ({ module: work })],
    ["no file", "no-such-module", () => ({ ko: join(work, "none.ko") })],
    ["a file that is of another kernel", "other-kernel", () => written(moduleFile(INFO.replace("6.1.7", "6.1.8")))],
    ["a file that does not say what it is", "not-a-module", () => written(moduleFile("license=GPL"))],
    ["a directory with something else in it", "directory-in-use", () => ({ dir: kernel })],
  ])("is refused with %s, and nothing is left", async (_, code, request) => {
    await expect(prepare(request())).rejects.toMatchObject({ code });
    expect(readdirSync(work).filter((name) => name !== "cache" && name !== "given.ko")).toEqual([]);
  });

  it("is refused where its source has several files, or the tree is one of a module", async () => {
    await prepare();
    await expect(prepare({ kernelSource: join(work, "tree"), dir: join(work, "other") })).rejects.toMatchObject({
      code: "not-a-kernel-tree",
    });
    writeFileSync(join(module, "second.ko"), "");
    await expect(prepare()).rejects.toMatchObject({
      code: "no-such-module",
      message: expect.stringContaining("greeter.ko, second.ko") as string,
    });
  });

  function written(bytes: Uint8Array): { ko: string } {
    mkdirSync(work, { recursive: true });
    writeFileSync(join(work, "given.ko"), bytes);
    return { ko: join(work, "given.ko") };
  }
});
