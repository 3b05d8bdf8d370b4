import { expect, test } from "vitest";
import { describeCore, VICTIM } from "./support/core-machine.js";
import { coreKernels } from "./support/core-kernels.js";

describeCore("hooks of the kernel core", coreKernels("6.12"), (core) => {
  const read = (path: string) => core.read(path);
  const about = (id: string, file: string) => core.about(id, file);
  const answer = () => core.answer();
  const request = (id: string, stage: string) => core.request(id, stage);
  const load = (name: string, parameters?: readonly string[]) => core.load(name, parameters);
  const loadHooks = (parameters?: readonly string[]) => core.loadHooks(parameters);

  /** What was called at the last attempt, with what kstest_answer was then: old 1, new 500. */
  const called = () => read(`${VICTIM}/called`).then((text) => text.trim());
  const refuse = (hook: string) => core.machine.run(`echo ${hook} >/sys/module/kstest_hooks/parameters/refuse`);
  const nobodyHolds = async () => {
    for (const module of ["kstest_hooks", "kstest_victim"]) expect((await core.loader.unload(module)).stderr).toBe("");
    await load("kstest_victim");
  };

  test("are called in order: before the stop, in it before and after the change, after it", async () => {
    await loadHooks();
    expect(await request("hooks", "applied")).toBe("done");
    expect(await called()).toBe("pre:1 pre2:1 check:1:stopped check2:1:stopped apply:500:stopped post:500");
    expect(await request("hooks", "reversed")).toBe("done");
    expect(await called()).toBe("pre_undo:500 check_undo:500:stopped undo:1:stopped post_undo:1");
    await nobodyHolds();
  });

  test.each([
    ["pre", "pre:1 fail:1"],
    ["pre2", "pre:1 pre2:1 fail:1"],
    ["check", "pre:1 pre2:1 check:1:stopped fail:1"],
    ["check2", "pre:1 pre2:1 check:1:stopped check2:1:stopped fail:1"],
  ])("%s says no to applying: nothing changes and nothing is held", async (hook, calls) => {
    await loadHooks([`refuse=${hook}`]);
    expect(await request("hooks", "applied")).toBe("call_failed");
    expect(await called()).toBe(calls);
    expect((await core.machine.run("dmesg | grep ksplice: | tail -1")).stdout).toMatch(/hooks: the hook \w+ \[kstest_hooks\] returned -16/);
    expect([await about("hooks", "stage"), await answer()]).toEqual(["loaded", "1"]);
    await nobodyHolds();
  });

  test("one that says no at first and yes then: each attempt is a new one", async () => {
    await loadHooks(["refuse=check2"]);
    expect(await request("hooks", "applied")).toBe("call_failed");
    await refuse("nobody");
    expect(await request("hooks", "applied")).toBe("done");
    expect(await answer()).toBe("500");
  });

  test.each([
    ["pre_undo", "pre_undo:500 fail_undo:500"],
    ["check_undo", "pre_undo:500 check_undo:500:stopped fail_undo:500"],
  ])("%s says no to reversing: it stays applied", async (hook, calls) => {
    await loadHooks();
    expect(await request("hooks", "applied")).toBe("done");
    await refuse(hook);
    expect(await request("hooks", "reversed")).toBe("call_failed");
    expect(await called()).toBe(calls);
    expect([await about("hooks", "stage"), await answer()]).toEqual(["applied", "500"]);
    expect((await core.loader.unload("kstest_victim")).stderr).toContain("in use");
    await refuse("nobody");
    expect(await request("hooks", "reversed")).toBe("done");
  });

  test("an attempt that fails for another reason ends with the fail hooks", async () => {
    await loadHooks(["spoil=1"]);
    expect(await request("hooks", "applied")).toBe("no_match");
    expect(await called()).toBe("pre:1 pre2:1 fail:1");
    await nobodyHolds();
  });

  test("those of several parts are called part by part", async () => {
    await loadHooks(["parts=2"]);
    await load("kstest_data", ["parts=2", "id=hooks", "target=vmlinux"]);
    expect(await request("hooks", "applied")).toBe("done");
    expect(await called()).toBe("pre:1 pre2:1 check:1:stopped check2:1:stopped apply:500:stopped post:500 data:500");
    expect(await read(`${VICTIM}/limits`)).toBe("10 20 30 40");
    expect(await request("hooks", "reversed")).toBe("done");
  });

  test("the kernel has nothing to complain about", async () => {
    expect(await core.machine.problems()).toEqual([]);
  });
});
