import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { findWinner, runDepmod } from "../../../src/disk/depmod.js";
import { ModuleDirectory } from "../../../src/disk/module-directory.js";
import { whyNotWritable } from "../../../src/host/file-errors.js";
import { putOnDisk, takeOffDisk } from "../../../src/disk/put-on-disk.js";
import { tellNobody } from "../../../src/events.js";
import { hasSignature, appendSignature } from "../../../src/signing/module-signature.js";
import { moduleBytes, RELEASE, shipModules, updateOnDisk } from "../../support/disk-samples.js";

/** In memory, where there is such a file system: each write waits for the disk. */
const top = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "ksplice-disk-"));
afterAll(() => {
  rmSync(top, { recursive: true, force: true });
});
let root: string;
let directory: ModuleDirectory;
beforeEach(async () => {
  root = mkdtempSync(join(top, "machine-"));
  shipModules(root);
  directory = new ModuleDirectory(root, RELEASE);
  await runDepmod(directory);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

const put = async (ids: readonly string[], change = {}) =>
  await putOnDisk(updateOnDisk(ids, change), { root, signer: undefined, tell: tellNobody });
const take = async (id: string) => await takeOffDisk(id, root, RELEASE, tellNobody);
const files = () => (existsSync(directory.path) ? readdirSync(directory.path).sort() : []);
const active = () => readFileSync(join(directory.path, "sample_dev.ko"));
const winner = async () => await findWinner(directory, "sample_dev");

describe("a module on the disk", () => {
  test("is what modprobe takes, readable by all, until the update is taken off", async () => {
    expect(await put(["one"])).toEqual(["sample_dev"]);
    expect(files()).toEqual(["sample_dev.ko", "sample_dev.ko-one"]);
    expect(statSync(join(directory.path, "sample_dev.ko")).mode & 0o777).toBe(0o644);
    expect(await winner()).toBe("updates/ksplice/sample_dev.ko");
    expect(await take("one")).toEqual(["sample_dev"]);
    expect(files()).toEqual([]);
    expect(await winner()).toBe("kernel/drivers/sample-dev.ko");
    expect(await take("one")).toEqual([]);
  });

  test("is that of the newest update, whose undo brings the one before back", async () => {
    await put(["one"]);
    await put(["one", "two"]);
    expect(active()).toEqual(Buffer.from(moduleBytes(["one", "two"])));
    await expect(take("one")).rejects.toMatchObject({ code: "disk-module-of-newer", message: expect.stringContaining("two") as string });
    await take("two");
    expect(active()).toEqual(Buffer.from(moduleBytes(["one"])));
    expect(await winner()).toBe("updates/ksplice/sample_dev.ko");
  });

  test("may be put there alone by an update that holds another, or again", async () => {
    await put(["one", "two"]);
    await put(["one", "two"]);
    await expect(put(["one"])).rejects.toMatchObject({ code: "disk-module-of-newer" });
    await take("two");
    expect(files()).toEqual([]);
  });

  test("is signed where there is a signer, and the shipped one is known with its signature, too", async () => {
    shipModules(root, appendSignature(moduleBytes(), Uint8Array.of(1, 2, 3)));
    const signer = { sign: async (bytes: Uint8Array) => await Promise.resolve(appendSignature(bytes, Uint8Array.of(4))) };
    await putOnDisk(updateOnDisk(["one"]), { root, signer, tell: tellNobody });
    expect(hasSignature(active())).toBe(true);
    expect((await directory.list()).map(({ holds }) => holds)).toEqual([["one"]]);
  });
});

describe("a command that was killed", () => {
  test("between the write and depmod: the same command, or an undo, sets it right", async () => {
    await directory.keep("sample_dev", "one", moduleBytes(["one"]));
    await put(["one"]);
    expect(await winner()).toBe("updates/ksplice/sample_dev.ko");
    await directory.settle("sample_dev", "one");
    // Taken away, and depmod has not run.
    expect(files()).toEqual(["sample_dev.ko-one"]);
    await take("one");
    expect(files()).toEqual([]);
    expect(await winner()).toBe("kernel/drivers/sample-dev.ko");
  });

  test("within the write: what it left is swept, and was never a module", async () => {
    mkdirSync(directory.path, { recursive: true });
    writeFileSync(join(directory.path, ".sample_dev.00ff.tmp"), "half");
    await put(["one"]);
    expect(files()).toEqual(["sample_dev.ko", "sample_dev.ko-one"]);
  });
});

describe("nothing is written", () => {
  const nothing = async (attempt: Promise<unknown>, code: string, message: RegExp) => {
    await expect(attempt).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(files()).toEqual([]);
  };

  test("of an update without a whole module", async () => {
    await nothing(put(["one"], { wholeModules: undefined }), "no-whole-module", /one brings no module/);
  });

  test("of a module that is not marked as the update's", async () => {
    await nothing(put(["other"], { id: "one" }), "spoilt-disk-module", /whole\/sample_dev\.ko/);
  });

  test("for a kernel whose modules are not here", async () => {
    const { kernel } = updateOnDisk(["one"]).manifest;
    await nothing(put(["one"], { kernel: { ...kernel, release: "9.9.9" } }), "no-modules", /9\.9\.9/);
    // A name that leads elsewhere, where there is a directory.
    await nothing(put(["one"], { kernel: { ...kernel, release: `../modules/${RELEASE}` } }), "no-modules", /\.\.\/modules/);
  });

  test("where the shipped module is another one, or is gone", async () => {
    shipModules(root, moduleBytes([], 0x90));
    await nothing(put(["one"]), "other-module-on-disk", /another build/);
    unlinkSync(join(directory.top, "kernel/drivers/sample-dev.ko"));
    await nothing(put(["one"]), "other-module-on-disk", /is not there/);
  });

  test("where somebody else's module comes first", async () => {
    shipModules(root, moduleBytes([], 0x90), "updates/dkms/sample-dev.ko");
    await runDepmod(directory);
    await nothing(put(["one"]), "other-module-on-disk", /updates\/dkms\/sample-dev\.ko/);
  });

  test("where it cannot be signed", async () => {
    const signer = { sign: async () => await Promise.reject(new Error("no key")) };
    await expect(putOnDisk(updateOnDisk(["one"]), { root, signer, tell: tellNobody })).rejects.toThrow("no key");
    expect(files()).toEqual([]);
  });

  test("that depmod does not take: the file goes again", async () => {
    const programs = join(root, "bin");
    mkdirSync(programs);
    writeFileSync(join(programs, "depmod"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    vi.stubEnv("PATH", `${programs}:${process.env["PATH"] ?? ""}`);
    await nothing(put(["one"]), "disk-module-not-taken", /kernel\/drivers\/sample-dev\.ko/);
  });

  test("that depmod fails of: the file goes again, as far as it can", async () => {
    const programs = join(root, "bin");
    mkdirSync(programs);
    writeFileSync(join(programs, "depmod"), "#!/bin/sh\necho broken >&2; exit 1\n", { mode: 0o755 });
    vi.stubEnv("PATH", `${programs}:${process.env["PATH"] ?? ""}`);
    await expect(put(["one"])).rejects.toMatchObject({ code: "depmod-failed", message: expect.stringContaining("broken") as string });
    // Not to be loaded, and known: an undo, or the same command, goes on from there.
    expect(files()).toEqual(["sample_dev.ko-one"]);
  });
});

test("an update that does not have what another has on the disk is refused beside it", async () => {
  await put(["one"]);
  await expect(put(["two"])).rejects.toMatchObject({ code: "disk-module-of-another", message: expect.stringContaining("one") as string });
  expect(active()).toEqual(Buffer.from(moduleBytes(["one"])));
});

test("a file that was changed is not taken for an update's", async () => {
  await put(["one"]);
  writeFileSync(join(directory.path, "sample_dev.ko-one"), moduleBytes(["other"]));
  await expect(take("one")).rejects.toMatchObject({ code: "spoilt-disk-module" });
});

test.each([
  ["ENOSPC", "no space is left on the device"],
  ["EROFS", "the file system is read-only"],
])("a disk that says %s is told by the directory, and nothing is left", async (code, reason) => {
  mkdirSync(join(directory.top, "updates"), { recursive: true });
  const failing = Object.assign(new Error(code), { code });
  expect(whyNotWritable(failing)).toBe(reason);
  // A file in the directory's place is no reason of these, and stays an error of the system's.
  writeFileSync(join(directory.top, "updates/ksplice"), "");
  await expect(put(["one"])).rejects.toThrow(/EEXIST|ENOTDIR/);
});
