import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bootMachine, type Machine } from "../../vm/machine.js";
import { buildCoreModules, ModuleLoader, type BuiltModules } from "./support/core-modules.js";
import { testTrees } from "./support/test-trees.js";

const LOGS = mkdtempSync(join(tmpdir(), "ksplice-core-logs-"));
const UPDATES = "/sys/kernel/ksplice";
const VICTIM = "/sys/kernel/kstest";

describe.each(testTrees())("the kernel core on $release", ({ directory, release, kernel, modulesDir }) => {
  let modules: BuiltModules;
  let machine: Machine;
  let loader: ModuleLoader;

  const read = async (path: string) => (await machine.run(["cat", path])).stdout.trimEnd();
  const about = async (id: string, file: string) => read(`${UPDATES}/${id}/${file}`);
  /** "done", or the system's error of a write to `stage` (which the shell's own echo would not tell), the abort cause and the conflicts. */
  const request = async (id: string, stage: string) => {
    const dir = `${UPDATES}/${id}`;
    const { exitCode, stderr, stdout } = await machine.run(
      `/bin/echo ${stage} >${dir}/stage || { cat ${dir}/abort_cause ${dir}/conflicts; false; }`,
    );
    return exitCode === 0
      ? "done"
      : `${stderr.trim().replace(/.*: /, "")}: ${stdout.trimEnd().replaceAll("\n", ", ").replaceAll(/\d+/g, "PID")}`;
  };
  const loadOrFail = async (name: string, parameters: readonly string[] = []) => {
    const { exitCode, stderr } = await loader.load(name, parameters);
    if (exitCode !== 0) throw new Error(`${name}: ${stderr}${(await machine.run("dmesg | tail -5")).stdout}`);
  };
  const unloadOrFail = async (name: string) => {
    const { exitCode, stderr } = await loader.unload(name);
    if (exitCode !== 0) throw new Error(`${name}: ${stderr}`);
  };
  const loadFirst = (parameters: readonly string[] = []) => {
    const sizes = ["kstest_answer", "kstest_nap"].map((name) => loader.sizeOf("kstest_victim", name));
    return loadOrFail("kstest_first", [`sizes=${sizes.join(",")}`, ...parameters]);
  };
  const loadSecond = () => loadOrFail("kstest_second", [`sizes=${loader.sizeOf("kstest_first", "kstest_first_answer")}`]);
  const loadBuiltin = async () => loadOrFail("kstest_builtin", [`sizes=${await loader.sizeInKernel("version_proc_show")}`]);
  const until = async (what: string, command: string) => {
    const { exitCode } = await machine.run(`for i in $(seq 100); do ${command} && exit 0; sleep 0.1; done; exit 1`);
    if (exitCode !== 0) throw new Error(`${what} did not happen`);
  };

  beforeAll(async () => {
    modules = await buildCoreModules(directory);
    machine = await bootMachine({ kernel, modulesDir, consoleLog: join(LOGS, `${release}.log`) });
    loader = new ModuleLoader(machine, modules);
    await loadOrFail("kstest_victim");
    await loadOrFail("ksplice");
  });

  afterAll(async () => {
    await machine.powerOff();
  });

  test("registering patches nothing", async () => {
    await loadFirst();
    expect(await about("first", "stage")).toBe("loaded");
    expect(await about("first", "description")).toBe("Answers 100");
    expect(await about("first", "abort_cause")).toBe("ok");
    expect(await about("first", "attempts")).toBe("0");
    expect(await read(`${VICTIM}/answer`)).toBe("1");
    expect(await read(`${UPDATES}/version`)).toBe("1");
    expect((await machine.run(`stat -c '%a %n' ${UPDATES}/first/* ${UPDATES}/version`)).stdout).not.toMatch(/^.[^0]|^..[^0]/m);
  });

  test("applying redirects all functions, reversing brings them back", async () => {
    const before = (await machine.run("cat /proc/kallsyms | grep -w kstest_answer")).stdout.split(" ")[0] ?? "";
    expect(await request("first", "applied")).toBe("done");
    expect(await read(`${VICTIM}/answer`)).toBe("100");
    expect(await read(`${VICTIM}/nap`)).toBe("2");
    expect(await about("first", "stage")).toBe("applied");
    expect(Number(await about("first", "stop_ns"))).toBeGreaterThan(0);
    const functions = (await about("first", "functions")).split("\n").map((line) => line.split(" "));
    expect(functions.map(([name]) => name)).toEqual(["kstest_answer", "kstest_nap"]);
    expect(functions[0]?.[1]).toBe(before);
    expect(functions[0]?.[6]).toBe("kstest_victim");

    expect(await request("first", "reversed")).toBe("done");
    expect(await about("first", "stage")).toBe("reversed");
    expect(await read(`${VICTIM}/answer`)).toBe("1");
  });

  test("asking for what is there already is refused", async () => {
    expect(await request("first", "reversed")).toBe("Operation already in progress");
    expect(await about("first", "abort_cause")).toBe("already_reversed");
    expect(await request("first", "applied")).toBe("done");
    expect(await request("first", "applied")).toBe("Invalid argument");
    expect(await request("first", "nonsense")).toBe("Invalid argument");
    expect(await about("first", "stage")).toBe("applied");
  });

  test("neither the target nor the new code can be unloaded while applied", async () => {
    expect((await loader.unload("kstest_victim")).stderr).toContain("in use");
    expect((await loader.unload("kstest_first")).stderr).toContain("in use");
    expect((await loader.unload("ksplice")).stderr).toContain("in use");
    expect(await request("first", "reversed")).toBe("done");
  });

  test("a thread that sleeps in an old function keeps it from being replaced", async () => {
    const sleeper = machine.start(["cat", `${VICTIM}/nap`]);
    await until("the nap", "grep -q kstest_nap /proc/*/stack 2>/dev/null");
    expect(await request("first", "applied")).toBe("Resource temporarily unavailable");
    expect(await about("first", "abort_cause")).toBe("code_busy");
    expect(await about("first", "conflicts")).toMatch(/^cat \d+ kstest_nap$/);
    expect(await about("first", "stage")).toBe("reversed");
    expect(await read(`${VICTIM}/answer`)).toBe("1");

    await machine.run(`echo 1 >${VICTIM}/wake`);
    expect((await sleeper.finished).stdout).toBe("1\n");
    expect(await request("first", "applied")).toBe("done");
    expect(await about("first", "conflicts")).toBe("");
    expect(await request("first", "reversed")).toBe("done");
  });

  test("a thread that sleeps in new code keeps it from being taken away", async () => {
    await loadBuiltin();
    expect(await read("/proc/version")).toContain("Linux version");
    expect(await request("builtin", "applied")).toBe("done");
    expect(await read("/proc/version")).toBe("patched");
    await machine.run("echo 4000 >/sys/module/kstest_builtin/parameters/stay_ms");
    const sleeper = machine.start(["cat", "/proc/version"]);
    await until("the sleep", "grep -q builtin_version /proc/*/stack 2>/dev/null");
    expect(await request("builtin", "reversed")).toBe("Resource temporarily unavailable");
    expect(await about("builtin", "conflicts")).toMatch(/^cat \d+ version_proc_show$/);
    expect(await about("builtin", "stage")).toBe("applied");
    await sleeper.finished;
    expect(await request("builtin", "reversed")).toBe("done");
    expect(await read("/proc/version")).toContain("Linux version");
    await unloadOrFail("kstest_builtin");
  });

  test("an update on an update: newest first out", async () => {
    expect(await request("first", "applied")).toBe("done");
    await loadSecond();
    expect(await request("second", "applied")).toBe("done");
    expect(await read(`${VICTIM}/answer`)).toBe("1000");
    expect(await about("first", "replaced_by")).toBe("second");
    expect(await request("first", "reversed")).toBe("Device or resource busy");
    expect(await about("first", "abort_cause")).toBe("module_busy");
    expect(await read(`${VICTIM}/answer`)).toBe("1000");

    expect(await request("second", "reversed")).toBe("done");
    expect(await read(`${VICTIM}/answer`)).toBe("100");
    expect(await about("first", "replaced_by")).toBe("");
    expect(await request("first", "reversed")).toBe("done");
    expect(await read(`${VICTIM}/answer`)).toBe("1");
    await unloadOrFail("kstest_second");
  });

  test("ftrace and kprobes work on a replaced function; a probe at the site keeps the update as it is", async () => {
    const tracing = "/sys/kernel/tracing";
    expect(await request("first", "applied")).toBe("done");
    await machine.run(`cd ${tracing}; echo kstest_answer >set_ftrace_filter; echo function >current_tracer; echo >trace`);
    expect(await read(`${VICTIM}/answer`)).toBe("100");
    expect(await read(`${tracing}/trace`)).toContain("kstest_answer <-answer_show");
    expect(await request("first", "reversed")).toBe("done");
    expect(await request("first", "applied")).toBe("done");
    await machine.run(`cd ${tracing}; echo nop >current_tracer; echo >set_ftrace_filter`);

    const site = Number((await about("first", "functions")).split(/[ \n]/)[5]);
    await machine.run(`cd ${tracing}; echo "p:atsite kstest_answer+${site}" >kprobe_events; echo 1 >events/kprobes/atsite/enable`);
    expect(await read(`${VICTIM}/answer`)).toBe("100");
    expect(await request("first", "reversed")).toBe("Invalid or incomplete multibyte or wide character");
    expect(await about("first", "abort_cause")).toBe("no_match");
    await machine.run(`cd ${tracing}; echo 0 >events/kprobes/atsite/enable; echo >kprobe_events`);
    expect(await request("first", "reversed")).toBe("done");
  });

  test("a thread whose return address a tracer replaced is seen too", async () => {
    const tracing = "/sys/kernel/tracing";
    await machine.run(`cd ${tracing}; echo kstest_nap >set_graph_function; echo function_graph >current_tracer`);
    const sleeper = machine.start(["cat", `${VICTIM}/nap`]);
    await until("the nap", "grep -q kstest_nap /proc/*/stack 2>/dev/null");
    expect(await request("first", "applied")).toBe("Resource temporarily unavailable");
    expect(await about("first", "conflicts")).toMatch(/^cat \d+ kstest_nap$/);
    await machine.run(`echo 1 >${VICTIM}/wake`);
    await sleeper.finished;
    await machine.run(`cd ${tracing}; echo nop >current_tracer; echo >set_graph_function`);
  });

  test("bytes that are not as expected are left alone", async () => {
    await unloadOrFail("kstest_first");
    await loadFirst(["spoil=1"]);
    expect(await request("first", "applied")).toBe("Invalid or incomplete multibyte or wide character");
    expect(await about("first", "abort_cause")).toBe("no_match");
    expect(await read(`${VICTIM}/answer`)).toBe("1");
    await unloadOrFail("kstest_first");
  });

  test.each(Array.from({ length: 16 }, (_, index) => index + 1))("malformed part %i is refused", async (fault) => {
    expect((await loader.load("kstest_malformed", [`fault=${fault}`])).exitCode).not.toBe(0);
    expect((await machine.run(["ls", UPDATES])).stdout).toBe("version\n");
  });

  test("50 applies and undos under load, and nothing is left behind", async () => {
    const load = machine.start(
      `while :; do cat ${VICTIM}/answer /proc/version; done >/dev/null & while :; do find /sys/module /proc/self; done >/dev/null 2>&1`,
    );
    const sizes = ["kstest_answer", "kstest_nap"].map((name) => loader.sizeOf("kstest_victim", name));
    await loadOrFail("kstest_first", [`sizes=${sizes.join(",")}`]);
    await loadBuiltin();
    const cycle = `
switch() { for try in $(seq 50); do echo $2 >${UPDATES}/$1/stage 2>/dev/null && return; busy=$((busy+1)); sleep 0.05; done; echo "$1 $2 $(cat ${UPDATES}/$1/abort_cause)"; exit 1; }
busy=0
for round in $(seq $1); do
  switch first applied; switch builtin applied
  [ "$(cat ${VICTIM}/answer)" = 100 ] && [ "$(cat /proc/version)" = patched ] || { echo "round $round: not applied"; exit 1; }
  switch builtin reversed; switch first reversed
  [ "$(cat ${VICTIM}/answer)" = 1 ] && [ "$(cat /proc/version)" != patched ] || { echo "round $round: not reversed"; exit 1; }
done
echo "busy $busy times"`;
    const result = await machine.run(`set -- 50\n${cycle}`, { timeoutMs: 300_000 });
    expect(result.stdout).toMatch(/^busy \d+ times\n$/);
    load.kill();
    await unloadOrFail("kstest_builtin");
    await unloadOrFail("kstest_first");
    expect((await machine.run(["ls", UPDATES])).stdout).toBe("version\n");
    await unloadOrFail("ksplice");
    expect((await machine.run(`ls -d ${UPDATES}; lsmod | grep ksplice`)).stdout).toBe("");
  });

  test("the kernel has nothing to complain about", async () => {
    expect(await machine.problems()).toEqual([]);
  });

  test("a removed function traps", async () => {
    await loadOrFail("ksplice");
    await loadOrFail("kstest_removal", [`sizes=${loader.sizeOf("kstest_victim", "kstest_gone")}`]);
    expect(await read(`${VICTIM}/gone`)).toBe("7");
    expect(await request("removal", "applied")).toBe("done");
    await expect(machine.run(["cat", `${VICTIM}/gone`])).rejects.toThrow(/invalid opcode/);
    expect(machine.consoleText()).toMatch(/RIP: 0010:kstest_gone\+/);
  });
});
