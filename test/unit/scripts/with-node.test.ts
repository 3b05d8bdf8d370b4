import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { packageRoot } from "../../../src/host/package-root.js";

/** A clone with a space in its name, with the scripts in it and a program that says which Node runs it. */
let clone: string;

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "ksplice with node-"));
  for (const name of ["bin", "scripts", "dist/cli"]) mkdirSync(join(clone, name), { recursive: true });
  for (const name of ["bin/ksplice", "scripts/with-node"]) copyFileSync(join(packageRoot(), name), join(clone, name));
  symlinkSync("ksplice", join(clone, "bin/ksplice-view"));
  writeFileSync(join(clone, "dist/cli/ksplice-view.cjs"), 'console.log(process.argv.slice(2).join(","))');
});

afterEach(() => {
  rmSync(clone, { recursive: true });
});

function bringNode(): void {
  const bin = join(clone, "runtime/node_modules/.bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "node"), '#!/bin/sh\necho "own: $2"\n', { mode: 0o755 });
}

const run = (program: string, ...args: string[]): string => execFileSync(join(clone, program), args, { encoding: "utf8", cwd: "/" });

test("a command runs with the machine's Node", () => {
  expect(run("bin/ksplice-view", "a b", "c")).toBe("a b,c\n");
});

test("where set-up has brought one, a command and all that is started by name run with that", () => {
  bringNode();
  expect(run("bin/ksplice-view", "a b")).toBe("own: a b\n");
  expect(run("scripts/with-node", "sh", "-c", "node x y")).toBe("own: y\n");
});

test("called through a link from elsewhere, a command finds its clone", () => {
  const elsewhere = mkdtempSync(join(tmpdir(), "ksplice-path-"));
  const link = join(elsewhere, "ksplice-view");
  symlinkSync(join(clone, "bin/ksplice-view"), link);
  expect(execFileSync(link, ["a"], { encoding: "utf8" })).toBe("a\n");
  rmSync(elsewhere, { recursive: true });
});
