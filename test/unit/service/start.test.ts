import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Refusal } from "../../../src/diagnostics.js";
import { tellNobody } from "../../../src/events.js";
import { beforeEach, describe, expect, test } from "vitest";
import { applyGuarded, undoNoted, type GuardedOptions } from "../../../src/service/apply-guarded.js";
import { clearHeld, forgetMarks, hold, markWell } from "../../../src/service/guard/settle.js";
import { applyFromStore, installUpdate, removeUpdate } from "../../../src/service/in-service.js";
import { readAppliedRecords } from "../../../src/service/run-state.js";
import { startService, type StartReport } from "../../../src/service/start.js";
import type { Incoming } from "../../../src/service/store/update-store.js";
import { packUpdate } from "../../../src/update/file/update-file.js";
import { FakeMachine } from "../../support/fake-service.js";
import { sampleUpdate, type SampleOptions } from "../../support/sample-fit.js";
import { incoming } from "../../support/store-samples.js";
import { temporaryDirectory, writeFiles } from "../../support/temp-dir.js";

const top = temporaryDirectory();
let count = 0;
let machine: FakeMachine;
let release: string;

beforeEach(() => {
  machine = new FakeMachine(join(top, `machine-${++count}`));
  release = machine.system.identity().release;
});

/** An update that fits the fake kernel, as it comes in. */
async function fitting(manifest: SampleOptions["manifest"] = {}, targets: SampleOptions["targets"] = ["vmlinux"]): Promise<Incoming> {
  const update = sampleUpdate({ manifest, targets });
  return { update, tarball: await packUpdate(update) };
}

async function install(given: Incoming, partial = false): Promise<void> {
  await installUpdate(machine.service, given, { partial, allowOlder: false, now: machine.time }, false);
}

const start = async (resume = false): Promise<StartReport> => await startService(machine.service, { tries: 1, resume });
const outcomes = ({ outcomes: all }: StartReport): string[] => all.map(({ id, state, code = "" }) => `${id} ${state} ${code}`.trim());
const applied = (): string[] => machine.system.done.filter((line) => line.startsWith("applied "));
const marks = (): string[] => readdirSync(machine.path(`var/lib/ksplice/${release}`)).filter((name) => name.endsWith(".mark"));
const held = async (): Promise<string[]> =>
  (await machine.service.store.list(release)).flatMap((entry) => (entry.held === undefined ? [] : [`${entry.id} ${entry.held.detail}`]));

