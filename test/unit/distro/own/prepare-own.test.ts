import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { prepareOwnKernel } from "../../../../src/distro/own/prepare-own.js";
import { openKernelTree } from "../../../../src/tree/open-tree.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

const GCC = execFileSync("gcc", ["--version"], { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } }).split("\n")[0] ?? "";
const OPTIONS = `CONFIG_CC_VERSION_TEXT="${GCC}"\nCONFIG_NET=y\n${["MODULES", "PROC_FS", "SYSFS", "KALLSYMS", "PROC_KCORE"].map((name) => `CONFIG_${name}=y\n`).join("")}`;

/** Not those behind its link to the source. */
const filesOf = (top: string): string[] =>
  readdirSync(top, { recursive: true, encoding: "utf8" }).filter((path) => !path.startsWith("source/"));

let source = "";
let build = "";

beforeEach(() => {
  source = temporaryDirectory();
  build = temporaryDirectory();
  writeFiles(source, {
    Makefile: "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 7\nEXTRAVERSION =\n",
    ".gitignore": "*.o\n",
    "scripts/Makefile.build": "",
    "net/raw.c": "int raw;\n",
  });
  writeFiles(build, {
    ".config": `# Linux/x86 6.1.7 Kernel Configuration\n${OPTIONS}`,
    "include/config/auto.conf": OPTIONS,
    "include/generated/utsrelease.h": '#define UTS_RELEASE "6.1.7-mine"\n',
    "include/generated/compile.h": '#define LINUX_COMPILE_BY "me"\n',
    vmlinux: "",
    "System.map": "ffffffff81000000 T _text\n",
    "Module.symvers": "",
    "arch/x86/boot/bzImage": "image",
    "modules.order": "drivers/net/dummy.ko\nkernel/drivers/net/older.ko\ndrivers/net/newer.o\n",
    "modules.builtin": "kernel/net/ipv4/ip.ko\n",
    ...Object.fromEntries(["dummy", "older", "newer"].map((name) => [`drivers/net/${name}.ko`, name])),
  });
  symlinkSync(source, join(build, "source"));
  const before = new Date(Date.now() - 60_000);
  utimesSync(join(source, "net/raw.c"), before, before);
});

