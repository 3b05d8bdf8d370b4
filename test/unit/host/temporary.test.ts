import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { makeTemporary, makeTemporaryAt, removeAllTemporary, removeTemporary } from "../../../src/host/temporary.js";
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

it("one with a name of its own begins empty, whatever somebody left there who was killed", async () => {
  const place = join(dir, "place");
  mkdirSync(place);
  writeFileSync(join(place, "left"), "");
  await makeTemporaryAt(place);
  expect(await readdir(place)).toEqual([]);
  removeAllTemporary();
  expect(await readdir(dir)).toEqual([]);
});