describe("at boot", () => {
  test("what is in service is applied, in its order; what is applied already is left alone", async () => {
    await install(await fitting({ id: "b" }));
    await install(await fitting({ id: "a" }));
    expect(outcomes(await start())).toEqual(["b applied", "a applied"]);
    expect(applied()).toEqual(["applied b", "applied a"]);
    expect(outcomes(await start())).toEqual(["b applied", "a applied"]);
    expect(applied().length).toBe(2);
    expect(machine.events.map(({ what, id }) => `${what} ${id ?? ""}`)).toEqual(["installed b", "installed a", "applied b", "applied a"]);
    expect(machine.later).toEqual(["ksplice-well: service well in 300 s"]);
  });

  test("nothing is done for another kernel, and that is said", async () => {
    const kernel = { release: "5.10.0", machine: "x86_64" as const, compiler: "gcc-12" };
    await install(await incoming("other", { kernel }));
    mkdirSync(machine.path("var/lib/ksplice/5.4.0"));
    expect(await start()).toMatchObject({ outcomes: [], otherReleases: ["5.10.0"] });
    expect(machine.system.done).toEqual(["root"]);
  });

  test("one that fails keeps out what needs it, and nothing else", async () => {
    await install(await fitting({ id: "a" }));
    await install(await fitting({ id: "b", after: ["a"] }));
    await install(await fitting({ id: "c" }));
    machine.boot("", { answers: ["no_match", "done"] });
    expect(outcomes(await start())).toEqual(["a failed no-match", "b left-out needs-missing", "c applied"]);
    expect(machine.said).toContain("b is left out: it needs a, which is not applied");
    expect(machine.events.at(-2)).toMatchObject({ what: "failed", id: "a", code: "no-match" });
    expect(marks()).toEqual(["c.mark"]);
  });

  test("one that was spoilt in the store is not applied", async () => {
    await install(await fitting({ id: "a" }));
    const dir = machine.path(`var/lib/ksplice/${release}`);
    writeFileSync(join(dir, readdirSync(dir).find((name) => name.startsWith("a-")) ?? ""), "spoilt");
    expect(outcomes(await start())).toEqual(["a failed damaged-store"]);
    expect(applied()).toEqual([]);
  });

  test.each(["ro ksplice.disable", "ksplice.disable=1 quiet", "ksplice.disable=0 ksplice.disable=yes"])(
    "%s keeps all out",
    async (cmdline) => {
      await install(await fitting());
      machine.boot(cmdline);
      expect(await start()).toMatchObject({ outcomes: [], disabledBy: expect.stringContaining("on the kernel's command line") as string });
      expect(applied()).toEqual([]);
    },
  );

  test.each(["ksplice.disable=0", "ksplice.disabled", "foo=ksplice.disable"])("%s does not", async (cmdline) => {
    await install(await fitting());
    machine.boot(cmdline);
    expect(outcomes(await start())).toEqual(["fix applied"]);
  });

  test("/etc/ksplice/disabled keeps all out", async () => {
    await install(await fitting());
    writeFiles(machine.root, { "etc/ksplice/disabled": "" });
    expect(await start()).toMatchObject({ outcomes: [], disabledBy: "/etc/ksplice/disabled" });
  });

  test("where the memory of a crashed kernel is saved, nothing is done, and its marks stay", async () => {
    await install(await fitting());
    await start();
    machine.boot();
    writeFiles(machine.root, { "proc/vmcore": "" });
    expect(await start()).toMatchObject({ isCrashKernel: true, outcomes: [] });
    expect(marks()).toEqual(["fix.mark"]);
  });
});

describe("a module that is not loaded", () => {
  test("is waited for; its coming has the update applied", async () => {
    await install(await fitting({}, ["vmlinux", "mod"]));
    expect(await start()).toMatchObject({ outcomes: [{ id: "fix", state: "waiting", modules: ["mod"] }] });
    expect(readdirSync(machine.path("run/ksplice/waiting"))).toEqual(["mod"]);
    expect(outcomes(await start(true))).toEqual(["fix waiting"]);
    machine.system.modules.add("mod");
    expect(outcomes(await start(true))).toEqual(["fix applied"]);
    expect(readdirSync(machine.path("run/ksplice/waiting"))).toEqual([]);
  });

  test("does not hold up an update that may go without it", async () => {
    await install(await fitting({}, ["vmlinux", "mod"]), true);
    expect(outcomes(await start())).toEqual(["fix applied"]);
  });

  test("does not bring back what was undone by hand, nor what needs it; the next start does", async () => {
    await install(await fitting({ id: "bad" }));
    await install(await fitting({ id: "more", after: ["bad"] }));
    await install(await fitting({ id: "late" }, ["vmlinux", "mod"]));
    expect(outcomes(await start())).toEqual(["bad applied", "more applied", "late waiting"]);
    for (const id of ["more", "bad"]) await undoNoted(machine.service, id, { tries: 1, tell: tellNobody });
    machine.system.modules.add("mod");
    expect(outcomes(await start(true))).toEqual(["bad left-out undone", "more left-out undone", "late applied"]);
    expect(outcomes(await start(true))).toEqual(["bad left-out undone", "more left-out undone", "late applied"]);
    expect(applied()).toEqual(["applied bad", "applied more", "applied late"]);
    expect(machine.said).toContain("bad is left out: it was undone by hand; the next boot applies it, or `ksplice service start`");
    expect(outcomes(await start())).toEqual(["bad applied", "more applied", "late applied"]);
  });

  test("leaves held what the crash guard has left out, with that reason, though it was undone before", async () => {
    await install(await fitting());
    await start();
    await undoNoted(machine.service, "fix", { tries: 1, tell: tellNobody });
    const since = machine.time.toISOString();
    await hold(machine.service, release, "fix", { reason: "crash", since, detail: "the machine went down" });
    expect(outcomes(await start(true))).toEqual(["fix left-out crash"]);
  });

  test("does not have tried again what failed", async () => {
    await install(await fitting());
    machine.boot("", { answers: ["no_match", "done"] });
    await start();
    expect(outcomes(await start(true))).toEqual(["fix failed no-match"]);
    expect(applied().length).toBe(1);
    expect(outcomes(await start())).toEqual(["fix applied"]);
  });
});

