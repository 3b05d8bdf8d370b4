import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { debian } from "../../../../src/distro/debian/debian.js";
import { readSourceFiles } from "../../../../src/distro/debian/debian-source.js";
import { prepareDebianKernel } from "../../../../src/distro/debian/prepare-kernel.js";

/** An archive of tiny packages, with programs in the place of apt-cache and apt-get that serve them. */
const top = mkdtempSync(join(tmpdir(), "ksplice-test-"));
const oldPath = process.env["PATH"];
const paragraphs: string[] = [];

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function makePackage(name: string, version: string, files: Readonly<Record<string, string>>, fields = ""): void {
  const root = join(top, "build", `${name}-${version}`);
  for (const [path, text] of Object.entries(files)) write(join(root, path), text);
  write(join(root, "DEBIAN/control"), `Package: ${name}\nVersion: ${version}\nArchitecture: amd64\nMaintainer: x <x@y>\nDescription: x\n`);
  chmodSync(join(root, "DEBIAN"), 0o755);
  const file = `${name}_${version}_amd64.deb`;
  mkdirSync(join(top, "archive"), { recursive: true });
  execFileSync("dpkg-deb", ["-Zgzip", "-b", root, join(top, "archive", file)], { stdio: "ignore" });
  const deb = readFileSync(join(top, "archive", file));
  const sha256 = createHash("sha256").update(deb).digest("hex");
  paragraphs.push(
    `Package: ${name}\nVersion: ${version}\n${fields}Filename: pool/main/l/${file}\nSize: ${deb.length}\nSHA256: ${sha256}\nDescription: x\n`,
  );
}

function makeSource(version: string, files: Readonly<Record<string, string>>): void {
  const name = "linux-source-6.1";
  for (const [path, text] of Object.entries(files)) write(join(top, "src", version, name, path), text);
  execFileSync("tar", ["-cJf", join(top, "src", `${version}.tar.xz`), "-C", join(top, "src", version), name]);
  makePackage(name, version, {});
  const root = join(top, "build", `${name}-${version}`);
  mkdirSync(join(root, "usr/src"), { recursive: true });
  execFileSync("cp", [join(top, "src", `${version}.tar.xz`), join(root, `usr/src/${name}.tar.xz`)]);
  paragraphs.pop();
  makePackage(name, version, {});
}

const image = (release: string): Record<string, string> => ({
  [`boot/vmlinuz-${release}`]: "image",
  [`lib/modules/${release}/kernel/x.ko`]: "module",
});
const headers = (release: string): Record<string, string> => ({
  [`usr/src/linux-headers-${release}/.config`]: "CONFIG_X=y\n",
  [`usr/src/linux-headers-${release}/Module.symvers`]: "symvers",
  [`usr/src/linux-headers-${release}/Makefile`]: "include /usr/src/elsewhere\n",
  [`usr/src/linux-headers-${release}/include/generated/utsrelease.h`]: `#define UTS_RELEASE "${release}"\n`,
  [`usr/src/linux-headers-${release}/arch/x86/include/generated/y.h`]: "",
});

beforeAll(() => {
  makeSource("6.1.170-3", { Makefile: "VERSION = 6\n", "net/raw.c": "old\n" });
  makeSource("6.1.176-1", { Makefile: "VERSION = 6\n", "net/raw.c": "new\n" });
  makePackage("linux-image-6.1.0-47-amd64", "6.1.170-3", image("6.1.0-47-amd64"), "Built-Using: linux (= 6.1.170-3)\n");
  makePackage("linux-image-6.1.0-47-amd64-unsigned", "6.1.170-3", image("6.1.0-47-amd64"));
  makePackage("linux-headers-6.1.0-47-amd64", "6.1.170-3", headers("6.1.0-47-amd64"));
  makePackage("linux-image-6.1.0-48-amd64", "6.1.172-1", {}, "Built-Using: linux (= 6.1.172-1)\n");
  makePackage("linux-headers-6.1.0-48-amd64", "6.1.172-1", {});
  makePackage("linux-image-6.1.0-50-amd64-unsigned", "6.1.176-1", image("6.1.0-50-amd64"));
  makePackage("linux-headers-6.1.0-50-amd64", "6.1.176-1", headers("6.1.0-50-amd64"));
  write(join(top, "Packages"), paragraphs.join("\n"));
  write(join(top, "bin/apt-cache"), `#!/bin/sh\ncat ${top}/Packages\n`);
  write(
    join(top, "bin/apt-get"),
    `#!/bin/sh\n[ -e ${top}/offline ] && { echo "E: Failed to fetch" >&2; exit 100; }\nset -- $(echo $3 | tr = ' ')\ncp ${top}/archive/$1_$2_amd64.deb .\n`,
  );
  for (const name of ["apt-cache", "apt-get"]) chmodSync(join(top, "bin", name), 0o755);
  process.env["PATH"] = `${join(top, "bin")}:${oldPath ?? ""}`;
});
afterAll(() => {
  process.env["PATH"] = oldPath;
  rmSync(top, { recursive: true, force: true });
});

const cacheDir = join(top, "cache");

test("kernels are listed oldest first, with whether their source is there", async () => {
  expect(await debian.kernels({ cacheDir })).toEqual([
    { release: "6.1.0-47-amd64", version: "6.1.170-3", sourceAvailable: true },
    { release: "6.1.0-48-amd64", version: "6.1.172-1", sourceAvailable: false },
    { release: "6.1.0-50-amd64", version: "6.1.176-1", sourceAvailable: true },
  ]);
  expect(await debian.sources("6.1", { cacheDir })).toEqual(["6.1.170-3", "6.1.176-1"]);
});

