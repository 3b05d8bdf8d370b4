import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Tell } from "../../../../src/events.js";
import { suiteOfKernel } from "../../../../src/distro/debian/suite.js";
import { BUILD_PACKAGES } from "../../../../src/distro/debian/tool-packages.js";
import { prepareDebianKernel } from "../../../../src/distro/debian/prepare-kernel.js";
import { packageRoot } from "../../../../src/host/package-root.js";
import { couldNotEnter } from "../../../../src/host/build-root.js";
import { runTool } from "../../../../src/host/run-tool.js";
import { buildRootPath, readKernelRecord } from "../../../../src/tree/kernel-record.js";
import { TestArchive } from "../../../support/debian-archive.js";

const top = mkdtempSync(join(tmpdir(), "ksplice-other-release-"));
const archive = new TestArchive(top);
const cacheDir = join(top, "cache");
const place = { cacheDir, sources: [archive.entry] };

const COMPILER = "gcc-77 (Debian 77.1-1) 77.1";
/** Larger unpacked than packed, for a disk that becomes full in between. */
const LARGE = "0".repeat(6_000_000);

function addKernel(release: string, version: string, compiler: string, options = ""): void {
  archive.addPackage(`linux-image-${release}`, version, {
    [`boot/vmlinuz-${release}`]: "image",
    [`usr/lib/modules/${release}/kernel/x.ko`]: "module",
    [`usr/share/doc/linux-image-${release}/copyright`]: "",
  });
  archive.addPackage(`linux-headers-${release}`, version, {
    [`usr/src/linux-headers-${release}/.config`]: `CONFIG_CC_VERSION_TEXT="${compiler}"\nCONFIG_AS_IS_GNU=y\nCONFIG_AS_VERSION=27700\n${options}`,
    [`usr/src/linux-headers-${release}/Module.symvers`]: "",
  });
}

beforeAll(() => {
  addKernel("6.12.9+deb13-amd64", "6.12.9-1", `x86_64-linux-gnu-${COMPILER}`);
  addKernel("6.12.9+deb13-rt-amd64", "6.12.9-1", COMPILER);
  addKernel("6.12.8+deb13-rt-amd64", "6.12.9-1", COMPILER, "CONFIG_PREEMPT_LAZY=y\n");
  addKernel("7.1.1+deb13-rt-amd64", "7.1.1-1", COMPILER, "CONFIG_PREEMPT_LAZY=y\n");
  archive.addSource("linux-source-7.1", "7.1.1-1", {
    Makefile: "VERSION = 7\n",
    "kernel/Kconfig.preempt": "config PREEMPT_LAZY\n\tbool\n",
  });
  addKernel("6.12.10+deb13-amd64", "6.12.10-1", "gcc-77 (Debian 77.1-2) 77.1");
  archive.addSource("linux-source-6.12", "6.12.9-1", { Makefile: "VERSION = 6\n" });
  archive.addSource("linux-source-6.12", "6.12.10-1", { Makefile: "VERSION = 6\n" });
  addKernel("6.1.0-9-rt-amd64", "6.1.9-1", COMPILER);
  const patch = join(top, "rt.patch");
  writeFileSync(patch, "--- a/Makefile\n+++ b/Makefile\n@@ -1 +1,2 @@\n VERSION = 6\n+RT = y\n");
  execFileSync("xz", [patch]);
  archive.addSource(
    "linux-source-6.1",
    "6.1.9-1",
    { Makefile: "VERSION = 6\n" },
    { "usr/src/linux-patch-6.1-rt.patch.xz": { copyOf: `${patch}.xz` } },
  );
  // As of 7.1: the image package is empty.
  archive.addPackage("linux-image-7.3.4+deb13-amd64", "7.3.4-1");
  archive.addPackage("linux-binary-7.3.4+deb13-amd64", "7.3.4-1", { "usr/lib/modules/7.3.4+deb13-amd64/vmlinuz": "image" });
  archive.addPackage("linux-modules-7.3.4+deb13-amd64", "7.3.4-1", { "usr/lib/modules/7.3.4+deb13-amd64/kernel/x.ko": "module" });
  archive.addPackage("linux-base-7.3.4+deb13-amd64", "7.3.4-1", { "usr/lib/modules/7.3.4+deb13-amd64/modules.builtin": "kernel/y.ko" });
  archive.addPackage("linux-headers-7.3.4+deb13-amd64", "7.3.4-1", { "usr/src/linux-headers-7.3.4+deb13-amd64/.config": "" });
  // With nothing in it that is an image.
  archive.addPackage("linux-image-7.3.5+deb13-amd64", "7.3.4-1");
  archive.addPackage("linux-headers-7.3.5+deb13-amd64", "7.3.4-1", { "usr/src/linux-headers-7.3.5+deb13-amd64/.config": "" });
  archive.addSource("linux-source-7.3", "7.3.4-1", { Makefile: "VERSION = 7\n" });

  const script = (words: string): string => `#!/usr/bin/sh\necho '${words}'\n`;
  archive.addPackage("gcc-77", "77.1-1", { "usr/bin/gcc-77": script(COMPILER), "usr/share/man/large": LARGE }, "Depends: cc77\n");
  archive.addPackage("cc77", "77.1-1", { "usr/lib/cc77": LARGE });
  // busybox is whatever it is called: here `sh`.
  const shell = execFileSync("sh", ["-c", "command -v busybox"], { encoding: "utf8" }).trim();
  for (const name of BUILD_PACKAGES) {
    const files = { dash: { "usr/bin/dash": { copyOf: shell } }, binutils: { "usr/bin/as": script("GNU assembler (GNU Binutils) 2.77") } };
    archive.addPackage(name, "1-1", name === "dash" ? files.dash : name === "binutils" ? files.binutils : {});
  }
  archive.publish();
}, 60_000);

