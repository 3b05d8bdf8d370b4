import { withCommand } from "../../../support/with-command.js";
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { shadowWithPatch } from "../../../../src/kbuild/change/patch-tree.js";
import type { PatchedTree } from "../../../../src/kbuild/change/patched-tree.js";
import { makeProduct } from "../../../../src/kbuild/compile/make-product.js";
import { type UnitCommand } from "../../../../src/kbuild/compile/unit-command.js";
import type { PreparedBuild, Unit } from "../../../../src/kbuild/types.js";
import { fakeBuild, writeFakeKernel } from "../../../support/fake-tree-source.js";
import { temporaryDirectory } from "../../../support/temp-dir.js";

/** A unit that reaches a touched header by `..` through a directory that is a link in the shadow: kernel/deep. */
const DOTTED: Unit = { path: "net/dotted.o", source: "net/dotted.c", target: "vmlinux" };

const source = temporaryDirectory();
const cacheDir = temporaryDirectory();
const signals = temporaryDirectory();
const [compiled, go] = [join(signals, "compiled"), join(signals, "go")];
let build: PreparedBuild;
let command: UnitCommand;

beforeAll(async () => {
  writeFakeKernel(source);
  mkdirSync(join(cacheDir, "out"));
  build = fakeBuild(source, cacheDir);
  ({ command } = await withCommand(build, DOTTED));
});

/** A compiler that waits, the first time, between reading its files and ending. */
function slowCompiler(): string {
  const path = join(signals, "slow-compiler");
  const wait = `if [ ! -e ${compiled} ]; then touch ${compiled}; while [ ! -e ${go} ]; do sleep 0.02; done; fi`;
  writeFileSync(path, `#!/bin/sh\n"$@"\nstatus=$?\n${wait}\nexit $status\n`);
  chmodSync(path, 0o755);
  return path;
}

/** The unit's object, while another unit's compilation makes the linked directory real. */
async function compileMeanwhile(patched: PatchedTree): Promise<Uint8Array> {
  for (const signal of [compiled, go]) rmSync(signal, { force: true });
  const compile = [slowCompiler(), ...command.compile];
  const product = makeProduct(build, command, { shadow: patched }, { compile, key: compile, finish: async (path) => await readFile(path) });
  // It is awaited below; an error until then is not an unhandled one.
  product.catch(() => undefined);
  while (!existsSync(compiled)) await setTimeout(10);
  await patched.shadow.makeReal("kernel/deep");
  writeFileSync(go, "");
  return await product;
}

describe("a directory of the shadow that becomes real while a unit is compiled", () => {
  it("does not leave the unit with the unpatched header", async () => {
    const patch = "--- a/kernel/shared.h\n+++ b/kernel/shared.h\n@@ -1 +1 @@\n-#define SHARED 3\n+#define SHARED 0x5eed\n";
    const patched = await shadowWithPatch(build.tree, { patch });
    const object = await compileMeanwhile(patched);
    await patched.dispose();
    expect(Buffer.from(object).includes(Buffer.from([0xed, 0x5e]))).toBe(true);
  });

  it("leaves the compiler's own words where the header is gone", async () => {
    const patched = await shadowWithPatch(build.tree, {
      patch: "--- a/kernel/shared.h\n+++ /dev/null\n@@ -1 +0,0 @@\n-#define SHARED 3\n",
    });
    await expect(compileMeanwhile(patched)).rejects.toMatchObject({
      code: "does-not-compile",
      message: expect.stringContaining("shared.h") as string,
    });
    await patched.dispose();
  });
});
