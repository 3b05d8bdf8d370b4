import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../../src/host/package-root.js";

/** The line of the message of the day, said by needrestart: its file is evaluated as needrestart.conf does that, with needrestart's options set. */

const LINE = "Kernel 6.1.0-47-amd64 has 1 live update, effectively 6.1.0-47-amd64+ksplice.1.\n";
const SNIPPET = readFileSync(join(packageRoot(), "packaging/needrestart/ksplice.conf"), "utf8");
const dir = mkdtempSync(join(tmpdir(), "ksplice-needrestart-"));
const motd = join(dir, "motd");

beforeAll(() => {
  writeFileSync(motd, LINE);
});

afterAll(() => {
  rmSync(dir, { recursive: true });
});

/** @param options letters of the options that are given */
function evaluate(options: string, place = motd): unknown {
  const given = options.replaceAll(/./g, (letter) => `our $opt_${letter} = 1; `);
  const snippet = SNIPPET.replace("/run/motd.d/ksplice", place);
  const program = `use strict; use warnings; ${given}eval do { local $/; <STDIN> }; die "Error parsing: $@" if $@;`;
  const { status, stdout, stderr } = spawnSync("perl", ["-e", program], { input: snippet, encoding: "utf8" });
  return { status, stdout, stderr };
}

test.each(["", "k", "kl", "klw"])("is said with the options '%s'", (options) => {
  expect(evaluate(options)).toEqual({ status: 0, stdout: "", stderr: LINE });
});

test.each(["l", "w", "lw", "b", "p", "q", "kb", "kp"])(
  "is not said with '%s', which asks for something else, or is read by programs",
  (options) => {
    expect(evaluate(options)).toEqual({ status: 0, stdout: "", stderr: "" });
  },
);

test("nothing is said where there is nothing to say", () => {
  expect(evaluate("", join(dir, "absent"))).toEqual({ status: 0, stdout: "", stderr: "" });
});