afterAll(() => {
  archive.end();
  rmSync(top, { recursive: true, force: true });
});

test.each([
  ["6.12.118+deb13-amd64", "trixie"],
  ["7.3.4+deb13-cloud-amd64", "trixie"],
  ["6.1.0-47-amd64", "bookworm"],
  ["6.12.117+deb12-amd64", "bookworm"],
  ["6.18.44-custom", undefined],
])("%s is a kernel of %s", (release, suite) => {
  expect(suiteOfKernel(release)).toBe(suite);
});

// The compiler is a real one, packed and unpacked, and apt and dpkg are asked many times.
describe("a kernel of another release", { timeout: 120_000 }, () => {
  const dir = join(top, "trees/a");

  test("comes with the compiler and binutils that built it, which run where they are", async () => {
    const record = await prepareDebianKernel({ release: "6.12.9+deb13-amd64", dir, ...place });
    expect(await readKernelRecord(join(dir, "ksplice"))).toEqual(record);
    expect(readFileSync(join(dir, "ksplice/image/lib/modules/6.12.9+deb13-amd64/kernel/x.ko"), "utf8")).toBe("module");
    expect(readdirSync(join(dir, "ksplice/image")).sort()).toEqual(["boot", "lib"]);

    const path = buildRootPath(cacheDir, record.buildRoot ?? "");
    expect(existsSync(join(path, "usr/share/man"))).toBe(false);
    const seen = await runTool("gcc-77", ["--version"], { root: { path, needed: [] } });
    expect(seen).toMatchObject({ exitCode: 0, stdout: `${COMPILER}\n` });
    // The machine's files are where they were, also one below /usr that the root would hide.
    const below = mkdtempSync("/usr/src/ksplice-test-");
    try {
      writeFileSync(join(below, "seen"), "");
      const listed = await runTool("sh", ["-c", "cd $0 && echo * && echo $PWD", below], { root: { path, needed: [below] }, cwd: top });
      expect(listed).toMatchObject({ exitCode: 0, stdout: `seen\n${below}\n` });
    } finally {
      rmSync(below, { recursive: true });
    }
    expect(await runTool("no-such-program", [], { root: { path, needed: [] } })).toMatchObject({ notFound: true });
  });

  test("gets its compiler again where the cache was emptied", async () => {
    const { buildRoot } = (await readKernelRecord(join(dir, "ksplice"))) ?? {};
    rmSync(join(cacheDir, "build-roots"), { recursive: true });
    await prepareDebianKernel({ release: "6.12.9+deb13-amd64", dir, ...place });
    expect(readdirSync(join(cacheDir, "build-roots"))).toEqual([buildRoot]);
  });

  test("with an image in parts is put together of them", async () => {
    const record = await prepareDebianKernel({ release: "7.3.4+deb13-amd64", dir: join(top, "trees/split"), ...place });
    expect(record.packages).toEqual(expect.arrayContaining(["linux-binary-7.3.4+deb13-amd64_7.3.4-1_amd64.deb"]));
    expect(existsSync(join(top, "trees/split/ksplice/image/boot/vmlinuz-7.3.4+deb13-amd64"))).toBe(true);
    const modules = join(top, "trees/split/ksplice/image/lib/modules/7.3.4+deb13-amd64");
    expect(readdirSync(modules).sort()).toEqual(["kernel", "modules.builtin"]);
    expect(existsSync(join(modules, "kernel/x.ko"))).toBe(true);
  });

  test("without an image in its packages is refused, and nothing is left", async () => {
    const refused = prepareDebianKernel({ release: "7.3.5+deb13-amd64", dir: join(top, "imageless/a"), ...place });
    await expect(refused).rejects.toMatchObject({
      code: "no-image-in-packages",
      message: expect.stringContaining("linux-image-7.3.5+deb13-amd64_") as string,
    });
    expect(readdirSync(join(top, "imageless"))).toEqual([]);
  });

  test.each([
    ["6.1.0-9-rt-amd64", "VERSION = 6\nRT = y\n"],
    ["6.12.9+deb13-rt-amd64", "VERSION = 6\n"],
    [
      "6.12.8+deb13-rt-amd64",
      "VERSION = 6\n",
      /^6\.12\.8\+deb13-rt-amd64 is built with a further patch .* apt-get source linux=6\.12\.9-1 .*patches-rt\/series .* to .*\/trees\/6\.12\.8/,
    ],
    ["7.1.1+deb13-rt-amd64", "VERSION = 7\n"],
  ])(
    "%s, real-time, has its source's further patch if there is one, and says that one is missing",
    async (release, makefile, missing?: RegExp) => {
      const tree = join(top, "trees", release);
      const warnings: string[] = [];
      const tell: Tell = (kind, text) => {
        if (kind === "warning") warnings.push(text);
      };
      await prepareDebianKernel({ release, dir: tree, ...place, tell });
      expect(readFileSync(join(tree, "Makefile"), "utf8")).toBe(makefile);
      expect(warnings).toEqual(missing === undefined ? [] : [expect.stringMatching(missing)]);
    },
  );

  test("whose compiler the archive has in another version is refused, and nothing is left", async () => {
    const refused = prepareDebianKernel({ release: "6.12.10+deb13-amd64", dir: join(top, "none/b"), ...place });
    await expect(refused).rejects.toMatchObject({ code: "compiler-not-in-archive", message: expect.stringContaining("77.1-2") as string });
    expect(readdirSync(join(top, "none"))).toEqual([]);
    expect(readdirSync(join(cacheDir, "build-roots")).filter((name) => name.startsWith("."))).toEqual([]);
    expect(readdirSync(join(cacheDir, "packages")).filter((name) => !name.endsWith(".deb"))).toEqual([]);
  });
});

