import { expect, test } from "vitest";
import { compile } from "../../../../src/kbuild/compile/run-compiler.js";
import type { UnitCommand } from "../../../../src/kbuild/compile/unit-command.js";
import { fakeBuild, writeFakeKernel } from "../../../support/fake-tree-source.js";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../../support/temp-dir.js";

test("a compiler that a signal ends has said nothing of the code", async () => {
  const [source, cacheDir] = [temporaryDirectory(), temporaryDirectory()];
  writeFakeKernel(source);
  mkdirSync(join(cacheDir, "out"));
  const unit = { path: "net/raw.o", source: "net/raw.c", target: "vmlinux" };
  const command: UnitCommand = { unit, units: [unit], object: unit.path, compile: [], objtool: undefined, generated: [], isNew: false };
  const killed = { compile: ["sh", "-c", "kill -9 $$"], key: [], finish: () => Promise.resolve(new Uint8Array()) };
  const { product } = await compile(fakeBuild(source, cacheDir), command, killed, source, true);
  expect(product).toMatchObject({ code: "compiler-ended", message: expect.stringContaining("net/raw.o") as string });
});
