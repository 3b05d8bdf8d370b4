import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { expect, it } from "vitest";
import { makeTemporary, removeAllTemporary, removeTemporary } from "../../../src/host/temporary.js";
import { temporaryDirectory } from "../../support/temp-dir.js";

const dir = temporaryDirectory();

it("a temporary directory is there until it is no longer needed", async () => {
  const [one, two] = await Promise.all([makeTemporary("x-", dir), makeTemporary("y-", dir)]);
  expect([existsSync(one), existsSync(two)]).toEqual([true, true]);
  await removeTemporary(one);
  expect(await readdir(dir)).toEqual([two.slice(dir.length + 1)]);
  await removeTemporary(two);
  expect(await readdir(dir)).toEqual([]);
});

it("all go before the process ends", async () => {
  await Promise.all([makeTemporary("x-", dir), makeTemporary("y-", dir)]);
  removeAllTemporary();
  expect(await readdir(dir)).toEqual([]);
});
