import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ManifestUnit } from "../../src/update/file/manifest.js";
import { makeUpdate, openUpdate, packUpdate, type Update } from "../../src/update/file/update-file.js";
import type { Verification } from "../../src/update/verify/verify-update.js";
import type { Edit } from "../support/edited-patch.js";
import { bootGuest, type Guest } from "./support/guest.js";
import { I2C_FIX, RAW_FIX, testTree, Workshop } from "./support/trees.js";

/** Run-post matching on a stock kernel: silent on fixes, and not on updates that were made wrong on purpose. */

/** Of units, built in and of modules, among whose code are static locals, jump labels and alternatives. */
const FIXES: readonly Edit[] = [
  ...RAW_FIX,
  ...I2C_FIX,
  { file: "kernel/pid.c", at: /(if \(flags & ~PIDFD_NONBLOCK\)\s*return )-EINVAL/, to: "$1-EDOM" },
  { file: "kernel/signal.c", at: /(?<=^SYSCALL_DEFINE3\(tgkill,[^{]*\{[^}]*)if \(pid <= 0 \|\| tgid <= 0(?=\))/m, to: "$& || sig == 4242" },
  {
    file: "net/core/rtnetlink.c",
    at: /(?<=^static int rtnl_ensure_unique_netns\([^{]*\{\n)/m,
    to: "\tif (!tb[IFLA_IFNAME] && tb[IFLA_NUM_VF])\n\t\treturn -EDOM;\n",
  },
  { file: "net/core/skbuff.c", at: /^void \*skb_pull_data\([^{]*\{\n(?:\tvoid .*;\n)?/m, to: "$&\n\tif (len == 4242)\n\t\treturn NULL;\n" },
  { file: "net/sched/sch_netem.c", at: /(?<=^\tqopt = nla_data\(opt\);\n)/m, to: "\tif (qopt->limit == 4242)\n\t\treturn -EDOM;\n" },
];
/** A unit that is compiled as the others are, and in which nothing changes. */
const UNCHANGED: Edit = {
  file: "net/ipv4/proc.c",
  at: /^#include <linux\/types\.h>$/m,
  to: "$&\n/* Nothing of this unit changes. */",
};

const workshop = new Workshop();
let many: string;
let two: Update;
let guest: Guest;

beforeAll(async () => {
  const { path } = await testTree("6.1");
  many = await workshop.createOfEdits(path, "many", [...FIXES, UNCHANGED]);
  two = await openUpdate(
    await workshop.createOfEdits(
      path,
      "two",
      FIXES.filter(({ file }) => ["net/ipv4/raw.c", "kernel/pid.c"].includes(file)),
    ),
  );
  guest = await bootGuest(path, { memoryMiB: 2048, expose: [workshop.dir] });
  for (const module of ["i2c-dev", "sch_netem"]) await guest.machine.loadModule(module);
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

describe("an update of seven units in three targets, with one unit that stays the same", () => {
  it("cannot be verified while it is not applied", async () => {
    const result = await guest.ksplice("", "verify", many);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("update many is not loaded into this kernel");
  });

  it("is verified, as it is applied and by itself", async () => {
    expect((await openUpdate(many)).manifest.checked).toEqual([
      { path: "net/ipv4/proc.o", target: "vmlinux", post: "post/net/ipv4/proc.o" },
    ]);
    expect(JSON.parse((await guest.mustRun("apply", "--verify", "--json", "--tries=30", many)).stdout)).toMatchObject({
      verification: { units: 8, findings: [] },
    });
    expect(await verify(many)).toMatchObject({ id: "many", units: 8, skippedTargets: [], findings: [] });
    await guest.mustRun("undo", "--unload", "--tries=30", "many");
    await guest.expectClean();
  });
});

describe("an update of two units", () => {
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
});
