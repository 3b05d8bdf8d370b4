import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it, test } from "vitest";
import { packUpdate } from "../../../src/update/file/update-file.js";
import { applySample } from "../../support/applied-sample.js";
import { runCommand } from "../../support/run-command.js";
import { temporaryDirectory } from "../../support/temp-dir.js";

const dir = temporaryDirectory();
const UNIT = {
  path: "kernel/unit.o",
  pre: "int entry(int x) { return x * 3; }",
  post: "int entry(int x) { return x * 5; }",
  brought: ["entry"],
};
let id: string;

beforeAll(async () => {
  const { update } = applySample([UNIT]);
  id = update.manifest.id;
  writeFileSync(join(dir, "fix.tar.gz"), await packUpdate(update));
});

it("writes a page beside which nothing else is needed", async () => {
  expect(await runCommand(["review", "fix.tar.gz"], { cwd: dir })).toMatchObject({
    exitCode: 0,
    stdout: `ksplice-${id}.html`,
    stderr: "",
  });
  expect(readFileSync(join(dir, `ksplice-${id}.html`), "utf8")).toContain("<code>entry</code>");
  const told = await runCommand(["review", "--json", "-o", "page.html", "fix.tar.gz"], { cwd: dir });
  expect(JSON.parse(told.stdout)).toEqual({ id, output: "page.html" });
});

test.each<[name: string, content: string | undefined, words: RegExp]>([
  ["that is not there", undefined, /missing\.json cannot be read/],
  ["that is no JSON", "FAILED", /is not what ksplice rehearse --json prints/],
  ["of another command", "{}", /is not what ksplice rehearse --json prints/],
  ["of another update", JSON.stringify({ id: "other", matching: {}, verification: {}, stopNs: {} }), /of update other, not of/],
])("a rehearsal %s is refused, and nothing is written", async (_, content, words) => {
  const file = content === undefined ? "missing.json" : "rehearsal.json";
  if (content !== undefined) writeFileSync(join(dir, file), content);
  const { exitCode, stderr } = await runCommand(["review", "-o", "none.html", "--rehearsal", file, "fix.tar.gz"], { cwd: dir });
  expect(stderr).toMatch(words);
  expect(exitCode).toBe(2);
  expect(existsSync(join(dir, "none.html"))).toBe(false);
});
