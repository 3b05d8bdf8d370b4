import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bashCompletion } from "../../../packaging/bash-completion.js";
import { commandPages } from "../../../packaging/command-pages.js";

const dir = mkdtempSync(join(tmpdir(), "ksplice-completion-"));

beforeAll(() => {
  writeFileSync(join(dir, "completion"), bashCompletion(commandPages()));
  for (const name of ["some.patch", "other tree"]) mkdirSync(join(dir, "files", name), { recursive: true });
  writeFileSync(join(dir, "files/ksplice-a.tar.gz"), "");
});

afterAll(() => {
  rmSync(dir, { recursive: true });
});

/** What bash offers for the last word; readline is not there, so that compopt has nothing to set. */
function complete(...words: string[]): string[] {
  const script = 'compopt() { :; }; . "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ksplice; printf "%s\\n" "${COMPREPLY[@]}"';
  const output = execFileSync("bash", ["-c", script, join(dir, "completion"), ...words], { encoding: "utf8", cwd: join(dir, "files") });
  return output.split("\n").filter((line) => line !== "");
}

test.each<[string[], string[]]>([
  [["ksplice", "app"], ["apply"]],
  [
    ["ksplice", "-v", "un"],
    ["uname", "undo"],
  ],
  [["ksplice", "apply", "--tri"], ["--tries"]],
  [["ksplice", "--raw"], ["--raw-errors"]],
  [["/usr/bin/ksplice-apply", "--tri"], ["--tries"]],
  [["ksplice-apply", "ksplice-"], ["ksplice-a.tar.gz"]],
  // A value that is a number: nothing to offer, not files.
  [["ksplice-apply", "--tries", ""], []],
  [["ksplice", "create", "--patch", "so"], ["some.patch"]],
  [["ksplice", "create", "--patch", "=", "so"], ["some.patch"]],
  [
    ["ksplice", "create", "--patch", "="],
    ["ksplice-a.tar.gz", "other tree", "some.patch"],
  ],
  [["ksplice", "create", "-o", "k"], ["ksplice-a.tar.gz"]],
  [["ksplice", "create", "oth"], ["other tree"]],
  // Of directories only.
  [["ksplice", "create", "ksp"], []],
  [["ksplice", "create", "--id", ""], []],
  [
    ["ksplice", "service", "st"],
    ["start", "stop"],
  ],
  [["ksplice", "frobnicate", ""], []],
])("%j", (words, expected) => {
  expect(complete(...words).sort()).toEqual(expected);
});