describe("the crash guard", () => {
  test("leaves out, at the next boot, what the machine went down with, until it is put back", async () => {
    await install(await fitting());
    await start();
    expect(marks()).toEqual(["fix.mark"]);
    machine.boot();
    expect(outcomes(await start())).toEqual(["fix left-out crash"]);
    expect(await held()).toEqual(["fix the machine went down soon after it was applied, at 2026-11-27 01:02 UTC"]);
    expect(machine.events.at(-1)).toMatchObject({ what: "held", id: "fix" });
    expect(outcomes(await start())).toEqual(["fix left-out crash"]);
    expect(marks()).toEqual([]);
    await clearHeld(machine.service, release, "fix");
    expect(outcomes(await start())).toEqual(["fix applied"]);
    await expect(clearHeld(machine.service, release, "fix")).rejects.toMatchObject({ code: "not-held" });
  });

  test("install --retry puts it back, too", async () => {
    await install(await fitting());
    await start();
    machine.boot();
    await start();
    const options = { partial: false, allowOlder: false, now: machine.time };
    expect((await installUpdate(machine.service, await fitting(), options, false)).entry.held).toBeDefined();
    expect((await installUpdate(machine.service, await fitting(), options, true)).entry.held).toBeUndefined();
  });

  test("a machine that has been well, or goes down in good order, is no crash", async () => {
    await install(await fitting());
    await start();
    machine.passes(200);
    expect(await markWell(machine.service, release, 300)).toEqual({ well: [], again: 100 });
    machine.passes(100);
    expect(await markWell(machine.service, release, 300)).toEqual({ well: ["fix"], again: undefined });
    machine.boot();
    expect(outcomes(await start())).toEqual(["fix applied"]);
    await forgetMarks(machine.service, release);
    machine.boot();
    expect(outcomes(await start())).toEqual(["fix applied"]);
  });

  test("of several, suspects first the one that was being applied, then those that no machine has been well with, then all", async () => {
    await install(await fitting({ id: "old" }));
    await start();
    machine.passes(300);
    await markWell(machine.service, release, 300);
    await install(await fitting({ id: "new" }));
    machine.boot();
    await start();
    machine.boot();
    expect(outcomes(await start())).toEqual(["old applied", "new left-out crash"]);
    machine.boot();
    expect(outcomes(await start())).toEqual(["old left-out crash", "new left-out crash"]);

    for (const id of ["old", "new"]) await clearHeld(machine.service, release, id);
    // The power goes while the second is at it.
    machine.boot();
    const { system } = machine;
    const write = system.engine.writeStage.bind(system.engine);
    Object.assign(system.engine, {
      writeStage: (id: string, ...rest: [never, never]) => {
        if (id !== "new") write(id, ...rest);
        else rmSync(machine.path("run"), { recursive: true });
      },
    });
    await start();
    // The process is gone with the machine: it takes no mark away.
    const dir = machine.path(`var/lib/ksplice/${release}`);
    const mark = { format: 1, id: "new", bootId: machine.facts.bootId(), phase: "applying", time: "2026-11-27T01:02:03.000Z", uptime: 12 };
    writeFileSync(join(dir, "new.mark"), JSON.stringify(mark));
    machine.boot();
    expect(outcomes(await start())).toEqual(["old applied", "new left-out crash"]);
    expect(await held()).toEqual(["new the machine went down while it was being applied, at 2026-11-27 01:02 UTC"]);
  });

  test("takes a mark that cannot be read for the worst", async () => {
    await install(await fitting());
    writeFileSync(join(machine.path(`var/lib/ksplice/${release}`), "fix.mark"), "{");
    expect(outcomes(await start())).toEqual(["fix left-out crash"]);
    expect(await held()).toEqual(["fix its mark cannot be read"]);
  });

  test("has its mark on the disk before the kernel is changed, and none where the apply failed", async () => {
    await install(await fitting());
    const seen: string[][] = [];
    const load = machine.system.engine.loadModule.bind(machine.system.engine);
    Object.assign(machine.system.engine, {
      loadModule: async (object: Uint8Array, name: string) => {
        seen.push(marks());
        await load(object, name);
      },
    });
    await start();
    expect(seen[0]).toEqual(["fix.mark"]);
    await undoNoted(machine.service, "fix", { tries: 1, tell: () => undefined });
    expect(marks()).toEqual([]);
  });
});