describe("an archive", () => {
  test("that is not signed by the key is refused", async () => {
    const other = mkdtempSync(join(top, "other-"));
    const stranger = new TestArchive(other);
    stranger.addPackage("linux-image-6.12.9+deb13-amd64", "6.12.9-1");
    stranger.publish();
    const sources = [stranger.entry.replace(stranger.keyring, archive.keyring)];
    const refused = prepareDebianKernel({ release: "6.12.9+deb13-amd64", dir: join(top, "none"), cacheDir, sources });
    await expect(refused).rejects.toMatchObject({ code: "cannot-fetch-lists", message: expect.stringContaining("NO_PUBKEY") as string });
    stranger.end();
  });

  test("whose index is not the signed one is refused", async () => {
    const other = mkdtempSync(join(top, "other-"));
    const tampered = new TestArchive(other);
    tampered.addPackage("linux-image-6.12.9+deb13-amd64", "6.12.9-1");
    tampered.publish();
    tampered.tamper((index) => index.replace("6.12.9-1", "6.12.8-1"));
    const refused = prepareDebianKernel({ release: "6.12.9+deb13-amd64", dir: join(top, "none"), cacheDir, sources: [tampered.entry] });
    await expect(refused).rejects.toMatchObject({ code: "cannot-fetch-lists" });
    tampered.end();
  });
});

test("a disk that becomes full while the compiler is unpacked is told of, and nothing is left on it", () => {
  // A file system of 6 MB in a namespace; the command runs in it.
  const small = join(top, "small");
  mkdirSync(small);
  const script = [
    `mount -t tmpfs -o size=6m none ${small}`,
    `XDG_CACHE_HOME=${small} node ${packageRoot()}/dist/cli/ksplice.cjs prepare --release 6.12.9+deb13-amd64 --apt-source '${archive.entry}' ${small}/tree`,
    "status=$?",
    `find ${small} -type f -not -path '*/apt/*' -not -name '*.deb'; ls -A ${small}/ksplice/build-roots`,
    "exit $status",
  ].join("\n");
  const asUser = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const { status, stderr, stdout } = spawnSync("unshare", ["--mount", ...asUser, "sh", "-c", script], { encoding: "utf8" });
  expect(stderr).toContain("there is no room left");
  expect(stderr).toContain("XDG_CACHE_HOME");
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
});

test("a root that cannot be entered is told of with the words of who could not", async () => {
  const refused = runTool("gcc-77", ["--version"], { root: { path: join(top, "no-root"), needed: [] } });
  await expect(refused).rejects.toMatchObject({
    code: "cannot-enter-build-root",
    message: expect.stringMatching(/mount: .*no-root/) as string,
  });
  expect(couldNotEnter(1, "unshare: unshare failed: Operation not permitted\n")).toBe(true);
  expect(couldNotEnter(1, "x.c:1: error: no\n")).toBe(false);
});
