import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { runDepmod } from "../../../src/disk/depmod.js";
import { ModuleDirectory } from "../../../src/disk/module-directory.js";
import { putOnDisk } from "../../../src/disk/put-on-disk.js";
import { tellNobody } from "../../../src/events.js";
import { applyOnDisk, removeFromDisk, undoEverywhere } from "../../../src/service/on-disk.js";
import { startService } from "../../../src/service/start.js";
import { readStatus } from "../../../src/service/status/read-status.js";
import { RELEASE, shipModules, updateOnDisk } from "../../support/disk-samples.js";
import { FakeMachine } from "../../support/fake-service.js";
import type { FakeSystemOptions } from "../../support/fake-system.js";
import { writeFiles } from "../../support/temp-dir.js";
import { incoming } from "../../support/store-samples.js";

/** In memory, where there is such a file system: each write waits for the disk. */
const top = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "ksplice-on-disk-"));
afterAll(() => {
  rmSync(top, { recursive: true, force: true });
});

const FACTS = { release: RELEASE } as const;
const HOW = { partial: false, tries: 1, tell: tellNobody } as const;

let root: string;
beforeEach(async () => {
  root = mkdtempSync(join(top, "machine-"));
  shipModules(root);
  await runDepmod(new ModuleDirectory(root, RELEASE));
});

/** A machine whose modules lie in the directory. */
const machineWith = (options: FakeSystemOptions = {}, loaded: readonly string[] = []): FakeMachine => {
  const machine = new FakeMachine(root, { facts: FACTS, ...options });
  writeFiles(root, { "proc/kallsyms": "x", "proc/kcore": "x" });
  for (const module of loaded) machine.system.modules.add(module);
  return machine;
};
const put = async (ids: readonly string[]) => await putOnDisk(updateOnDisk(ids), { root, signer: undefined, tell: tellNobody });
const onDisk = async () => (await new ModuleDirectory(root, RELEASE).list()).map(({ id }) => id);
const targets = updateOnDisk(["fix"]).manifest.targets;
const install = async (machine: FakeMachine, id: string, more = {}) =>
  await machine.service.store.install(await incoming(id, { targets, ...more }), { partial: false, allowOlder: false, now: machine.time });

test("a module that is not loaded is put onto the disk, and nothing is done to the kernel", async () => {
  const machine = machineWith();
  const result = await applyOnDisk(machine.service, updateOnDisk(["fix"]), {}, HOW, true);
  expect(result).toEqual({ id: "fix", onDisk: ["sample_dev"], applied: undefined });
  expect(machine.system.done).toEqual(["root"]);
  expect(machine.events.map(({ what, message }) => [what, message])).toEqual([["applied", "update fix is on the disk, in sample_dev"]]);
});

test("one that is loaded, and that the kernel does not take the update for, has nothing on the disk either", async () => {
  const machine = machineWith({}, ["sample_dev"]);
  await expect(applyOnDisk(machine.service, updateOnDisk(["fix"]), {}, HOW, true)).rejects.toThrow();
  expect(await onDisk()).toEqual([]);
});

test("for another kernel only with the disk alone", async () => {
  const machine = machineWith({ facts: { release: "9.9.9" } });
  await expect(applyOnDisk(machine.service, updateOnDisk(["fix"]), {}, HOW, true)).rejects.toMatchObject({ code: "wrong-kernel" });
  expect(await onDisk()).toEqual([]);
  await applyOnDisk(machine.service, updateOnDisk(["fix"]), {}, HOW, false);
  expect(await onDisk()).toEqual(["fix"]);
});

test("but for what an earlier command has put there", async () => {
  await put(["fix"]);
  const machine = machineWith({}, ["sample_dev"]);
  await expect(applyOnDisk(machine.service, updateOnDisk(["fix"]), {}, HOW, true)).rejects.toThrow();
  expect(await onDisk()).toEqual(["fix"]);
});

test("in a container with the disk alone, which may be that of an image", async () => {
  const machine = machineWith();
  writeFiles(root, { "run/systemd/container": "docker\n" });
  await expect(applyOnDisk(machine.service, updateOnDisk(["fix"]), {}, HOW, true)).rejects.toMatchObject({ code: "in-container" });
  expect(await onDisk()).toEqual([]);
  await applyOnDisk(machine.service, updateOnDisk(["fix"]), {}, HOW, false);
  expect(await onDisk()).toEqual(["fix"]);
});

test("with the disk alone, the kernel is left as it is", async () => {
  const machine = machineWith({}, ["sample_dev"]);
  await applyOnDisk(machine.service, updateOnDisk(["fix"]), {}, HOW, false);
  expect(await onDisk()).toEqual(["fix"]);
  expect(machine.system.done).toEqual(["root"]);
});

