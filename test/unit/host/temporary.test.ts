import { execa } from "execa";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeTemporary, removeTemporary } from "../../../src/host/temporary.js";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ksplice-temporary-"));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

it("a temporary directory is removed when it is no longer needed, and takes the signal handlers with it", async () => {
  const before = process.listenerCount("SIGINT");
  const [one, two] = await Promise.all([makeTemporary(join(dir, "x-")), makeTemporary(join(dir, "y-"))]);
  expect(existsSync(one)).toBe(true);
  expect(process.listenerCount("SIGINT")).toBe(before + 1);
  await removeTemporary(one);
  await removeTemporary(two);
  expect(await readdir(dir)).toEqual([]);
  expect(process.listenerCount("SIGINT")).toBe(before);
});

it.each([
  ["SIGINT", ""],
  ["SIGTERM", ""],
  ["SIGTERM", 'process.prependListener("SIGTERM", () => console.log("what is done stays"));'],
] as const)("%s removes it, and still ends the program, whoever else listens: %s", async (signal, besides) => {
  const module = new URL("../../../dist/src/host/temporary.js", import.meta.url).href;
  const program = `${besides} const { makeTemporary } = await import(${JSON.stringify(module)}); await makeTemporary(${JSON.stringify(join(dir, "x-"))}); console.log("ready"); setInterval(() => {}, 1000);`;
  const child = execa(process.execPath, ["--input-type=module", "-e", program], { reject: false });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  expect((await readdir(dir)).length).toBe(1);
  child.kill(signal);
  expect((await child).signal).toBe(signal);
  expect(await readdir(dir)).toEqual([]);
});
