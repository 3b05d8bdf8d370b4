import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { patchOfEdits } from "../support/edited-patch.js";
import { runHost, type HostResult } from "../support/run-host.js";
import { RAW_FIX, testTree, Workshop, type TestTree } from "../vm/support/trees.js";

/** What `ksplice-create --prebuild` does ahead, in a cache that has nothing. */

const workshop = new Workshop();
const cache = mkdtempSync(join(tmpdir(), "ksplice-prebuild-"));
let tree: TestTree;

beforeAll(async () => {
  tree = await testTree("6.1");
});
afterAll(() => {
  workshop.end();
  rmSync(cache, { recursive: true, force: true });
});

async function create(...args: string[]): Promise<HostResult> {
  const result = await runHost("create", ["--verbose", ...args, tree.path], { env: { ...process.env, XDG_CACHE_HOME: cache } });
  expect(result.stderr).not.toContain("internal error");
  return result;
}

/** Stages that only the first use of a kernel has. */
const onceIn = ({ stderr }: HostResult): string[] => stderr.split("\n").filter((line) => line.endsWith(", once"));

const compiled = (): number =>
  readdirSync(cache, { recursive: true, encoding: "utf8" }).filter((path) => path.includes("/objects/")).length;

it("the first update waits for nothing that was done ahead, and the second time nothing is done", async () => {
  const ahead = await create("--prebuild", "--prebuild-files=net/ipv4/raw.c");
  expect(ahead, ahead.stderr).toMatchObject({ exitCode: 0, stdout: `ready to make updates for ${tree.release}; 1 object compiled` });
  expect(onceIn(ahead)).toHaveLength(3);
  const objects = compiled();
  expect(objects).toBeGreaterThan(0);

  const again = await create("--prebuild", "--prebuild-files=net/ipv4/raw*.c", "--json");
  expect(onceIn(again)).toEqual([]);
  expect(JSON.parse(again.stdout)).toEqual({ release: tree.release, objects: 2 });

  const patch = join(workshop.dir, "raw.patch");
  writeFileSync(patch, patchOfEdits(tree.path, RAW_FIX));
  const update = await create(`--patch=${patch}`, `--output=${join(workshop.dir, "raw.tar.gz")}`);
  expect(update, update.stderr).toMatchObject({ exitCode: 0 });
  expect(onceIn(update)).toEqual([]);
});

it("a pattern that means no file is refused, before anything is compiled", async () => {
  const objects = compiled();
  const result = await create("--prebuild", "--prebuild-files=net/ipv4/raw.h");
  expect(result).toMatchObject({ exitCode: 2, stdout: "" });
  expect(result.stderr).toContain("nothing of this kernel's configuration is compiled from a file net/ipv4/raw.h");
  expect(compiled()).toBe(objects);
});
