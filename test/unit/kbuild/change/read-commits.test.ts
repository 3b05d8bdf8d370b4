import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Refusal } from "../../../../src/diagnostics.js";
import { readChange } from "../../../../src/kbuild/change/read-change.js";
import { temporaryDirectory, writeFiles } from "../../../support/temp-dir.js";

const top = temporaryDirectory();
const source = join(top, "linux");
const ENV = {
  ...process.env,
  GIT_CEILING_DIRECTORIES: top,
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_AUTHOR_DATE: "2026-01-01T00:00:00Z",
  GIT_COMMITTER_DATE: "2026-01-02T00:00:00Z",
};

function git(...words: string[]): string {
  const config = ["-c", "user.email=a@b.c", "-c", "user.name=n", "-c", "init.defaultBranch=main"];
  return execFileSync("git", ["-C", top, ...config, ...words], { env: ENV, encoding: "utf8" });
}

function commit(message: string, files: Readonly<Record<string, string>>): void {
  writeFiles(top, files);
  git("add", "-A");
  git("commit", "-q", "-m", message);
}

const RAW = Array.from({ length: 20 }, (_, index) => `int v${index};\n`).join("");
git("init", "-q");
commit("all", { "linux/net/raw.c": RAW, "linux/fs/a.c": "int fs;\n", "linux/logo": "\0a", "other/x.c": "int other;\n" });
git("tag", "base");
commit("net: one\n\nWhy.\n\nFixes: 012345678901\nSigned-off-by: n <a@b.c>", { "linux/net/raw.c": RAW.replace("v3;", "v3 = 3;") });
git("tag", "one");
commit("net: two", { "linux/net/raw.c": RAW.replace("v3;", "v3 = 4;"), "other/x.c": "int others;\n" });
git("tag", "two");
commit("elsewhere", { "other/x.c": "int more;\n" });
git("tag", "elsewhere");
git("mv", "linux/fs/a.c", "linux/fs/b.c");
commit("fs: moved", { "linux/fs/b.c": "int fs;\nint b;\n" });
git("tag", "moved");
commit("logo", { "linux/logo": "\0b" });
git("tag", "logo");
git("checkout", "-q", "-b", "side", "base");
commit("side", { "linux/net/side.c": "int side;\n" });
git("merge", "-q", "-m", "merge", "one");
git("tag", "merge");
git("checkout", "-q", "base");

async function refusalOf(words: string, from = source): Promise<string> {
  const error: unknown = await readChange(from, { git: words }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Refusal);
  return `${(error as Refusal).code}: ${(error as Refusal).message}`;
}

describe("of a repository", () => {
  test("a commit: what it changed below the source, its message, its date", async () => {
    const read = await readChange(source, { git: "one" });
    expect(read).toEqual({
      files: new Map([["net/raw.c", RAW.replace("v3;", "v3 = 3;")]]),
      notes: [],
      description: "net: one — Why.",
      cves: [],
      made: new Date("2026-01-02T00:00:00Z"),
    });
  });

  test("a range: each commit behind the one before; what lies elsewhere is left out", async () => {
    const { files, description } = await readChange(source, { git: "base..moved" });
    expect(Object.fromEntries(files)).toEqual({
      "net/raw.c": RAW.replace("v3;", "v3 = 4;"),
      "fs/a.c": undefined,
      "fs/b.c": "int fs;\nint b;\n",
    });
    expect(description).toBe("net: one; net: two; fs: moved — Why.");
  });

  test("a commit of a repository elsewhere, whose settings for `git diff` do not count", async () => {
    const bare = join(temporaryDirectory(), "kernel.git");
    execFileSync("git", ["clone", "-q", "--bare", top, bare]);
    execFileSync("git", ["-C", bare, "config", "diff.noprefix", "true"]);
    execFileSync("git", ["-C", bare, "config", "diff.external", "/bin/false"]);
    const { files } = await readChange(top, { git: "one", gitDir: bare });
    expect([...files.keys()]).toEqual(["linux/net/raw.c"]);
  });

  test("a commit whose lines are not there: refused by its name", async () => {
    expect(await refusalOf("two")).toMatch(/^patch-does-not-apply: commit [0-9a-f]+ \(net: two\) does not apply/);
  });

  test.each([
    ["none", /^no-such-commit: .* none$/],
    ["--output=/tmp/x", /^no-such-commit: .*--output/],
    ["base...one", /^not-a-range/],
    ["one..one", /^empty-range/],
    ["base", /^no-parent: commit [0-9a-f]+ \(all\) has no parent/],
    ["merge", /^merge-commit: commit [0-9a-f]+ \(merge\) is a merge/],
    ["elsewhere", /^commit-changes-nothing: elsewhere changes nothing below/],
    ["logo", /^not-a-text-patch: commit [0-9a-f]+ \(logo\) changes the binary file logo|binary file b\/logo/],
  ])("%s is refused", async (words, expected) => {
    expect(await refusalOf(words)).toMatch(expected);
  });

  test("a tree that is in no repository: refused", async () => {
    const alone = temporaryDirectory();
    writeFileSync(join(alone, "x.c"), "int x;\n");
    expect(await refusalOf("HEAD", alone)).toMatch(/^git-failed: .*\n.*not a git repository/);
    rmSync(join(alone, "x.c"));
  });
});
