import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Rehearsal } from "../../src/rehearse/rehearsal.js";
import { patchOfEdits } from "../support/edited-patch.js";
import { ownKernel, type OwnKernel } from "../../examples/own-kernel.js";
import { runHost } from "../support/run-host.js";
import { RAW_FIX, testTree, Workshop } from "../vm/support/trees.js";

/** A kernel that the user has built in its source: prepared, an update of it made, and rehearsed. */

const workshop = new Workshop();
let kernel: OwnKernel;

beforeAll(async () => {
  kernel = await ownKernel((await testTree("6.1")).path);
  rmSync(join(kernel.tree, "ksplice"), { recursive: true, force: true });
}, 7_200_000);

afterAll(() => {
  workshop.end();
});

/** The build, file by file: its own directory of ours aside. */
const stateOf = (tree: string): string[] =>
  readdirSync(tree, { recursive: true, encoding: "utf8" })
    .filter((path) => !path.startsWith("ksplice"))
    .map((path) => `${path} ${statSync(join(tree, path)).isDirectory() ? "" : statSync(join(tree, path)).mtimeMs}`)
    .sort();

it("is patched from the build as it lies, and the build stays as it is", async () => {
  const before = stateOf(kernel.tree);
  const prepared = await runHost("", ["prepare", "--build", kernel.tree]);
  expect(prepared, prepared.stderr).toMatchObject({ exitCode: 0 });
  const update = await workshop.create(kernel.tree, "own", patchOfEdits(kernel.tree, RAW_FIX));
  expect(stateOf(kernel.tree)).toEqual(before);

  const rehearsed = await runHost("", [
    "rehearse",
    update,
    "--tree",
    kernel.tree,
    "--probe",
    await workshop.probe("raw-hdrincl"),
    ...["--expose", workshop.dir],
    "--json",
  ]);
  expect(rehearsed, rehearsed.stderr).toMatchObject({ exitCode: 0 });
  const { release, functions, failures } = JSON.parse(rehearsed.stdout) as Rehearsal;
  expect({ release, failures }).toEqual({ release: kernel.release, failures: [] });
  expect(functions.map(({ name }) => name)).toEqual(["raw_sendmsg"]);
});
