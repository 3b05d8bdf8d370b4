import { describe, expect, test } from "vitest";
import { describeCore, UPDATES, VICTIM } from "./support/core-machine.js";
import { coreKernels } from "./support/core-kernels.js";

/** Functions that always have a sleeper, and one update in place of another: test/vm/core.vm.test.ts has the rest. */

describeCore("the kernel core", coreKernels("6.12"), (core) => {
  /** kstest_nap is the second of the first update's functions. */
  const NAP = "busy=1";
  const references = async () => Number(await core.read("/sys/module/ksplice/refcnt"));

  describe("threads that may stay in old code", () => {
    test("go on there, and whoever comes later runs the new code", async () => {
      await core.loadFirst([NAP]);
      const sleeper = await core.fallAsleep();
      expect(await core.request("first", "applied")).toBe("done");
      expect([await core.answer(), await core.read(`${VICTIM}/nap`)]).toEqual(["100", "2"]);
      await core.wake();
      expect((await sleeper.finished).stdout).toBe("1\n");
    });

    test("are no obstacle to an undo, again and again", async () => {
      await core.loadFirst([NAP]);
      const sleeper = await core.fallAsleep();
      for (let round = 0; round < 3; round++) {
        expect(await core.request("first", "applied")).toBe("done");
        expect(await core.answer()).toBe("100");
        expect(await core.request("first", "reversed")).toBe("done");
        expect(await core.answer()).toBe("1");
      }
      expect(await core.unload("kstest_first")).toBe("");
      await core.wake();
      expect((await sleeper.finished).stdout).toBe("1\n");
    });

    test("hold off a later update, for which nobody has said so, until they are woken", async () => {
      await core.loadFirst([NAP]);
      await core.loadBuiltin();
      const sleeper = await core.fallAsleep();
      expect(await core.request("first", "applied")).toBe("done");
      expect(await core.request("builtin", "applied")).toBe("code_busy, cat PID kstest_nap");
      expect(await core.request("builtin", "applied nudge")).toBe("done");
      expect((await sleeper.finished).stdout).toBe("2\n");
    });

    test("of a piece of such a function", async () => {
      const start = (await core.machine.run("grep -w kstest_nap /proc/kallsyms")).stdout.split(" ")[0] ?? "";
      const size = core.loader.sizeOf("kstest_victim", "kstest_nap");
      await core.loadBuiltin(["busy=0", `range_start=0x${start}`, `range_size=${size}`]);
      const sleeper = await core.fallAsleep();
      expect(await core.request("builtin", "applied")).toBe("done");
      await core.wake();
      await sleeper.finished;
    });

    test("may be in no other function", async () => {
      await core.loadFirst(["busy=0"]);
      const sleeper = await core.fallAsleep();
      expect(await core.request("first", "applied")).toBe("code_busy, cat PID kstest_nap");
      await core.wake();
      await sleeper.finished;
    });
  });

  describe("a nudge", () => {
    test("wakes a thread in old code, whose system call begins anew, in new code", async () => {
      await core.loadFirst();
      const sleeper = await core.fallAsleep();
      expect(await core.request("first", "applied")).toBe("code_busy, cat PID kstest_nap");
      expect(await core.request("first", "applied nudge")).toBe("done");
      expect((await sleeper.finished).stdout).toBe("2\n");
      expect(await references()).toBe(1);
    });

    test("wakes one in new code too", async () => {
      await core.loadFirst();
      expect(await core.request("first", "applied")).toBe("done");
      expect(await core.request("first", "reversed nudge")).toBe("done");
      expect(await core.answer()).toBe("1");
    });

    test("of a thread that does not come by is forgotten", async () => {
      await core.loadFirst();
      const sleeper = await core.fallAsleep();
      const pid = (await core.machine.run("grep -l kstest_nap /proc/[0-9]*/stack | cut -d/ -f3")).stdout.trim();
      // A process that is traced stays where it is while the tracer holds it; this one is stopped by a signal.
      await core.machine.run(`kill -STOP ${pid}; sleep 0.3`);
      await core.request("first", "applied nudge");
      await core.machine.run(`kill -CONT ${pid}`);
      await core.wake();
      await sleeper.finished;
      expect(await core.request("first", "reversed")).toMatch(/done|already_reversed/);
      expect(await references()).toBe(1);
    });

    test("holds many threads, and lets all of them go", async () => {
      await core.loadFirst();
      const sleepers = Array.from({ length: 20 }, () => core.machine.start(["cat", `${VICTIM}/nap`]));
      await core.until("the naps", "[ $(grep -l kstest_nap /proc/*/stack 2>/dev/null | wc -l) = 20 ]");
      expect(await core.request("first", "applied nudge")).toBe("done");
      const words = await Promise.all(sleepers.map(async ({ finished }) => (await finished).stdout));
      expect(words).toEqual(sleepers.map(() => "2\n"));
      expect(await references()).toBe(1);
    });
  });

  test("a pointer to what would be unloaded holds an undo off, or lets it leave the code in memory", async () => {
    await core.load("kstest_data");
    expect(await core.request("data", "applied")).toBe("done");
    const sleeper = core.machine.start(["cat", `${VICTIM}/slow_opinion`]);
    await core.until("the sleep", "grep -q slow_opinion /proc/*/stack 2>/dev/null");
    expect(await core.request("data", "reversed")).toBe("code_busy, cat PID kstest_data");
    expect(await core.request("data", "reversed stay")).toBe("done");
    expect(await core.about("data", "stage")).toBe("resident");
    expect(await core.request("data", "released")).toBe("code_busy, cat PID kstest_data");
    await core.wake();
    expect((await sleeper.finished).stdout).toBe("3\n");
    expect(await core.request("data", "released")).toBe("done");
    expect(await core.unload("kstest_data")).toBe("");
  });

  describe("an update in place of another", () => {
    const limits = () => core.read(`${VICTIM}/limits`);

    test("comes at once: what only the first had is as it was", async () => {
      await core.loadFirst();
      await core.loadThird();
      expect(await core.request("first", "applied")).toBe("done");
      expect(await core.request("third", "applied")).toBe("no_match");
      expect(await core.request("third", "applied replace=first")).toBe("done");
      expect([await core.answer(), await limits()]).toEqual(["10000", "1 200 300 400"]);
      expect([await core.about("first", "stage"), await core.about("third", "stage")]).toEqual(["reversed", "applied"]);
      expect(await core.about("first", "replaced_by")).toBe("");
      expect(await core.unload("kstest_first")).toBe("");
      expect(await core.request("third", "reversed")).toBe("done");
      expect([await core.answer(), await limits()]).toEqual(["1", "1 2 3 4"]);
    });

    test("over data that the first wrote, whatever the ranges", async () => {
      const sizes = `sizes=${core.loader.sizeOf("kstest_victim", "kstest_answer")}`;
      for (const [name, id] of [
        ["kstest_over", "over"],
        ["kstest_data", "data"],
      ] as const) {
        await core.load(name);
        await core.load("kstest_third", [sizes]);
        expect(await core.request(id, "applied")).toBe("done");
        expect(await core.request("third", "applied")).toBe("no_match");
        expect(await core.request("third", `applied replace=${id}`)).toBe("done");
        expect(await limits()).toBe("1 200 300 400");
        expect(await core.request(id, `applied replace=third`)).toBe("done");
        expect(await limits()).toBe(id === "over" ? "1 2 300 4" : "10 20 30 40");
        expect(await core.request(id, "reversed")).toBe("done");
        expect([await core.answer(), await limits()]).toEqual(["1", "1 2 3 4"]);
      }
    });

    test("leaves the first where it fails", async () => {
      await core.loadFirst();
      await core.loadThird(["refuse=5"]);
      expect(await core.request("first", "applied")).toBe("done");
      expect(await core.request("third", "applied replace=first")).toBe("call_failed");
      expect([await core.answer(), await limits()]).toEqual(["100", "1 2 3 4"]);
      expect([await core.about("first", "stage"), await core.about("third", "stage")]).toEqual(["applied", "loaded"]);
    });

    test("waits for threads in the first's code", async () => {
      await core.loadBuiltin();
      await core.loadThird();
      expect(await core.request("builtin", "applied")).toBe("done");
      await core.machine.run("echo 1 >/sys/module/kstest_builtin/parameters/stay");
      const sleeper = core.machine.start(["cat", "/proc/version"]);
      await core.until("the sleep", "grep -q builtin_version /proc/*/stack 2>/dev/null");
      expect(await core.request("third", "applied replace=builtin")).toBe("code_busy, cat PID version_proc_show");
      expect(await core.read(`${UPDATES}/builtin/stage`)).toBe("applied");
      await core.machine.run("echo 0 >/sys/module/kstest_builtin/parameters/stay");
      await sleeper.finished;
      expect(await core.request("third", "applied replace=builtin")).toBe("done");
    });

    test("is refused where there is nothing to replace, or where it stands on that", async () => {
      await core.loadFirst();
      await core.loadThird();
      for (const id of ["third", "nobody"]) expect(await core.request("third", `applied replace=${id}`)).toBe("unexpected");
      expect(await core.request("third", "applied replace=first")).toBe("already_reversed");
      expect(await core.request("first", "applied")).toBe("done");
      await core.loadSecond();
      expect(await core.request("second", "applied replace=first")).toBe("module_busy");
      expect(await core.lastWords()).toBe("ksplice: second is made for what first left, and cannot replace it");
      expect(await core.request("second", "applied")).toBe("done");
      expect(await core.request("third", "applied replace=first")).toBe("module_busy");
      expect(await core.answer()).toBe("1000");
    });
  });

  describe("asking", () => {
    test("for nonsense is refused at once", async () => {
      await core.loadFirst();
      const nonsense = [
        "applied later",
        "applied replace=",
        "reversed replace=first",
        `applied replace=${"x".repeat(65)}`,
        "",
        "applied  nudge",
      ];
      const { stderr } = await core.machine.run(
        nonsense.map((words) => `/bin/echo '${words}' >${UPDATES}/first/stage && echo "'${words}' was taken" >&2`).join("\n"),
      );
      expect(stderr).toBe("/bin/echo: write error: Invalid argument\n".repeat(nonsense.length));
      expect(await core.about("first", "stage")).toBe("loaded");
    });

    test("at once from many sides, some of which are killed, leaves everything in order", async () => {
      await core.loadFirst();
      const { exitCode, stderr } = await core.machine.run(
        `for round in $(seq 4); do
	for stage in applied reversed "applied nudge" "reversed nudge"; do
		(while :; do echo $stage >${UPDATES}/first/stage; done) 2>/dev/null &
		pids="$pids $!"
	done
	sleep 0.2
	kill -9 $pids
	wait
	pids=
done 2>/dev/null
echo reversed 2>/dev/null >${UPDATES}/first/stage
[ $(cat ${UPDATES}/first/stage) = reversed ]`,
        { timeoutMs: 120_000 },
      );
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
      expect(await core.answer()).toBe("1");
      expect(await core.unload("kstest_first")).toBe("");
      expect(await references()).toBe(0);
      expect(await core.unload("ksplice")).toBe("");
      await core.load("ksplice", ["stop_limit_us=1000000"]);
    });

    test("while the update goes away", async () => {
      const first = await core.loader.put("kstest_first");
      const { stdout } = await core.machine.run(
        `(while [ ! -e /tmp/enough ]; do for stage in applied reversed; do echo $stage >${UPDATES}/first/stage; done; sleep 0.1; done) 2>/dev/null &
for round in $(seq 5); do
	/run/ksplice-vm/busybox insmod ${first} ${core.firstSizes()}
	for try in $(seq 100); do rmmod kstest_first 2>/dev/null && break; done
done
touch /tmp/enough; wait; rm /tmp/enough; ls ${UPDATES}; lsmod | grep kstest_first`,
        { timeoutMs: 300_000 },
      );
      expect(stdout).toBe("version\n");
      expect(await references()).toBe(0);
    });
  });

  test("the kernel has nothing to complain about", async () => {
    expect(await core.machine.problems()).toEqual([]);
  });
});