const byHand = async (manifest: NonNullable<SampleOptions["manifest"]> = {}, options: Partial<GuardedOptions> = {}): Promise<unknown> =>
  await applyGuarded(
    machine.service,
    sampleUpdate({ manifest, targets: ["vmlinux"] }),
    {},
    { partial: false, tries: 1, tell: () => undefined, ...options },
  );

describe("an old update", () => {
  test("is not applied where the store has had a newer one of its id", async () => {
    await install(await fitting({ created: "2026-05-01T00:00:00Z" }));
    await expect(byHand({ created: "2026-04-01T00:00:00Z" })).rejects.toMatchObject({ code: "older-update" });
    await byHand({ created: "2026-04-01T00:00:00Z" }, { allowOlder: true });
  });

  test("does not come in place of a newer one", async () => {
    await byHand({ id: "new", created: "2026-05-01T00:00:00Z" });
    const old = { id: "old", created: "2026-04-01T00:00:00Z" };
    await expect(byHand(old, { replace: "new" })).rejects.toMatchObject({
      code: "older-update",
      message: "update old of 2026-04-01T00:00:00Z is older than new, which it is to replace, of 2026-05-01T00:00:00Z",
    });
  });
});

describe("at once", () => {
  test("an update is put in service and applied, and taken out of both", async () => {
    await install(await fitting());
    expect(await applyFromStore(machine.service, "fix", release, { tries: 1 })).toEqual({ id: "fix", state: "applied" });
    expect(await applyFromStore(machine.service, "fix", "5.10.0", { tries: 1 })).toBeUndefined();
    expect(await readAppliedRecords(machine.service.place)).toMatchObject([{ id: "fix", skippedTargets: [] }]);
    const undo = { tries: 1, tell: (): void => undefined };
    expect(await removeUpdate(machine.service, release, "fix", undo)).toMatchObject({ undone: true });
    expect(machine.system.updates.size).toBe(0);
    expect(await machine.service.store.list(release)).toEqual([]);
    expect((await readAppliedRecords(machine.service.place))[0]?.undone).toBeDefined();
  });

  test("what the kernel does not let go is out of service all the same, and that is said", async () => {
    machine.boot("", { answers: ["done", "code_busy", "code_busy"] });
    await install(await fitting());
    await start();
    const removed = await removeUpdate(machine.service, release, "fix", { tries: 1, tell: () => undefined });
    expect(removed).toMatchObject({
      undone: false,
      stays: expect.stringContaining("was not undone: code that it brought was in use") as string,
    });
    // Who is in the way, and what can be done, as `ksplice undo` says it.
    const whole = await undoNoted(machine.service, "fix", { tries: 1, tell: tellNobody }).catch((error: unknown) => error);
    expect([removed.stays, removed.hint]).toEqual([(whole as Refusal).message, (whole as Refusal).hint]);
    expect(removed.stays?.split("\n").length).toBeGreaterThan(1);
    expect(machine.events.at(-1)).toMatchObject({ what: "failed", code: "code-busy" });
    expect(await machine.service.store.list(release)).toEqual([]);
  });
});