test("an update that is applied already is put onto the disk, too", async () => {
  const machine = machineWith({}, ["sample_dev"]);
  machine.system.hold("fix", { stage: "applied" });
  expect(await applyOnDisk(machine.service, updateOnDisk(["fix"]), {}, HOW, true)).toMatchObject({
    onDisk: ["sample_dev"],
    applied: undefined,
  });
  expect(await onDisk()).toEqual(["fix"]);
});

test("an update that is older than the store's of its id does not come back by way of the disk", async () => {
  const machine = machineWith();
  await install(machine, "fix", { created: "2030-01-01T00:00:00Z" });
  await expect(applyOnDisk(machine.service, updateOnDisk(["fix"]), {}, HOW, false)).rejects.toMatchObject({ code: "older-update" });
  expect(await onDisk()).toEqual([]);
});

test("a kernel that wants signatures is told so before anything is written", async () => {
  const machine = machineWith({ policy: { wantsSignature: "it is locked down" } });
  await expect(applyOnDisk(machine.service, updateOnDisk(["fix"]), {}, HOW, true)).rejects.toMatchObject({ code: "signature-required" });
  expect(await onDisk()).toEqual([]);
});

test("an undo takes off the disk what is only there, and names the module that keeps the update", async () => {
  await put(["fix"]);
  const machine = machineWith({ marks: { sample_dev: ["fix"] } }, ["sample_dev"]);
  const result = await undoEverywhere(machine.service, "fix", HOW);
  expect(result).toMatchObject({ id: "fix", offDisk: ["sample_dev"], staysIn: ["sample_dev"], isResident: false });
  expect(await onDisk()).toEqual([]);
  await expect(undoEverywhere(machineWith().service, "fix", HOW)).rejects.toMatchObject({ code: "unknown-update" });
});

test("an undo that the kernel does not let go leaves the disk as it is, and so does one of an update below another", async () => {
  await put(["fix"]);
  const machine = machineWith({ answers: ["code_busy"] });
  machine.system.hold("fix", { stage: "applied" });
  await expect(undoEverywhere(machine.service, "fix", HOW)).rejects.toMatchObject({ code: "code-busy" });
  expect(await onDisk()).toEqual(["fix"]);
  await put(["fix", "next"]);
  await expect(undoEverywhere(machineWith().service, "fix", HOW)).rejects.toMatchObject({ code: "disk-module-of-newer" });
});

test("after a boot, an update whose module comes from the disk is in order, loaded or not", async () => {
  await put(["fix"]);
  const machine = machineWith();
  await install(machine, "fix");
  const { outcomes } = await startService(machine.service, { resume: false, tries: 1 });
  expect(outcomes).toMatchObject([{ id: "fix", state: "waiting", message: "sample_dev is not loaded, and comes with it from the disk" }]);
  const before = await readStatus(machine.service);
  expect([before.state, before.updates[0]?.state]).toEqual(["in-order", "on-disk"]);

  const later = machineWith({ marks: { sample_dev: ["fix"] } }, ["sample_dev"]);
  const resumed = await startService(later.service, { resume: false, tries: 1 });
  expect(resumed.outcomes).toMatchObject([{ id: "fix", state: "applied", message: "sample_dev came with it from the disk" }]);
  expect(later.system.done).toEqual(["root"]);
  const after = await readStatus(later.service);
  expect([after.state, after.updates[0]?.state, after.updates[0]?.reason]).toEqual([
    "in-order",
    "applied",
    "sample_dev came with it from the disk",
  ]);
});

test("the status tells of what is on the disk and not in service, and of a module that was loaded without it, or keeps it", async () => {
  await put(["fix"]);
  const stateOf = async (machine: FakeMachine) =>
    (await readStatus(machine.service)).updates.map(({ id, state, reason }) => [id, state, reason]);
  expect(await stateOf(machineWith())).toEqual([["fix", "on-disk", "sample_dev is not loaded, and comes with it from the disk"]]);
  const without = "sample_dev is loaded without it: apply it, or load the module anew";
  expect(await stateOf(machineWith({}, ["sample_dev"]))).toEqual([["fix", "on-disk", without]]);
  await removeFromDisk(machineWith().service, "fix", RELEASE);
  const keeps = "sample_dev came with it from the disk; the disk has it no more, and it goes when that is unloaded";
  expect(await stateOf(machineWith({ marks: { sample_dev: ["fix"] } }, ["sample_dev"]))).toEqual([["fix", "applied", keeps]]);
});
