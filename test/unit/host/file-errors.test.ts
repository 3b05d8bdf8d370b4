import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { whatOfFile, whyNotWritable } from "../../../src/host/file-errors.js";
import { temporaryDirectory } from "../../support/temp-dir.js";

const dir = temporaryDirectory();

function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}

it("a file that is missing is told with its path", () => {
  const path = join(dir, "missing");
  expect(whatOfFile(errorOf(() => readFileSync(path)))).toEqual({ reason: "no such file or directory", path });
});

it("a device without room is told, though the error does not know its path", () => {
  const full = openSync("/dev/full", "w");
  const error = errorOf(() => writeSync(full, "x"));
  closeSync(full);
  expect(whatOfFile(error)).toEqual({ reason: "no space is left on the device", path: undefined });
  expect(whyNotWritable(error)).toBe("no space is left on the device");
});

it("so is a directory that is read as a file", () => {
  mkdirSync(join(dir, "directory"));
  expect(whatOfFile(errorOf(() => readFileSync(join(dir, "directory"))))?.reason).toBe("is a directory");
});

it.each([
  new Error("no"),
  Object.assign(new Error("broken pipe"), { code: "EPIPE" }),
  Object.assign(new Error("spawn"), { code: "ENOENT" }),
  "text",
  undefined,
])("%s says nothing of a file", (error) => {
  expect(whatOfFile(error)).toBeUndefined();
  expect(whyNotWritable(error)).toBeUndefined();
});