describe("a kernel that was built in a directory of its own", () => {
  test("is described beside its source, by copies", async () => {
    const had = filesOf(build);
    const prepared = await prepareOwnKernel({ build });
    expect(prepared).toEqual({
      distribution: "own",
      release: "6.1.7-mine",
      version: "6.1.7",
      packages: [],
      source,
      configDir: join(source, "ksplice"),
      changed: [],
    });
    expect(filesOf(build)).toEqual(had);
    const tree = await openKernelTree(source);
    expect(tree.buildDir).toBe(join(source, "ksplice/build"));
    expect(readFileSync(join(tree.configDir, "image/boot/vmlinuz-6.1.7-mine"), "utf8")).toBe("image");
    const modules = join(tree.configDir, "image/lib/modules/6.1.7-mine");
    for (const name of ["dummy", "older", "newer"]) expect(readFileSync(join(modules, `kernel/drivers/net/${name}.ko`), "utf8")).toBe(name);
    expect(readFileSync(join(modules, "modules.builtin"), "utf8")).toContain("ip.ko");
  });

  test("is described anew once it was built anew, and elsewhere where that is said; flags stay", async () => {
    await prepareOwnKernel({ build });
    writeFiles(source, { "ksplice/flags": "V=1\n" });
    writeFileSync(join(build, "System.map"), "new\n");
    await prepareOwnKernel({ build });
    expect(readFileSync(join(source, "ksplice/System.map"), "utf8")).toBe("new\n");
    expect(readFileSync(join(source, "ksplice/flags"), "utf8")).toBe("V=1\n");
    const configDir = join(temporaryDirectory(), "deep/config");
    expect((await prepareOwnKernel({ build, configDir })).configDir).toBe(configDir);
  });

  test("tells which files of the source were changed since", async () => {
    const later = new Date(Date.now() + 60_000);
    utimesSync(join(source, "net/raw.c"), later, later);
    expect((await prepareOwnKernel({ build })).changed).toEqual(["net/raw.c"]);
  });

  test.each<[what: string, spoil: () => void, code: string, words: RegExp]>([
    [
      "without an image",
      () => {
        rmSync(join(build, "arch/x86/boot/bzImage"));
      },
      "build-not-finished",
      /lacks arch\/x86\/boot\/bzImage/,
    ],
    [
      "configured only",
      () => {
        for (const name of ["vmlinux", "System.map"]) rmSync(join(build, name));
      },
      "build-not-finished",
      /lacks vmlinux, System\.map/,
    ],
    [
      "without a module of its list",
      () => {
        rmSync(join(build, "drivers/net/newer.ko"));
      },
      "build-not-finished",
      /lacks drivers\/net\/newer\.ko/,
    ],
    [
      "configured otherwise since",
      () => {
        writeFileSync(join(build, ".config"), OPTIONS.replace("NET=y", "NET=m"));
      },
      "configuration-changed",
      /CONFIG_NET: y in the build, m in \.config/,
    ],
    [
      "without modules",
      () => {
        writeFileSync(join(build, ".config"), OPTIONS.replace("CONFIG_MODULES=y\n", ""));
      },
      "kernel-lacks-options",
      /^no update can be applied to this kernel:\n {2}it is built without CONFIG_MODULES: [^\n]*$/,
    ],
    [
      "without a table of its symbols, and without its memory",
      () => {
        writeFileSync(join(build, ".config"), OPTIONS.replace(/CONFIG_(?:KALLSYMS|PROC_KCORE)=y\n/g, ""));
      },
      "kernel-lacks-options",
      /CONFIG_KALLSYMS: .*\n {2}it is built without CONFIG_PROC_KCORE/,
    ],
    [
      "optimised as it was linked",
      () => {
        writeFileSync(join(build, ".config"), `${OPTIONS}CONFIG_LTO=y\nCONFIG_LTO_CLANG=y\n`);
      },
      "link-time-optimised",
      /CONFIG_LTO/,
    ],
    [
      "without its source",
      () => {
        rmSync(join(build, "source"));
      },
      "no-kernel-build",
      /no kernel has been built in/,
    ],
    [
      "by another compiler",
      () => {
        const other = OPTIONS.replace(/"gcc.*"/, '"gcc-99 (Somebody) 99.1"');
        writeFileSync(join(build, ".config"), other);
        writeFileSync(join(build, "include/config/auto.conf"), other);
      },
      "other-compiler",
      /built with gcc-99 \(Somebody\) 99\.1; here is/,
    ],
    [
      "with a directory that somebody else made",
      () => {
        writeFiles(source, { "ksplice/.config": "" });
      },
      "config-directory-in-use",
      /ksplice is there already/,
    ],
  ])("%s: refused, and nothing is left", async (_, spoil, code, words) => {
    // prettier-ignore
    spoil();
    const had = readdirSync(source, { recursive: true });
    const outcome = await prepareOwnKernel({ build }).catch((error: unknown) => error);
    expect(outcome).toMatchObject({ code, message: expect.stringMatching(words) as unknown });
    expect(readdirSync(source, { recursive: true })).toEqual(had);
  });

  test("that is none: refused", async () => {
    await expect(prepareOwnKernel({ build: "/nonexistent" })).rejects.toMatchObject({ code: "no-kernel-build" });
  });
});

test("a kernel that was built in its source is described there", async () => {
  rmSync(join(build, "source"));
  for (const name of ["Makefile", "scripts"]) symlinkSync(join(source, name), join(build, name));
  const { configDir } = await prepareOwnKernel({ build });
  expect(configDir).toBe(join(build, "ksplice"));
  expect(existsSync(join(configDir, "kernel.json"))).toBe(true);
});

test("without it, the configuration and System.map are enough in a tree that was built in", async () => {
  rmSync(join(build, "source"));
  for (const name of ["Makefile", "scripts"]) symlinkSync(join(source, name), join(build, name));
  writeFiles(build, { "ksplice/.config": OPTIONS, "ksplice/System.map": "" });
  expect((await openKernelTree(build)).buildDir).toBe(build);
});
