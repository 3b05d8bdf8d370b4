import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { makeUnfinished } from "../../../src/host/unfinished.js";
import { temporaryDirectory } from "../../support/temp-dir.js";

it("deletes what killed processes left under the same prefix, and nothing else", async () => {
  const parent = temporaryDirectory();
  const { pid } = spawnSync("true");
  const kept = [`.47-${process.pid}-abcdef`, `.48-${pid}-abcdef`, ".47-other"];
  for (const name of [...kept, `.47-${pid}-abcdef`]) mkdirSync(join(parent, name, "within"), { recursive: true });
  const made = await makeUnfinished(parent, ".47-");
  expect(readdirSync(parent).sort()).toEqual([...kept, basename(made)].sort());
});
