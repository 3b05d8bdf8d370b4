import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packUpdate } from "../../../src/update/file/update-file.js";
import { runCommand } from "../../support/run-command.js";
import { writeSnapshot } from "../../support/sample-fit.js";
import { applySample, type AppliedOptions } from "../../support/applied-sample.js";

/** `ksplice verify` with snapshots of made-up kernels: nothing here touches the running one. */

const UNIT = {
  path: "kernel/unit.o",
  pre: "int entry(int x) { return x * 3; }",
  post: "int entry(int x) { return x * 5; }",
  brought: ["entry"],
};

let dir: string;
const at = (name: string): string => join(dir, name);

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "ksplice-verify-"));
  const save = (name: string, options: AppliedOptions = {}): void => {
    const { fake, facts } = applySample([UNIT], options);
    writeSnapshot(at(name), fake, facts);
  };
  save("good");
  save("bad", { forgotten: ["entry"] });
  save("unpatched", { facts: { updates: [] } });
  writeFileSync(at("fix.tar.gz"), await packUpdate(applySample([UNIT]).update));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

async function verify(...args: string[]): Promise<{ stdout: string; stderr: string; exitCode: number }> {
  const { stdout, stderr, exitCode } = await runCommand(["verify", ...args], { cwd: dir });
  expect(stderr).not.toContain("internal error");
  return { stdout: stdout.replace(/in \d+ ms/, "in N ms").replace(/0x[0-9a-f]{16}/g, "ADDR"), stderr, exitCode };
}

const COMPARED = "1 unit, 1 function and 1 shared name compared in N ms";

describe("ksplice verify says", () => {
  it.each<[string, string[], string]>([
    ["that an update is right", ["fix.tar.gz", "--snapshot", "good"], `fix: verified; ${COMPARED}`],
    ["the same of one that is named by its id", ["fix", "--file=fix.tar.gz", "--snapshot", "good"], `fix: verified; ${COMPARED}`],
    ["nothing with -q", ["-q", "fix.tar.gz", "--snapshot", "good"], ""],
  ])("%s", async (_, args, stdout) => {
    expect(await verify(...args)).toEqual({ stdout, stderr: "", exitCode: 0 });
  });

  it("what is wrong with one that is not", async () => {
    const { stdout, exitCode } = await verify("fix.tar.gz", "--snapshot", "bad");
    expect(exitCode).toBe(1);
    expect(stdout.split("\n")).toEqual([
      `fix: NOT verified, 3 findings; ${COMPARED}`,
      "  kernel/unit.o: entry: the update replaces it, and the core does not list it [not-redirected]",
      "  kernel/unit.o: entry: its patched code is at ADDR (entry [ksplice_fix_vmlinux]), and entry at ADDR (entry) does not lead there [not-redirected]",
      "  kernel/unit.o: entry: entry is ADDR (entry [ksplice_fix_vmlinux]) here, and the running kernel has it at ADDR (entry), which does not lead there [wrong-address]",
    ]);
  });

  it("the same as JSON", async () => {
    const { stdout, exitCode } = await verify("--json", "fix.tar.gz", "--snapshot", "bad");
    expect(exitCode).toBe(1);
    const kinds = ["not-redirected", "not-redirected", "wrong-address"];
    expect(JSON.parse(stdout)).toMatchObject({
      id: "fix",
      units: 1,
      findings: kinds.map((kind) => ({ unit: "kernel/unit.o", symbol: "entry", kind })),
    });
  });
});

describe("ksplice verify refuses", () => {
  it.each<[string, string[], number, RegExp]>([
    ["an update that is not applied", ["fix.tar.gz", "--snapshot", "unpatched"], 1, /update fix is not loaded into this kernel/],
    ["an id without its file", ["fix"], 2, /the kernel does not keep the objects of fix: name its tarball with --file/],
    ["the file of another id", ["other", "--file=fix.tar.gz"], 2, /fix\.tar\.gz is update fix, not other/],
    ["what is no update", ["good"], 1, /good is not a usable update/],
  ])("%s", async (_, args, status, words) => {
    const { stderr, exitCode } = await verify(...args);
    expect(stderr).toMatch(words);
    expect(exitCode).toBe(status);
  });
});
