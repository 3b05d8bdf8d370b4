import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packUpdate } from "../../../src/update/file/update-file.js";
import { compileBytes, GCC, KERNEL_LIKE_FLAGS, SECTION_FLAGS } from "../../support/compile-object.js";
import { runCommand } from "../../support/run-command.js";
import { MODULE_SOURCE, sampleKernel, sampleUpdate, UNIT_SOURCE, writeSnapshot } from "../../support/sample-fit.js";

/** `ksplice match` with snapshots of made-up kernels: nothing here touches the running one. */

let dir: string;
const at = (name: string): string => join(dir, name);

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "ksplice-match-"));
  writeSnapshot(at("kernel"), sampleKernel());
  writeSnapshot(at("other"), sampleKernel(UNIT_SOURCE.replace("counter * 3", "counter * 5").replace("+ 1000", "+ 1001")));
  writeSnapshot(at("without"), sampleKernel(), { modules: [], moduleSections: () => undefined });
  writeSnapshot(at("cut"), sampleKernel());
  truncateSync(at("cut"), 5000);
  writeFileSync(at("fix.tar.gz"), await packUpdate(sampleUpdate()));
  const compile = (source: string): Uint8Array => compileBytes(source, GCC ?? "gcc", [...KERNEL_LIKE_FLAGS, ...SECTION_FLAGS]);
  writeFileSync(at("unit.o"), compile(UNIT_SOURCE));
  writeFileSync(at("mod.o"), compile(MODULE_SOURCE));
  writeFileSync(at("broken.o"), compile(UNIT_SOURCE).subarray(0, 100));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

async function match(args: readonly string[]): Promise<{ stdout: string; stderr: string; exitCode: number }> {
  const result = await runCommand(["match", ...args], { cwd: dir });
  expect(result.stderr).not.toContain("internal error");
  return result;
}

describe("ksplice match says", () => {
  it.each<[string, string[], string]>([
    [
      "that an update fits",
      ["fix.tar.gz", "--snapshot", "kernel"],
      "kernel/unit.o (vmlinux): 2 of 2 functions match\ndrivers/mod.o (mod): 1 of 1 functions match\nfits 6.1.0-47-amd64; 2 imports resolved",
    ],
    [
      "that part of it does",
      ["fix.tar.gz", "--snapshot", "without", "--partial"],
      "kernel/unit.o (vmlinux): 2 of 2 functions match\ndrivers/mod.o (mod): not loaded\nfits 6.1.0-47-amd64; 1 import resolved",
    ],
    ["that an object does", ["unit.o", "--snapshot", "kernel"], "unit.o (vmlinux): 2 of 2 functions match\nfits 6.1.0-47-amd64"],
    [
      "that a module's object does",
      ["mod.o", "--snapshot", "kernel", "--target=mod", "--unit=drivers/mod.o"],
      "drivers/mod.o (mod): 1 of 1 functions match\nfits 6.1.0-47-amd64",
    ],
    ["nothing with -q", ["-q", "unit.o", "--snapshot", "kernel"], ""],
  ])("%s", async (_, args, words) => {
    expect(await match(args)).toEqual({ stdout: words, stderr: "", exitCode: 0 });
  });

  it.each<[string, string[], number, RegExp]>([
    [
      "that an update does not fit, and where",
      ["fix.tar.gz", "--snapshot", "other"],
      1,
      /unit\.o was compiled from:\n {2}entry\+0x[^]*expected: [^]*likely cause:/,
    ],
    ["that an object does not", ["unit.o", "--snapshot", "other"], 1, /is not what unit\.o was compiled from/],
    ["the abort code", ["--raw-errors", "unit.o", "--snapshot", "other"], 1, /^no_match\nksplice: the running kernel is not/],
    ["that a module is not loaded", ["fix.tar.gz", "--snapshot", "without"], 1, /module mod, which this update patches, is not loaded/],
    ["that an object's module is not", ["mod.o", "--target=mod", "--snapshot", "without"], 1, /module mod.* is not loaded/],
    ["that a file is no snapshot", ["unit.o", "--snapshot", "unit.o"], 1, /unit\.o is not a usable snapshot: not a 64-bit ELF core file/],
    ["that a snapshot is cut off", ["unit.o", "--snapshot", "cut"], 1, /cut is not a usable snapshot: truncated/],
    ["that there is no snapshot", ["unit.o", "--snapshot", "absent"], 1, /absent is not a usable snapshot: no such file/],
    ["that there is no update", ["absent", "--snapshot", "kernel"], 1, /absent is not a usable update: no such file/],
    ["that an object is damaged", ["broken.o", "--snapshot", "kernel"], 1, /broken\.o/],
    [
      "what an update does not need to be told",
      ["fix.tar.gz", "--target=mod", "--snapshot", "kernel"],
      2,
      /--target and --unit are for an object/,
    ],
    ["what does not go with an object", ["unit.o", "--partial", "--snapshot", "kernel"], 2, /--partial is for an update/],
  ])("%s", async (_, args, status, words) => {
    const result = await match(args);
    expect(result.stderr).toMatch(words);
    expect(result.exitCode).toBe(status);
  });

  it("with --trace how each function was found, and where a candidate differs", async () => {
    const fits = await match(["--trace", "-q", "fix.tar.gz", "--snapshot", "kernel"]);
    expect(fits.stderr.split("\n")).toContainEqual(expect.stringMatching(/^entry at 0xffffffff81[0-9a-f]{6}: the only candidate$/));
    const not = await match(["--trace", "-q", "unit.o", "--snapshot", "other"]);
    expect(not.stderr).toMatch(/^entry at 0xffffffff81[0-9a-f]{6}: differs at \+0x[0-9a-f]+: the instructions differ$/m);
  });

  it("all of it as JSON", async () => {
    const kernel = { release: "6.1.0-47-amd64", buildId: "ab".repeat(20) };
    const fits = await match(["--json", "fix.tar.gz", "--snapshot", "kernel"]);
    const unit = { functions: 2, matched: 2, skipped: [], mismatches: [] };
    expect(JSON.parse(fits.stdout)).toEqual({
      kernel,
      units: [
        { path: "kernel/unit.o", target: "vmlinux", kind: "matched", ...unit },
        { path: "drivers/mod.o", target: "mod", kind: "matched", ...unit, functions: 1, matched: 1 },
      ],
      imports: 2,
      fits: true,
    });
    const not = await match(["--json", "fix.tar.gz", "--snapshot", "other"]);
    expect(JSON.parse(not.stdout)).toMatchObject({
      kernel,
      units: [
        {
          kind: "mismatch",
          matched: 0,
          mismatches: [{ function: "entry", addr: expect.stringMatching(/^0xffffffff81/) as string }, { function: "other" }],
        },
        {},
      ],
      imports: 0,
      fits: false,
      reason: { code: "no-match", message: expect.stringContaining("kernel/unit.o") as string },
    });
    expect(not).toMatchObject({ stderr: "", exitCode: 1 });
  });
});

describe("ksplice snapshot", () => {
  it("wants a file", async () => {
    expect(await runCommand(["snapshot"])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("missing required argument 'file'") as string,
    });
  });
});
