import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { diffCommand } from "../../../src/cli/diff.js";
import { Refusal } from "../../../src/diagnostics.js";
import { GCC, KERNEL_LIKE_FLAGS, SECTION_FLAGS, compileBytes } from "../../support/compile-object.js";

let dir: string;
const file = (name: string): string => join(dir, name);

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "ksplice-diff-command-"));
  const compile = (name: string, source: string): void => {
    writeFileSync(file(name), compileBytes(source, GCC ?? "gcc", [...KERNEL_LIKE_FLAGS, ...SECTION_FLAGS]));
  };
  compile("pre.o", "int log_line(int); int n = 1; int f(int x) { return log_line(x) + n; }");
  compile("post.o", "int log_line(int); int n = 1; static int m; int f(int x) { return log_line(x + m++) + n; }");
  compile("data.o", "int log_line(int); int n = 2; int f(int x) { return log_line(x) + n; }");
  writeFileSync(file("text.o"), "this is not an object");
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});
afterEach(() => {
  process.exitCode = undefined;
  vi.restoreAllMocks();
});

async function run(...args: string[]): Promise<{ stdout: string; stderr: string; status: unknown }> {
  const written = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      written[stream] += String(text);
      return true;
    });
  await diffCommand().parseAsync(args, { from: "user" });
  return { ...written, status: process.exitCode };
}

describe("ksplice diff", () => {
  it("prints what changed as JSON, exit status 0", async () => {
    const { stdout, status } = await run(file("pre.o"), file("post.o"), "--json");
    expect(JSON.parse(stdout)).toEqual({
      verdict: "changed",
      functions: { changed: [{ name: "f", reasons: ["code"] }], new: [], removed: [] },
      data: { changed: [], new: [{ name: "m" }], removed: [] },
      refusals: [],
      notes: [],
    });
    expect(status).toBe(0);
  });

  it("no change: exit status 66", async () => {
    expect(await run(file("pre.o"), file("pre.o"))).toEqual({ stdout: "no change\n", stderr: "", status: 66 });
  });

  it("refused: exit status 1, the reason on stderr", async () => {
    const { stdout, stderr, status } = await run(file("pre.o"), file("data.o"));
    expect(stdout).toBe("changed data n\n");
    expect(stderr).toMatch(/^refused \(changed-data\): the initial value of n changes/);
    expect(status).toBe(1);
  });

  it("refused, as JSON", async () => {
    const { stdout, status } = await run(file("pre.o"), file("data.o"), "--json");
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "refused", refusals: [{ code: "changed-data", symbol: "n" }] });
    expect(status).toBe(1);
  });

  it("shows both sides of a changed function", async () => {
    const { stdout } = await run(file("pre.o"), file("post.o"), "--disassemble");
    expect(stdout).toContain("\nf:\n");
    expect(stdout).toMatch(/^\+ .*<\.bss\.m>$/m);
    expect(stdout).toMatch(/^ {2} .*call .*<log_line>$/m);
  });

  it.each([
    ["missing.o", "no such file or directory"],
    ["text.o", "not an ELF file"],
  ])("%s is named with the reason", async (name, reason) => {
    await expect(run(file(name), file("pre.o"))).rejects.toThrow(Refusal);
    await expect(run(file(name), file("pre.o"))).rejects.toThrow(`${file(name)}: ${reason}`);
  });
});
