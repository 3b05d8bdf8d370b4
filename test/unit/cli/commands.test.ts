import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { machine, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { KSPLICE_ABI } from "../../../src/index.js";
import { packUpdate } from "../../../src/update/file/update-file.js";
import { runCommand } from "../../support/run-command.js";
import { runHost } from "../../support/run-host.js";
import { sampleUpdate } from "../../support/sample-update.js";

/** The commands as a user meets them: what they say, where, and with which status. Nothing here touches a kernel or a kernel tree. */

const dir = mkdtempSync(join(tmpdir(), "ksplice-cli-"));
writeFileSync(join(dir, "some.patch"), "x\n");
afterAll(() => {
  rmSync(dir, { recursive: true });
});

describe("exit status and words", () => {
  it("are those of a program of its own, too", async () => {
    const result = await runHost("create", ["--patch=x", "/nonexistent"]);
    expect(result).toMatchObject({ stdout: "", exitCode: 1 });
    expect(result.stderr).toContain("no kernel source tree at /nonexistent");
  });

  it.each<[string, string, string[], number, RegExp]>([
    ["help", "create", ["--help"], 0, /^$/],
    ["an unknown option", "create", ["--frobnicate", dir], 2, /unknown option '--frobnicate'/],
    ["a missing argument", "apply", [], 2, /missing required argument 'update'/],
    ["no change", "create", [dir], 2, /give exactly one of --patch=FILE, --series=FILE, --git=COMMIT, --diffext=EXT and --prebuild/],
    ["files to compile ahead of an update", "create", ["--patch=x", "--prebuild-files=y", dir], 2, /--prebuild-files goes with --prebuild/],
    ["a patch and no update", "create", ["--patch=x", "--prebuild", dir], 2, /--prebuild makes no update/],
    ["work ahead in a tree that is not there", "create", ["--prebuild", "/nonexistent"], 1, /no kernel source tree at \/nonexistent/],
    ["both", "create", ["--patch=x", "--diffext=y", dir], 2, /exactly one/],
    ["a number that is none", "apply", ["--tries=0", "x"], 2, /at least 1/],
    ["an option of the original that is gone", "create", ["--standalone", dir], 2, /not supported: every update brings all that it needs/],
    ["a repository without a commit", "create", ["--patch=x", "--git-dir=y", dir], 2, /--git-dir goes with --git/],
    ["what to strip of a commit", "create", ["--git=HEAD", "-p0", dir], 2, /--strip and --patch-opt go with --patch or --series/],
    ["a depth that is none", "create", ["--patch=x", "--strip=-1", dir], 2, /at least 0/],
    ["a tree that is not there", "create", ["--patch=x", "/nonexistent"], 1, /no kernel source tree at \/nonexistent/],
    ["diffext in a tree that is not there", "create", ["--diffext=.new", "/nonexistent"], 1, /\/nonexistent/],
    [
      "an output that cannot be written",
      "create",
      ["--patch=x", "--output=/nonexistent/x", dir],
      1,
      /\/nonexistent: no such file or directory/,
    ],
    ["a bad id", "create", ["--id=a_b", "--patch=x", dir], 1, /"a_b" cannot be an update's id/],
    ["an id that is taken", "create", ["--id=version", "--patch=x", dir], 1, /"version" cannot be/],
    ["an update that is not there", "apply", ["/nonexistent.tar.gz"], 1, /\/nonexistent\.tar\.gz is not a usable update: no such file/],
    ["an update that is none", "view", [`--file=${join(dir, "some.patch")}`], 1, /truncated or corrupted/],
    ["a key without its certificate", "apply", ["--sign-key=k", "x"], 2, /--sign-key and --sign-cert go together/],
    ["two signers", "apply", ["--sign-key=k", "--sign-cert=c", "--signer=true", "x"], 2, /it does not go with --sign-key/],
    ["two ways to view", "view", ["--id=a", "--file=b"], 2, /exclude each other/],
  ])("%s", async (_, command, args, status, words) => {
    const result = await runCommand([command, ...args]);
    expect(result.stderr).not.toContain("internal error");
    expect(result.stderr).toMatch(words);
    expect(result.exitCode).toBe(status);
  });

  it("with --raw-errors the first line is the code", async () => {
    for (const args of [["--patch=x", dir], ["--frobnicate", dir], [dir]])
      expect((await runCommand(["create", "--raw-errors", ...args])).stderr).toMatch(/^OTHER\n/);
  });

  it("with --json an error is JSON on standard output as well", async () => {
    const result = await runHost("apply", ["--json", "/nonexistent.tar.gz"]);
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: "bad-update" } });
    expect(result.exitCode).toBe(1);
  });

  it("an update for another kernel is refused before anything else is asked of this one", async () => {
    const path = join(dir, "ksplice-other.tar.gz");
    const kernel = { release: "5.4.0-of-another-machine", machine: machine(), compiler: "gcc-12" };
    writeFileSync(path, await packUpdate(sampleUpdate({ kernel })));
    const result = await runCommand(["apply", path]);
    expect(result).toMatchObject({ exitCode: 1 });
    expect(result.stderr).toContain("5.4.0-of-another-machine");
    expect(JSON.parse((await runCommand(["apply", "--json", path])).stdout)).toMatchObject({ error: { code: "wrong-kernel" } });
  });

  it("a variable that makes no sense is named", async () => {
    const result = await runHost("create", ["--patch=x", dir], { env: { ...process.env, CONCURRENCY_LEVEL: "many" } });
    expect(result).toMatchObject({ exitCode: 2 });
    expect(result.stderr).toContain('CONCURRENCY_LEVEL is "many"');
  });

  it("each program says its version, and that of its interface", async () => {
    for (const name of ["create", "apply", "undo", "view"]) {
      expect((await runHost(name, ["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+$/);
      expect((await runHost(name, ["--api-version"])).stdout).toBe(String(KSPLICE_ABI));
    }
  });
});
