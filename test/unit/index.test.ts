import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { packageRoot } from "../../src/host/package-root.js";
import { packUpdate } from "../../src/update/file/update-file.js";
import { sampleUpdate } from "../support/sample-update.js";
import { temporaryDirectory } from "../support/temp-dir.js";

/** The example program, which imports the package by its name. */
async function run(...args: string[]): Promise<{ exitCode?: number; stdout: string; stderr: string }> {
  return await execa(process.execPath, [join(packageRoot(), "examples/what-it-changes.mjs"), ...args], { reject: false });
}

describe("a program that uses the library", () => {
  test("reads an update", async () => {
    const path = join(temporaryDirectory(), "ksplice-abc123.tar.gz");
    writeFileSync(path, await packUpdate(sampleUpdate()));
    expect(await run(path)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^abc123, for 6\.1\.0-47-amd64: a fix\nvmlinux, net\/ipv4\/raw\.o: /) as string,
      stderr: "",
    });
  });

  test("is told by code what is wrong with a file", async () => {
    expect(await run("/nothing")).toMatchObject({ exitCode: 1, stderr: "bad-update: /nothing is not a usable update: no such file" });
  });
});
