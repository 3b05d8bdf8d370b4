import { withCommand } from "../../../support/with-command.js";
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { compileUnit } from "../../../../src/kbuild/compile/compile-unit.js";
import { shadowWithPatch } from "../../../../src/kbuild/change/patch-tree.js";
import { trimDirectory } from "../../../../src/host/trim-directory.js";
import type { PreparedBuild, Unit } from "../../../../src/kbuild/types.js";
import { fakeBuild, writeFakeKernel } from "../../../support/fake-tree-source.js";
import { temporaryDirectory } from "../../../support/temp-dir.js";

const source = temporaryDirectory();
const cacheDir = temporaryDirectory();
let build: PreparedBuild;
beforeAll(async () => {
  writeFakeKernel(source);
  mkdirSync(join(cacheDir, "out"));
  build = fakeBuild(source, cacheDir);
  // Kbuild is asked once.
  for (const unit of [RAW, DOTTED]) await compileUnit(build, await withCommand(build, unit));
});

const RAW: Unit = { path: "net/raw.o", source: "net/raw.c", target: "vmlinux" };
const DOTTED: Unit = { path: "net/dotted.o", source: "net/dotted.c", target: "vmlinux" };

const change = (file: string, old: string, text: string): string => `--- a/${file}\n+++ b/${file}\n@@ -1 +1 @@\n-${old}\n+${text}\n`;
const addition = (file: string, text: string): string => `--- /dev/null\n+++ b/${file}\n@@ -0,0 +1 @@\n+${text}\n`;

/** The object of a patched source, made in a shadow of its own; `hit` where no compiler ran for it. */
async function post(unit: Unit, patch: string): Promise<{ object: Uint8Array; hit: boolean }> {
  const patched = await shadowWithPatch(build.tree, { patch });
  const before = storedObjects();
  const { object } = await compileUnit(build, await withCommand(build, unit), { shadow: patched });
  await patched.dispose();
  return { object, hit: storedObjects() === before };
}

/** Names and times of writing: an object that is compiled again is written again. */
function storedObjects(): string {
  const directory = join(cacheDir, "patched-objects");
  if (!existsSync(directory)) return "";
  const names = readdirSync(directory).filter((name) => name.endsWith(".json"));
  return names.map((name) => `${name} ${String(statSync(join(directory, name)).ino)}`).join("\n");
}

describe("objects of a patched source", () => {
  const local = change("net/local.h", "#define LOCAL 2", "#define LOCAL 50");
  test("are taken from the cache in another shadow of the same patch", async () => {
    const first = await post(RAW, local);
    expect(first.hit).toBe(false);
    expect(await post(RAW, local)).toEqual({ object: first.object, hit: true });
  });

  test("though a header is reached through a linked directory", async () => {
    const patch = change("kernel/shared.h", "#define SHARED 3", "#define SHARED 99");
    const first = await post(DOTTED, patch);
    expect(await post(DOTTED, patch)).toEqual({ object: first.object, hit: true });
  });

  test("are made anew for another patch, and both are kept", async () => {
    const first = await post(RAW, local);
    const other = await post(RAW, change("net/local.h", "#define LOCAL 2", "#define LOCAL 51"));
    expect(other.object).not.toEqual(first.object);
    expect(await post(RAW, local)).toEqual({ object: first.object, hit: true });
  });

  test("are made anew when a header that the patch does not touch changes", async () => {
    const first = await post(RAW, local);
    writeFileSync(join(source, "include/linux/x.h"), "#define X 1000\n");
    const second = await post(RAW, local);
    writeFileSync(join(source, "include/linux/x.h"), "#define X 1\n");
    expect(second.object).not.toEqual(first.object);
    expect((await post(RAW, local)).object).toEqual(first.object);
  });

  test("are not mistaken for those of a patch that adds a header before another", async () => {
    const include =
      change("kernel/shared.h", "#define SHARED 3", '#include "linux/x.h"').replace("@@ -1 +1 @@", "@@ -1 +1,2 @@") + "+#define SHARED X\n";
    const first = await post(DOTTED, include);
    const shadowing = await post(DOTTED, include + addition("kernel/linux/x.h", "#define X 2000"));
    expect(shadowing.hit).toBe(false);
    expect(shadowing.object).not.toEqual(first.object);
    expect((await post(DOTTED, include)).object).toEqual(first.object);
  });
});

test("of a directory that grew too large the oldest files go", async () => {
  const directory = join(cacheDir, "trim");
  mkdirSync(directory);
  for (const [index, name] of ["a", "b", "c"].entries()) {
    writeFileSync(join(directory, name), "x".repeat(100));
    utimesSync(join(directory, name), 1000 + index, 1000 + index);
  }
  await trimDirectory(directory, 250);
  expect(readdirSync(directory).sort()).toEqual(["b", "c"]);
});
