import { afterEach, describe, expect, test } from "vitest";
import { describeCore, TRACING, UPDATES } from "./support/core-machine.js";
import { coreKernels } from "./support/core-kernels.js";

/** Code that somebody may still come to, modules that come and go, and probes: test/vm/core.vm.test.ts has the rest. */

const INSMOD = "/run/ksplice-vm/busybox insmod";

describeCore("the kernel core", coreKernels("6.1"), (core) => {
  afterEach(async () => {
    await core.machine.run(`echo 0 >${TRACING}/events/kprobes/enable; echo >${TRACING}/kprobe_events`);
  });
  describe("undo", () => {
    test("of an update whose addresses may have been kept leaves it in memory, with all that it needs", async () => {
      await core.loadBuiltin(["unloadable=0", "pin=kstest_victim"]);
      expect(await core.about("builtin", "parts")).toBe("kstest_builtin vmlinux 0123 stays");
      expect(await core.request("builtin", "applied")).toBe("done");
      expect(await core.request("builtin", "reversed")).toBe("done");
      expect(await core.about("builtin", "stage")).toBe("resident");
      expect(await core.read("/proc/version")).toContain("Linux version");
      expect(await core.unload("kstest_builtin")).toContain("in use");
      expect(await core.unload("kstest_victim")).toContain("in use");

      expect(await core.request("builtin", "applied")).toBe("done");
      expect(await core.read("/proc/version")).toBe("patched");
      expect(await core.request("builtin", "released")).toBe("unexpected");
      expect(await core.request("builtin", "reversed")).toBe("done");
      expect(await core.request("builtin", "reversed")).toBe("already_reversed");
      expect(await core.request("builtin", "released")).toBe("done");
      expect(await core.about("builtin", "stage")).toBe("reversed");
      expect(await core.unload("kstest_builtin")).toBe("");
    });

    test("of an update that another one needs, undone itself, leaves it in memory too", async () => {
      await core.loadFirst();
      expect(await core.request("first", "applied")).toBe("done");
      await core.loadSecond(["unloadable=0"]);
      expect(await core.request("second", "applied")).toBe("done");
      expect(await core.request("second", "reversed")).toBe("done");
      expect(await core.request("first", "reversed")).toBe("done");
      expect([await core.about("first", "stage"), await core.about("second", "stage")]).toEqual(["resident", "resident"]);

      expect(await core.request("second", "applied")).toBe("target_not_loaded");
      expect(await core.lastWords()).toBe("ksplice: second builds on first, which is not applied");
      expect(await core.answer()).toBe("1");
      expect(await core.request("first", "released")).toBe("module_busy");
      expect(await core.request("first", "applied")).toBe("done");
      expect(await core.request("second", "applied")).toBe("done");
      expect(await core.answer()).toBe("1000");
    });

    test("a thread that sleeps in code of a reversed update keeps it from being released", async () => {
      await core.loadBuiltin(["unloadable=0"]);
      expect(await core.request("builtin", "applied")).toBe("done");
      expect(await core.request("builtin", "reversed")).toBe("done");
      await core.machine.run("echo 1 >/sys/module/kstest_builtin/parameters/stay; echo 1 >/sys/module/kstest_builtin/parameters/visit");
      await core.until("the visit", "grep -q visitor /proc/*/stack 2>/dev/null");
      expect(await core.request("builtin", "released")).toMatch(/^code_busy, kstest visitor PID /);
      await core.machine.run("echo 0 >/sys/module/kstest_builtin/parameters/stay");
      await core.until("the end of the visit", "! grep -q visitor /proc/*/stack 2>/dev/null");
      expect(await core.request("builtin", "released")).toBe("done");
    });
  });

  describe("what an update needs", () => {
    const loadOn = (pin: string, ...parameters: string[]) => core.loadBuiltin([`pin=${pin}`, ...parameters]);

    test("stays from its load until behind its exit", async () => {
      await loadOn("kstest_victim");
      expect(await core.about("builtin", "stage")).toBe("loaded");
      expect(await core.unload("kstest_victim")).toContain("in use");
      expect(await core.unload("kstest_builtin")).toBe("");
      expect(await core.unload("kstest_victim")).toBe("");
      await core.load("kstest_victim");
    });

    test("is let go where the load fails", async () => {
      await expect(loadOn("kstest_victim", "fail_init=-5")).rejects.toThrow("Input/output error");
      expect(await core.unload("kstest_victim")).toBe("");
      await core.load("kstest_victim");
    });

    test("must be loaded", async () => {
      await expect(loadOn("nowhere")).rejects.toThrow("kstest_builtin needs module nowhere, which is not loaded");
      await expect(core.loadBuiltin(["target=nowhere"])).rejects.toThrow("needs module nowhere");
      expect((await core.machine.run(["ls", UPDATES])).stdout).toBe("version\n");
    });

    test("must be where it was when its addresses were read", async () => {
      await expect(loadOn("kstest_victim", "moved=4096")).rejects.toThrow("module kstest_victim has been loaded anew meanwhile");
    });

    test("must have come up: one whose init function fails is gone whoever holds it", async () => {
      const path = await core.loader.put("kstest_slow");
      const coming = core.machine.start(`${INSMOD} ${path}`);
      await core.until("the load", "grep -q coming /sys/module/kstest_slow/initstate 2>/dev/null");
      await expect(loadOn("kstest_slow")).rejects.toThrow("needs module kstest_slow, which is not loaded");
      expect((await coming.finished).exitCode).not.toBe(0);
    });
  });

  describe("a kprobe", () => {
    const events = `${TRACING}/kprobe_events`;
    const enable = (on: number) => core.machine.run(`echo ${on} >${TRACING}/events/kprobes/atsite/enable; sleep 0.5`);
    const remove = async () => {
      await enable(0);
      await core.machine.run(`echo >${events}`);
    };
    const site = async () => Number((await core.about("first", "functions")).split(/[ \n]/)[5]);
    /** @returns the offset of an instruction in the function's middle, behind the trampoline's place */
    const probeBody = async (from: number): Promise<void> => {
      const { exitCode } = await core.machine.run(
        `for at in $(seq ${from + 6} ${from + 30}); do echo "p:atsite kstest_nap+$at" >${events} 2>/dev/null && exit 0; done; exit 1`,
      );
      expect(exitCode).toBe(0);
    };

    test.each(["registered", "armed"])("that is %s, at the site or in the body, keeps an update from being applied", async (state) => {
      await core.loadFirst();
      for (const place of ["site", "body"]) {
        if (place === "site") await core.machine.run(`echo "p:atsite kstest_nap+${await site()}" >${events}`);
        else await probeBody(await site());
        if (state === "armed") await enable(1);
        expect([place, await core.request("first", "applied")]).toEqual([place, "no_match"]);
        expect(await core.lastWords()).toMatch(/^ksplice: first: there is a kprobe at kstest_nap\+0x/);
        await remove();
      }
      expect(await core.request("first", "applied")).toBe("done");
    });

    test.each(["registered", "armed"])("that is %s, at the site or in the body, keeps an update from being reversed", async (state) => {
      await core.loadFirst();
      expect(await core.request("first", "applied")).toBe("done");
      for (const place of ["site", "body"]) {
        if (place === "site") await core.machine.run(`echo "p:atsite kstest_nap+${await site()}" >${events}`);
        else await probeBody(await site());
        if (state === "armed") await enable(1);
        expect(await core.answer()).toBe("100");
        expect([place, await core.request("first", "reversed")]).toEqual([place, "no_match"]);
        await remove();
      }
      expect(await core.request("first", "reversed")).toBe("done");
      expect(await core.answer()).toBe("1");
    });

    test("in new code keeps it from being reversed", async () => {
      await core.loadFirst();
      expect(await core.request("first", "applied")).toBe("done");
      const { exitCode } = await core.machine.run(
        `for at in $(seq 6 30); do echo "p:atsite kstest_first:kstest_first_answer+$at" >${events} 2>/dev/null && exit 0; done; exit 1`,
      );
      expect(exitCode).toBe(0);
      expect(await core.request("first", "reversed")).toBe("no_match");
      expect(await core.lastWords()).toMatch(/there is a kprobe at kstest_first_answer\+/);
      await remove();
      expect(await core.request("first", "reversed")).toBe("done");
    });

    test("at the entry, by way of ftrace, goes on working", async () => {
      await core.loadFirst();
      const hits = async () => Number((await core.read(`${TRACING}/kprobe_profile`)).split(/\s+/)[2] ?? "0");
      await core.machine.run(`echo "p:atsite kstest_answer" >${events}`);
      await enable(1);
      expect(await core.request("first", "applied")).toBe("done");
      const before = await hits();
      expect(await core.answer()).toBe("100");
      expect(await hits()).toBe(before + 1);
      expect(await core.request("first", "reversed")).toBe("done");
      expect(await core.answer()).toBe("1");
      expect(await hits()).toBe(before + 2);
    });
  });

  describe("the stop", () => {
    test("ends after its time, whatever it has found until then", async ({ skip }) => {
      skip(!(await core.hasClock()), "no time passes in a stop");
      const limit = "/sys/module/ksplice/parameters/stop_limit_us";
      await core.loadFirst();
      await core.machine.run(`echo 0 >${limit}`);
      expect(await core.request("first", "applied")).toBe("timed_out");
      expect(await core.answer()).toBe("1");
      await core.machine.run(`echo 1000000 >${limit}`);
      expect(await core.request("first", "applied")).toBe("done");
      await core.machine.run(`echo 0 >${limit}`);
      expect(await core.request("first", "reversed")).toBe("timed_out");
      expect(await core.answer()).toBe("100");
      await core.machine.run(`echo 1000000 >${limit}`);
    });

    test("does not take place where a thread is seen to sleep in the code before", async () => {
      await core.loadFirst();
      expect(await core.request("first", "applied")).toBe("done");
      if (await core.hasClock()) expect(Number(await core.about("first", "stop_ns"))).toBeGreaterThan(0);
      expect(await core.request("first", "reversed")).toBe("done");
      const sleeper = await core.fallAsleep();
      const before = await core.about("first", "stop_ns");
      expect(await core.request("first", "applied")).toBe("code_busy, cat PID kstest_nap");
      expect(await core.about("first", "stop_ns")).toBe(before);
      await core.wake();
      await sleeper.finished;
    });

    test("is not held off by a word that a user program has put on its kernel stack", async () => {
      await core.loadFirst(["unloadable=0"]);
      const [addr = ""] = (await core.machine.run("grep -w kstest_nap /proc/kallsyms")).stdout.split(" ");
      const word = BigInt(`0x${addr}`) + 12n;
      const holder = core.machine.start(["python3", "-c", HOSTILE_SELECT, word.toString()]);
      await core.until("the select", "grep -q do_select /proc/*/stack 2>/dev/null");
      const result = await core.request("first", "applied");
      holder.kill();
      expect(result).toBe("done");

      // Where memory is given back the word counts, whatever it is.
      expect(await core.request("first", "reversed")).toBe("done");
      const [text = ""] = (await core.machine.run("cat /sys/module/kstest_first/sections/.text")).stdout.trim().split(" ");
      const other = core.machine.start(["python3", "-c", HOSTILE_SELECT, (BigInt(text) + 4n).toString()]);
      await core.until("the select", "grep -q do_select /proc/*/stack 2>/dev/null");
      const kept = await core.request("first", "released");
      other.kill();
      expect(kept).toMatch(/^code_busy, python3 PID kstest_/);
    });
  });

  test("the kernel has nothing to complain about, and tells that it was patched", async () => {
    expect(Number(await core.read("/proc/sys/kernel/tainted")) & 0x8000).toBe(0x8000);
    expect(await core.machine.problems()).toEqual([]);
  });
});

/** Sleeps in select() with a set of descriptors that is the given word: select() keeps it on the kernel stack. */
const HOSTILE_SELECT = `
import ctypes, os, sys
reader, writer = os.pipe()
os.dup2(writer, 100)
for fd in range(64):
    os.dup2(reader, fd)
word = ctypes.c_uint64(int(sys.argv[1]))
ctypes.CDLL(None).select(64, ctypes.byref(word), None, None, None)
`;
