import { expect, test } from "vitest";
import { describeCore, VICTIM } from "./support/core-machine.js";
import { coreKernels } from "./support/core-kernels.js";

describeCore("data of the kernel core", coreKernels("6.1"), (core) => {
  const read = (path: string) => core.read(path);
  const about = (id: string, file: string) => core.about(id, file);
  const request = (id: string, stage: string) => core.request(id, stage);
  const load = (name: string, parameters?: readonly string[]) => core.load(name, parameters);
  const until = (what: string, command: string) => core.until(what, command);
  const wake = () => core.wake();

  const ask = async (file: string) => read(`${VICTIM}/${file}`);
  const data = async () => [await ask("limits"), await ask("big"), await ask("opinion"), (await read("/proc/version")).split(" ")[1]];
  const OLD = ["1 2 3 4", "12288", "1", "version"];
  const NEW = ["10 20 30 40", "24576", "3", "VERSION"];
  const mind = (state: string) => core.machine.run(`echo ${state} >${VICTIM}/mind`);
  const lastWords = () => core.lastWords();

  test("constants of module and kernel, and a pointer, are overwritten and brought back, by an update without functions", async () => {
    await load("kstest_data");
    expect(await about("data", "functions")).toBe("");
    expect(await data()).toEqual(OLD);
    expect(await request("data", "applied")).toBe("done");
    expect(await data()).toEqual(NEW);
    expect(await request("data", "reversed")).toBe("done");
    expect(await data()).toEqual(OLD);
    expect(await request("data", "applied")).toBe("done");
    expect(await data()).toEqual(NEW);
  });

  test("the ranges are listed", async () => {
    await load("kstest_data");
    const [chosen, limits] = (await about("data", "writes")).split("\n");
    const addr = (await core.machine.run("grep -w kstest_limits /proc/kallsyms")).stdout.split(" ")[0];
    expect(limits).toMatch(new RegExp(`^kstest_limits ${addr ?? ""} 16 kstest_victim [0-9a-f]{16}$`));
    expect(chosen).toMatch(/^kstest_chosen [0-9a-f]{16} 8 kstest_victim [0-9a-f]{16}$/);
    expect(await about("data", "writes")).toMatch(/^linux_proc_banner [0-9a-f]{16} 7 kstest_victim [0-9a-f]{16}$/m);
  });

  test("other bytes than expected are left alone, also in what comes before them", async () => {
    await load("kstest_data", ["spoil=1"]);
    expect(await request("data", "applied")).toBe("no_match");
    expect(await lastWords()).toContain("data: the bytes of kstest_chosen at ");
    expect(await data()).toEqual(OLD);
    expect(await about("data", "stop_ns")).toBe("0");
  });

  test("a pointer that has changed since is left alone, on apply and on undo", async () => {
    await load("kstest_data");
    await mind("other");
    expect(await request("data", "applied")).toBe("no_match");
    expect(await ask("opinion")).toBe("2");
    await mind("back");
    expect(await request("data", "applied")).toBe("done");
    await mind("other");
    expect(await request("data", "reversed")).toBe("no_match");
    expect(await lastWords()).toContain("data: the bytes of kstest_chosen at ");
    expect(await about("data", "stage")).toBe("applied");
    expect(await ask("limits")).toBe("10 20 30 40");
    await mind("back");
    expect(await request("data", "reversed")).toBe("done");
    expect(await data()).toEqual(OLD);
  });

  test("a pointer that changes at the very last moment is seen in the stop", async () => {
    await load("kstest_data");
    await mind("fickle");
    expect(await request("data", "applied")).toBe("no_match");
    if (await core.hasClock()) expect(Number(await about("data", "stop_ns"))).toBeGreaterThan(0);
    expect(await lastWords()).toContain("data: the bytes of kstest_chosen at ");
    expect(await data()).toEqual(["1 2 3 4", "12288", "2", "version"]);
    await mind("back");
    expect(await request("data", "applied")).toBe("done");
  });

  test("a thread that sleeps with a pointer to the new data keeps it from being taken away", async () => {
    await load("kstest_data", ["unloadable=0"]);
    expect(await request("data", "applied")).toBe("done");
    const sleeper = core.machine.start(["cat", `${VICTIM}/slow_opinion`]);
    await until("the sleep", "grep -q slow_opinion /proc/*/stack 2>/dev/null");
    expect(await request("data", "reversed")).toBe("done");
    expect(await request("data", "released")).toBe("code_busy, cat PID kstest_data");
    expect((await core.loader.unload("kstest_data")).stderr).toContain("in use");
    await wake();
    expect((await sleeper.finished).stdout).toBe("3\n");
    expect(await request("data", "released")).toBe("done");
    expect((await core.loader.unload("kstest_data")).stderr).toBe("");
  });

  test("updates that overwrite the same data: newest first out", async () => {
    await load("kstest_data");
    expect(await request("data", "applied")).toBe("done");
    await load("kstest_over");
    expect(await request("over", "applied")).toBe("done");
    expect(await ask("limits")).toBe("10 20 300 40");
    expect(await about("data", "replaced_by")).toBe("over");
    expect(await about("over", "replaced_by")).toBe("");
    expect(await request("data", "reversed")).toBe("module_busy");
    expect(await request("over", "reversed")).toBe("done");
    expect(await request("data", "reversed")).toBe("done");
    expect(await data()).toEqual(OLD);
  });

  test("data that is written twice is not written", async () => {
    await load("kstest_over", ["writes=2"]);
    expect(await request("over", "applied")).toBe("unexpected");
    expect(await ask("limits")).toBe("1 2 3 4");
  });

  test.each([
    ["of a module that is not named", ["target=vmlinux"], undefined],
    ["in text", [], "kstest_answer"],
    ["in text of the kernel", [], "version_proc_show"],
    ["in memory that was freed after boot", [], "__init_begin"],
    ["in part behind the data", [], "_edata"],
  ])("bytes %s are not written", async (_, parameters, symbol) => {
    const addr = symbol === undefined ? undefined : (await core.machine.run(`grep -w ${symbol} /proc/kallsyms`)).stdout.split(" ")[0];
    const elsewhere = addr === undefined ? [] : [`elsewhere=0x${symbol === "_edata" ? (BigInt(`0x${addr}`) - 2n).toString(16) : addr}`];
    await load("kstest_over", [...parameters, ...elsewhere]);
    expect(await request("over", "applied")).toBe("failed_to_find");
    expect(await ask("limits")).toBe("1 2 3 4");
  });

  test("the kernel has nothing to complain about", async () => {
    expect(await core.machine.problems()).toEqual([]);
  });
});
