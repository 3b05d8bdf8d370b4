import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { applyGuarded } from "../../../src/service/apply-guarded.js";
import { armConfirm, confirmUpdate, disarmConfirm, readWaits, watchUpdate } from "../../../src/service/confirm.js";
import { installUpdate } from "../../../src/service/in-service.js";
import { startService } from "../../../src/service/start.js";
import { tellNobody } from "../../../src/events.js";
import { packUpdate } from "../../../src/update/file/update-file.js";
import { FakeMachine } from "../../support/fake-service.js";
import { sampleUpdate } from "../../support/sample-fit.js";
import { temporaryDirectory } from "../../support/temp-dir.js";

const top = temporaryDirectory();
const UPDATE = sampleUpdate({ targets: ["vmlinux"] });
const UNDO = { tries: 1, tell: tellNobody };
let count = 0;
let machine: FakeMachine;
/** What happens meanwhile, by the second. */
let events: Record<number, () => void | Promise<void>>;

beforeEach(() => {
  machine = new FakeMachine(join(top, `machine-${++count}`));
  events = {};
});

async function apply(): Promise<void> {
  await applyGuarded(machine.service, UPDATE, {}, { partial: false, ...UNDO });
}

/** Arms, applies, and watches with a clock of its own. */
async function watch(seconds: number, health?: string): Promise<[outcome: string, after: number]> {
  await armConfirm(machine.service, "fix", seconds, health);
  await apply();
  const began = machine.facts.uptime();
  const outcome = await watchUpdate(machine.service, "fix", UNDO, async (ms) => {
    const before = machine.facts.uptime() - began;
    machine.passes(ms / 1000);
    for (const [second, action] of Object.entries(events))
      if (Number(second) > before && Number(second) <= before + ms / 1000) await action();
  });
  return [outcome, machine.facts.uptime() - began];
}

const stage = (): string | undefined => machine.system.engine.readUpdate("fix")?.stage;

describe("an update that is to be confirmed", () => {
  test("is undone when the time is over", async () => {
    expect(await watch(300)).toEqual(["undone", 300]);
    expect(stage()).toBeUndefined();
    expect(machine.events.map(({ what }) => what)).toEqual(["applied", "undone"]);
    expect(await readWaits(machine.service.place)).toEqual([]);
    await expect(confirmUpdate(machine.service, "fix")).rejects.toMatchObject({ code: "nothing-to-confirm" });
  });

  test("stays once it is confirmed", async () => {
    events[299] = async () => {
      await confirmUpdate(machine.service, "fix");
    };
    expect(await watch(300)).toEqual(["confirmed", 299]);
    expect(stage()).toBe("applied");
    expect(machine.events.at(-1)).toMatchObject({ what: "confirmed", id: "fix" });
  });

  test("is undone at once where its health command fails, with the command's words", async () => {
    const broken = machine.path("broken");
    events[45] = () => {
      writeFileSync(broken, "");
    };
    expect(await watch(300, `if [ -e '${broken}' ]; then echo "no answer on port 80"; exit 3; fi`)).toEqual(["undone", 50]);
    expect(machine.said).toContain("fix is undone: its health command ended with status 3: no answer on port 80");
  });

  test("has who watches it before the kernel is changed, apart from who applies it", async () => {
    await armConfirm(machine.service, "fix", 60, undefined);
    expect(machine.later).toEqual(["ksplice-confirm-fix: service watch fix in 0 s"]);
    expect(machine.system.done).toEqual([]);
    await disarmConfirm(machine.service, "fix");
    expect(
      await watchUpdate(machine.service, "fix", UNDO, async () => {
        await Promise.reject(new Error("waits"));
      }),
    ).toBe("confirmed");
  });

  test("has its time from when it is applied, also where that takes long", async () => {
    await armConfirm(machine.service, "fix", 60, undefined);
    let paused = 0;
    const outcome = await watchUpdate(machine.service, "fix", UNDO, async (ms) => {
      machine.passes(ms / 1000);
      if (++paused === 100) await apply();
    });
    expect([outcome, paused]).toEqual(["undone", 160]);
  });

  test("that is applied already is not undone because of it", async () => {
    await apply();
    await armConfirm(machine.service, "fix", 1, "false");
    expect([await readWaits(machine.service.place), machine.later]).toEqual([[], []]);
  });

  test("that somebody undoes has nothing to wait for", async () => {
    events[5] = () => {
      machine.system.updates.delete("fix");
    };
    expect(await watch(300)).toEqual(["confirmed", 5]);
  });

  test("is tried to undo again while its code is in use, and that is known meanwhile", async () => {
    machine.boot("", { answers: ["done", "code_busy", "code_busy", "done"] });
    let seen: unknown;
    events[70] = async () => {
      [seen] = await readWaits(machine.service.place);
    };
    expect(await watch(60)).toEqual(["undone", 120]);
    expect(seen).toMatchObject({ stays: expect.stringContaining("it was not confirmed in time; update fix was not undone") as string });
  });
});

describe("in the store", () => {
  beforeEach(async () => {
    const incoming = { update: UPDATE, tarball: await packUpdate(UPDATE) };
    await installUpdate(machine.service, incoming, { partial: false, allowOlder: false, now: machine.time }, false);
  });

  const { release } = new FakeMachine(join(top, "any")).system.identity();
  const held = async (): Promise<unknown> => (await machine.service.store.list(release))[0]?.held?.detail;

  test("it is left out at the next boot unless it was confirmed", async () => {
    await armConfirm(machine.service, "fix", 300, undefined);
    await apply();
    expect(await held()).toBe("it waits for `ksplice confirm`");
    machine.boot();
    expect((await startService(machine.service, { tries: 1, resume: false })).outcomes).toMatchObject([{ id: "fix", state: "left-out" }]);
  });

  test("it is in service once it is confirmed, and out where it was not", async () => {
    events[10] = async () => {
      await confirmUpdate(machine.service, "fix");
    };
    await watch(300);
    expect(await held()).toBeUndefined();
    machine.boot();
    events = {};
    await watch(300);
    expect(await held()).toBe("it was not confirmed in time");
    expect(existsSync(machine.path("run/ksplice/confirm/fix.json"))).toBe(false);
  });
});
