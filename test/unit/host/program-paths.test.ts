import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { commandLine } from "../../../src/host/program-paths.js";

test.each(["", "apply", "create", "undo", "view"])("the program of '%s' is there once the project is built, and runs", (name) => {
  const [program, ...words] = commandLine(name);
  expect(spawnSync(program, [...words, "--version"], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
});
