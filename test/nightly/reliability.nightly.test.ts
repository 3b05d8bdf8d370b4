import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Crowd } from "../vm/support/crowd.js";
import { type CoreMachine, describeCore } from "../vm/support/core-machine.js";
import { ALL_SERIES } from "../vm/support/series.js";

/** The core under load, on two and four processors that come and go, and where the kernel is preempted: docs/reliability.md has the figures. */

const ROUNDS = Number(process.env["KSPLICE_TEST_ROUNDS"] ?? 500);
/** Of the functions that the readers call all the time. */
const FUNCTIONS = 30;

/** So many at a time, so that one sees how far it is. */
const CHUNK = 25;

/** At the lowest priority, or the commands would starve in an emulated machine. */
const LOAD =
  "nice -n 19 stress-ng --quiet --timeout 6h --temp-path /tmp --fork 1 --pipe 1 --timer 1 --timer-freq 100 --mmap 1 --mmap-bytes 8m --sock 1 --epoll 1 --futex 1";

/** All processors but the first go and come back, one at a time. Says how often. */
const HOTPLUG = `
count=0
trap 'for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do echo 1 >$cpu; done; echo $count; exit 0' TERM
while :; do
	for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do
		echo 0 >$cpu
		echo 1 >$cpu
		count=$((count + 1))
	done
done`;

const workDir = mkdtempSync(join(tmpdir(), "ksplice-reliability-"));
afterAll(() => {
  rmSync(workDir, { recursive: true });
});

function rounds(core: CoreMachine): void {
  let crowd: Crowd;
  beforeAll(async () => {
    crowd = await Crowd.load(core, workDir);
  });

  /** Under load, with whatever else is started. */
  async function cycle(count: number, meanwhile: readonly string[] = []): Promise<void> {
    await crowd.loadMany(FUNCTIONS);
    const readers = crowd.startReaders(3);
    const others = [LOAD, ...meanwhile].map((command) => core.machine.start(command));
    let [done, busy] = [0, 0];
    while (done < count) {
      const next = Math.min(CHUNK, count - done);
      busy += (await crowd.rounds(next, FUNCTIONS, next * 60_000)).busy;
      done += next;
      process.stdout.write(`      ${done} of ${count} rounds, busy ${busy} times\n`);
    }
    const ended = await Promise.all(others.map((other) => Promise.race([other.finished.then(() => true), Promise.resolve(false)])));
    expect(ended, "what ended by itself").toEqual(others.map(() => false));
    expect(readers.outputSoFar()).toBe("");
    for (const command of [readers, ...others]) command.kill();
    await crowd.unloadMany();
  }

  test(`${ROUNDS} rounds of ${FUNCTIONS} functions that are called all the time`, async () => {
    await cycle(ROUNDS);
  });

  test("processors go and come back meanwhile", async () => {
    await core.machine.run("cat >/tmp/hotplug", { input: HOTPLUG });
    await cycle(Math.ceil(ROUNDS / 5), ["sh /tmp/hotplug & echo $! >/tmp/hotplug.pid; wait"]);
    // Killed on its way, the loop may have left a processor off.
    await core.machine.run("for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do echo 1 >$cpu; done");
    const log = (await core.machine.run("dmesg | grep -c 'is now offline'")).stdout;
    expect(Number(log)).toBeGreaterThan(1);
  });

  test("the kernel has nothing to complain about", async () => {
    expect(await core.machine.problems()).toEqual([]);
  });
}

describe.each([2, 4])("on %i processors", (cpus) => {
  describeCore("the kernel core", ALL_SERIES, rounds, { cpus, memoryMiB: 1536 });
});

describe("where the kernel may be preempted anywhere", () => {
  describeCore(
    "the kernel core",
    ALL_SERIES,
    (core) => {
      test("it is", async () => {
        expect((await core.machine.run("cat /sys/kernel/debug/sched/preempt")).stdout).toContain("(full)");
      });
      rounds(core);
    },
    { cpus: 2, memoryMiB: 1536, appendCmdline: "preempt=full" },
  );
});
