import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ManifestUnit } from "../../src/update/file/manifest.js";
import { makeUpdate, openUpdate, packUpdate, type Update } from "../../src/update/file/update-file.js";
import type { Verification } from "../../src/update/verify/verify-update.js";
import { patchOfEdits } from "../support/edited-patch.js";
import { bootGuest, type Guest } from "./support/guest.js";
import { archivePatches, testTree, Workshop, type TestTree } from "./support/trees.js";

/** Run-post matching on a stock kernel: silent on real fixes, and not on updates that were made wrong on purpose. */

/** Files that Debian changed in a point release, built in and in a module; static locals, jump labels and alternatives are among their code. */
const FIXES: readonly (readonly [file: string, module?: string])[] = [
  ["kernel/signal.c"],
  ["net/core/rtnetlink.c"],
  ["net/core/skbuff.c"],
  ["drivers/i2c/i2c-dev.c", "i2c-dev"],
  ["net/sched/sch_netem.c", "sch_netem"],
];

const workshop = new Workshop();
const updates = new Map<string, string>();
let tree: TestTree;
let two: Update;
let guest: Guest;

beforeAll(async () => {
  tree = await testTree("6.1");
  const patches = await archivePatches(tree, ["net/ipv4/raw.c", "kernel/pid.c"]);
  const comment = patchOfEdits(tree.path, [
    { file: "net/ipv4/proc.c", at: /^#include <linux\/types\.h>$/m, to: "$&\n/* Nothing of this unit changes. */" },
  ]);
  const patch = [patches.get("net/ipv4/raw.c"), patches.get("kernel/pid.c"), comment].join("");
  two = await openUpdate(await workshop.create(tree.path, "two", patch));
  guest = await bootGuest(tree.path, { memoryMiB: 2048, expose: [workshop.dir] });
});

afterAll(async () => {
  await guest.end();
  workshop.end();
});

/**
 * The update of two units with something else in one of them.
 * @param name of its file, another one each time: the guest reads a file once
 */
async function tampered(
  name: string,
  path: string,
  change: (unit: ManifestUnit) => Partial<ManifestUnit>,
  files = two.files,
): Promise<string> {
  const { manifest } = two;
  const targets = manifest.targets.map((target) => ({
    ...target,
    units: target.units.map((unit) => (unit.path === path ? { ...unit, ...change(unit) } : unit)),
  }));
  return await write(name, makeUpdate({ ...manifest, targets }, files));
}

async function write(name: string, update: Update): Promise<string> {
  const path = join(workshop.dir, `${name}.tar.gz`);
  writeFileSync(path, await packUpdate(update));
  return path;
}

async function verify(path: string): Promise<Verification> {
  const result = await guest.ksplice("", "verify", "--json", path);
  const verification = JSON.parse(result.stdout) as Verification;
  expect(result.exitCode, result.stderr).toBe(verification.findings.length === 0 ? 0 : 1);
  return verification;
}

describe("an update of two units, with one that stays the same", () => {
  it("is verified, by itself and as it is applied", async () => {
    expect(two.manifest.checked).toEqual([{ path: "net/ipv4/proc.o", target: "vmlinux", post: "post/net/ipv4/proc.o" }]);
    const path = await write("two", two);
    expect(JSON.parse((await guest.mustRun("apply", "--verify", "--json", path)).stdout)).toMatchObject({
      verification: { units: 3, findings: [] },
    });
    expect(await verify(path)).toMatchObject({ id: "two", units: 3, skippedTargets: [], findings: [] });
    // The next one has its name, and other contents.
    await guest.mustRun("undo", "--unload", "two");
    await guest.expectClean();
  });

  it("is found to be wrong where one function is not replaced, and undone", async () => {
    const path = await tampered("forgotten", "net/ipv4/raw.o", ({ functions }) => ({
      functions: functions.filter(({ name }) => name !== "raw_sendmsg"),
    }));
    const refused = await guest.ksplice("apply", "--verify", "--json", path);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("it was undone");
    const { error } = JSON.parse(refused.stdout) as { error: { code: string; items: { code: string; symbol: string }[] } };
    expect(error.code).toBe("not-verified");
    expect(error.items).toContainEqual(expect.objectContaining({ code: "not-redirected", symbol: "raw_sendmsg" }));
    await guest.mustRun("undo", "--unload", "two");
    await guest.expectClean();
  });

  it("is found to be wrong where the patched object is another one", async () => {
    const files = new Map(two.files).set("post/net/ipv4/raw.o", two.files.get("pre/net/ipv4/raw.o") ?? new Uint8Array(0));
    const path = await tampered("exchanged", "net/ipv4/raw.o", () => ({}), files);
    await guest.mustRun("apply", path);
    const { findings } = await verify(path);
    expect(findings).toContainEqual(expect.objectContaining({ symbol: "raw_sendmsg", kind: "mismatch" }));
    // The next one has its name, and other contents.
    await guest.mustRun("undo", "--unload", "two");
    await guest.expectClean();
  });

  it("cannot be verified while it is not applied", async () => {
    const result = await guest.ksplice("", "verify", join(workshop.dir, "two.tar.gz"));
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("update two is not loaded into this kernel");
  });
});

describe("real fixes, all applied at once", () => {
  beforeAll(async () => {
    const patches = await archivePatches(
      tree,
      FIXES.map(([file]) => file),
    );
    for (const [index, [file, module]] of FIXES.entries()) {
      const id = `fix${String(index)}`;
      updates.set(id, await workshop.create(tree.path, id, patches.get(file) ?? ""));
      if (module !== undefined) await guest.machine.loadModule(module);
    }
  });

  it("are all verified", async () => {
    for (const path of updates.values()) await guest.mustRun("apply", "--tries=30", path);
    for (const [id, path] of updates) {
      const verification = await verify(path);
      expect(verification, id).toMatchObject({ id, units: 1, findings: [] });
      process.stderr.write(`      ${id}: ${verification.functions} functions, ${verification.milliseconds} ms\n`);
    }
    for (const id of [...updates.keys()].reverse()) await guest.mustRun("undo", "--tries=30", id);
    await guest.expectClean();
  });
});
