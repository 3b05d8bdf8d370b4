import { afterEach, expect, test } from "vitest";
import { describeCore, type CoreMachine, TRACING, UPDATES, VICTIM } from "./support/core-machine.js";
import { coreKernels } from "./support/core-kernels.js";

/** Functions that ftrace redirects, for want of a place for a trampoline: test/vm/core.vm.test.ts has the rest. */

const tests = (core: CoreMachine): void => {
  afterEach(async () => {
    await core.machine.run(`sysctl -qw kernel.ftrace_enabled=1; cd ${TRACING}; echo nop >current_tracer; echo >set_ftrace_filter`);
  });
  /** kstest_answer is the first function of the first, second and third update, kstest_nap the second of the first. */
  const ANSWER = "by_ftrace=1";
  const NAP = "by_ftrace=2";
  const BOTH = "by_ftrace=3";
  /** What ftrace says of a function: ` (1) R I` and a trampoline where somebody redirects it. */
  const taken = async (name: string) => (await core.machine.run(`grep -w ${name} ${TRACING}/enabled_functions`)).stdout;

  test("a function is redirected by ftrace, and nothing is left of it after an undo", async () => {
    await core.loadFirst([ANSWER]);
    expect(await taken("kstest_answer")).toBe("");
    expect(await core.request("first", "applied")).toBe("done");
    expect(await core.answer()).toBe("100");
    expect(await taken("kstest_answer")).toMatch(/\(1\).* I/);
    expect(await core.about("first", "functions")).toMatch(
      /^kstest_answer \S+ \d+ \S+ \d+ \d+ kstest_victim ftrace\nkstest_nap .* [0-9a-f]{10}$/,
    );
    expect(await core.request("first", "reversed")).toBe("done");
    expect(await core.answer()).toBe("1");
    expect(await taken("kstest_answer")).toBe("");
    expect(await core.unload("kstest_first")).toBe("");
  });

  test("again and again, also where the code stays in memory", async () => {
    await core.loadFirst([BOTH, "unloadable=0"]);
    for (let round = 0; round < 5; round++) {
      expect(await core.request("first", "applied")).toBe("done");
      expect([await core.answer(), await core.read(`${VICTIM}/nap`)]).toEqual(["100", "2"]);
      expect(await core.request("first", "reversed")).toBe("done");
      expect(await core.answer()).toBe("1");
    }
    expect(await core.about("first", "stage")).toBe("resident");
    expect(await taken("kstest_answer")).toBe("");
    expect(await core.request("first", "released")).toBe("done");
    expect(await core.unload("kstest_first")).toBe("");
  });

  test("an attempt that fails leaves nothing", async () => {
    await core.loadFirst([ANSWER]);
    const sleeper = await core.fallAsleep();
    expect(await core.request("first", "applied")).toBe("code_busy, cat PID kstest_nap");
    expect([await core.answer(), await taken("kstest_answer")]).toEqual(["1", ""]);
    await core.wake();
    await sleeper.finished;
    expect(await core.request("first", "applied")).toBe("done");
  });

  test("a thread that sleeps in such a function is in the way", async () => {
    await core.loadFirst([NAP]);
    const sleeper = await core.fallAsleep();
    expect(await core.request("first", "applied")).toBe("code_busy, cat PID kstest_nap");
    expect(await core.request("first", "applied nudge")).toBe("done");
    expect((await sleeper.finished).stdout).toBe("2\n");
  });

  test("threads may stay in such a function where it is allowed", async () => {
    await core.loadFirst([NAP, "busy=1"]);
    const sleeper = await core.fallAsleep();
    expect(await core.request("first", "applied")).toBe("done");
    expect(await core.read(`${VICTIM}/nap`)).toBe("2");
    await core.wake();
    expect((await sleeper.finished).stdout).toBe("1\n");
  });

  test("a second update redirects the code of the first, and goes before it", async () => {
    await core.loadFirst([ANSWER]);
    expect(await core.request("first", "applied")).toBe("done");
    await core.loadSecond([ANSWER]);
    expect(await core.request("second", "applied")).toBe("done");
    const newest = await core.answer();
    expect(newest).not.toBe("100");
    expect(await core.request("first", "reversed")).toBe("module_busy");
    expect(await core.request("second", "reversed")).toBe("done");
    expect(await core.answer()).toBe("100");
    expect(await core.request("first", "reversed")).toBe("done");
    expect(await core.answer()).toBe("1");
  });

  test("one update in place of another, which redirect the same function", async () => {
    await core.loadFirst([ANSWER]);
    await core.loadThird([ANSWER]);
    expect(await core.request("first", "applied")).toBe("done");
    expect(await core.request("third", "applied replace=first")).toBe("done");
    expect([await core.answer(), await core.about("first", "stage")]).toEqual(["10000", "reversed"]);
    expect(await core.request("first", "applied replace=third")).toBe("done");
    expect(await core.answer()).toBe("100");
    expect(await core.request("first", "reversed")).toBe("done");
    expect([await core.answer(), await taken("kstest_answer")]).toEqual(["1", ""]);
  });

  test("of two updates that redirect the same function the second is refused", async () => {
    await core.loadFirst([ANSWER]);
    await core.loadThird([ANSWER]);
    expect(await core.request("first", "applied")).toBe("done");
    expect(await core.request("third", "applied")).toBe("no_match");
    expect(await core.answer()).toBe("100");
  });

  test("not while ftrace is off, which it then stays on", async () => {
    await core.loadFirst([ANSWER]);
    await core.machine.run("sysctl -qw kernel.ftrace_enabled=0");
    if ((await core.read("/proc/sys/kernel/ftrace_enabled")) === "1") {
      // Newer kernels no longer let it be switched off.
      expect(await core.request("first", "applied")).toBe("done");
      expect(await core.answer()).toBe("100");
      return;
    }
    expect(await core.request("first", "applied")).toBe("entry_taken");
    await core.machine.run("sysctl -qw kernel.ftrace_enabled=1");
    expect(await core.request("first", "applied")).toBe("done");
    expect((await core.machine.run("sysctl -qw kernel.ftrace_enabled=0")).exitCode).not.toBe(0);
    expect(await core.answer()).toBe("100");
  });

  test("not while a livepatch holds it, and no livepatch while the update does", async () => {
    await core.loadFirst([ANSWER]);
    await core.livepatch();
    expect(await core.answer()).toBe("7");
    expect(await core.request("first", "applied")).toBe("entry_taken");
    expect([await core.answer(), await core.about("first", "stage")]).toEqual(["7", "loaded"]);
    await core.endLivepatch();
    expect(await core.request("first", "applied")).toBe("done");
    expect((await core.loader.load("kstest_livepatch")).stderr).toMatch(/busy/i);
    expect(await core.answer()).toBe("100");
    expect(await core.request("first", "reversed")).toBe("done");
    await core.livepatch();
    expect(await core.answer()).toBe("7");
    await core.endLivepatch();
    expect(await core.answer()).toBe("1");
  });

  /** A thread with a word in its frame that looks like an address in kstest_answer, which the unwinder says is none. */
  const litter = async (state: "asleep" | "ready") => {
    const thread = core.machine.start(`echo ${state} >${VICTIM}/litter`);
    await core.until("the thread's frame", `[ "$(cat ${VICTIM}/litter)" = 1 ]`);
    return thread;
  };

  test("a word on the stack of a thread that is ready to run counts: it may be where ftrace will send it", async () => {
    await core.loadFirst([ANSWER]);
    const ready = await litter("ready");
    expect(await core.request("first", "applied")).toMatch(/^code_busy, \S+ PID kstest_answer$/);
    await core.wake();
    expect((await ready.finished).exitCode).toBe(0);
    const asleep = await litter("asleep");
    expect(await core.request("first", "applied")).toBe("done");
    await core.wake();
    expect((await asleep.finished).exitCode).toBe(0);
  });

  test("where a trampoline is written, such a word counts for nothing", async () => {
    await core.loadFirst();
    for (const state of ["ready", "asleep"] as const) {
      const thread = await litter(state);
      expect(await core.request("first", "applied"), state).toBe("done");
      await core.wake();
      expect((await thread.finished).exitCode).toBe(0);
      expect(await core.request("first", "reversed")).toBe("done");
    }
  });

  test("tracers come and go meanwhile", async () => {
    await core.loadFirst([BOTH]);
    const reader = core.machine.start(`while :; do cat ${VICTIM}/answer; done`);
    for (const tracer of ["function", "function_graph", "nop"]) {
      await core.machine.run(`cd ${TRACING}; echo kstest_answer kstest_nap >set_ftrace_filter; echo ${tracer} >current_tracer`);
      for (let round = 0; round < 2; round++) {
        await core.machine.run(`for i in 1 2 3 4 5; do echo applied >${UPDATES}/first/stage && break; sleep 0.2; done`);
        expect(await core.answer(), tracer).toBe("100");
        await core.machine.run(`for i in 1 2 3 4 5; do echo reversed >${UPDATES}/first/stage && break; sleep 0.2; done`);
        expect(await core.answer(), tracer).toBe("1");
      }
    }
    // The last line may not be whole yet.
    const seen = new Set(reader.outputSoFar().split("\n").slice(0, -1));
    reader.kill();
    expect([...seen].sort()).toEqual(["1", "100"]);
  });

  test("a kprobe at the entry goes on being hit", async () => {
    const hits = async () => Number((await core.read(`${TRACING}/kprobe_profile`)).trim().split(/\s+/)[1] ?? "0");
    await core.machine.run(`cd ${TRACING}; echo p:entry kstest_answer >kprobe_events; echo 1 >events/kprobes/entry/enable`);
    await core.loadFirst([ANSWER]);
    expect(await core.request("first", "applied")).toBe("done");
    const before = await hits();
    expect(await core.answer()).toBe("100");
    expect(await hits()).toBeGreaterThan(before);
    expect(await core.request("first", "reversed")).toBe("done");
    await core.machine.run(`cd ${TRACING}; echo 0 >events/kprobes/entry/enable; echo >kprobe_events`);
  });
};

// The way through the commands, of test/vm/debug-printk.vm.test.ts, is on 6.1.
describeCore("the kernel core", coreKernels("6.12"), tests);
