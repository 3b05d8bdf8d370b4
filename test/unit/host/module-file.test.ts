import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isModuleFile, readModuleFile } from "../../../src/host/module-file.js";
import { temporaryDirectory } from "../../support/temp-dir.js";

const dir = temporaryDirectory();

describe("a module's file", () => {
  test.each([
    ["e1000e.ko", true],
    ["e1000e.ko.xz", true],
    ["e1000e.ko.zst", true],
    ["e1000e.ko.gz", true],
    ["e1000e.ko.bak", false],
    ["modules.dep", false],
  ])("%s: %s", (path, expected) => {
    expect(isModuleFile(path)).toBe(expected);
  });

  test.each([["xz"], ["gzip"], [undefined]])("is unpacked by what its name says: %s", async (program) => {
    const path = join(dir, `${program ?? "plain"}.ko`);
    writeFileSync(path, "a module");
    if (program !== undefined) execFileSync(program, ["-S", program === "xz" ? ".xz" : ".gz", path]);
    const packed = program === undefined ? path : `${path}.${program === "xz" ? "xz" : "gz"}`;
    expect(Buffer.from(await readModuleFile(packed)).toString()).toBe("a module");
  });

  test("that is damaged is refused with the program's words", async () => {
    const path = join(dir, "damaged.ko.xz");
    writeFileSync(path, "no module");
    await expect(readModuleFile(path)).rejects.toMatchObject({
      code: "cannot-unpack",
      message: expect.stringContaining("damaged.ko.xz") as string,
    });
  });
});