test("files of a source are read, and refused if it has none of that name", async () => {
  const files = await readSourceFiles("6.1.176-1", ["net/raw.c"], { cacheDir });
  expect(new TextDecoder().decode(files.get("net/raw.c"))).toBe("new\n");
  await expect(readSourceFiles("6.1.176-1", ["net/none.c"], { cacheDir })).rejects.toMatchObject({ code: "no-such-source-file" });
});

describe("a tree", () => {
  test("is made of source, headers and image, and taken as it is the second time", async () => {
    const dir = join(top, "trees/47");
    const record = await prepareDebianKernel({ release: "6.1.0-47-amd64", dir, cacheDir });
    expect(record).toMatchObject({ release: "6.1.0-47-amd64", version: "6.1.170-3" });
    expect(record.packages).toContain("linux-image-6.1.0-47-amd64_6.1.170-3_amd64.deb");
    expect(readFileSync(join(dir, "net/raw.c"), "utf8")).toBe("old\n");
    expect(readFileSync(join(dir, "ksplice/.config"), "utf8")).toBe("CONFIG_X=y\n");
    expect(readdirSync(join(dir, "ksplice/build")).sort()).toEqual([".config", "Module.symvers", "arch", "include"]);
    expect(existsSync(join(dir, "ksplice/image/boot/vmlinuz-6.1.0-47-amd64"))).toBe(true);
    expect(existsSync(join(dir, "ksplice/image/lib/modules/6.1.0-47-amd64/kernel/x.ko"))).toBe(true);
    expect(statSync(dir).mode & 0o777).toBe(0o755);

    writeFileSync(join(dir, "net/raw.c"), "mine\n");
    expect(await prepareDebianKernel({ release: "6.1.0-47-amd64", dir, cacheDir })).toEqual(record);
    expect(readFileSync(join(dir, "net/raw.c"), "utf8")).toBe("mine\n");
    await expect(prepareDebianKernel({ release: "6.1.0-50-amd64", dir, cacheDir })).rejects.toMatchObject({ code: "directory-in-use" });
    expect(readdirSync(dirname(dir))).toEqual(["47"]);
  });

  test("is made anew after a preparation that was killed, whose remains go", async () => {
    const { pid } = spawnSync("true");
    const dir = join(top, "trees-killed/47");
    mkdirSync(join(top, `trees-killed/.47-unfinished-${pid}-abcdef`), { recursive: true });
    mkdirSync(join(top, `trees-killed/.47-unfinished-${process.pid}-abcdef`));
    await prepareDebianKernel({ release: "6.1.0-47-amd64", dir, cacheDir });
    expect(readdirSync(dirname(dir)).sort()).toEqual([`.47-unfinished-${process.pid}-abcdef`, "47"]);
  });

  test("is made of the unsigned image where there is no other", async () => {
    const record = await prepareDebianKernel({ release: "6.1.0-50-amd64", dir: join(top, "trees50/x"), cacheDir });
    expect(record.packages).toContain("linux-image-6.1.0-50-amd64-unsigned_6.1.176-1_amd64.deb");
  });

  test.each([
    ["6.1.0-48-amd64", "source-not-in-archive"],
    ["6.1.0-99-amd64", "no-such-release"],
  ])("of %s is refused with a list of what is there", async (release, code) => {
    await expect(prepareDebianKernel({ release, dir: join(top, "none"), cacheDir })).rejects.toMatchObject({
      code,
      message: expect.stringContaining("  6.1.0-47-amd64 (6.1.170-3)\n  6.1.0-50-amd64 (6.1.176-1)") as string,
    });
  });

  test("that cannot be downloaded leaves nothing behind", async () => {
    writeFileSync(join(top, "offline"), "");
    const dir = join(top, "trees-offline/47");
    await expect(prepareDebianKernel({ release: "6.1.0-47-amd64", dir, cacheDir: join(top, "other-cache") })).rejects.toMatchObject({
      code: "cannot-download",
      message: expect.stringContaining("E: Failed to fetch") as string,
    });
    rmSync(join(top, "offline"));
    expect(existsSync(dirname(dir))).toBe(false);
  });

  test("of a damaged package is refused and leaves nothing behind; a download that is damaged in the cache is fetched again", async () => {
    const name = "linux-source-6.1_6.1.170-3_amd64.deb";
    const deb = readFileSync(join(top, "archive", name));
    writeFileSync(join(cacheDir, "packages", name), deb.subarray(0, deb.length - 10));
    const dir = join(top, "trees-again/47");
    await prepareDebianKernel({ release: "6.1.0-47-amd64", dir, cacheDir });
    expect(readFileSync(join(dir, "net/raw.c"), "utf8")).toBe("old\n");

    const damaged = join(top, "damaged-cache");
    writeFileSync(join(top, "archive", name), deb.subarray(0, deb.length - 200));
    await expect(prepareDebianKernel({ release: "6.1.0-47-amd64", dir: join(top, "d/47"), cacheDir: damaged })).rejects.toMatchObject({
      code: "cannot-unpack",
    });
    writeFileSync(join(top, "archive", name), deb);
    expect(existsSync(join(top, "d")) ? readdirSync(join(top, "d")) : []).toEqual([]);
  });
});
