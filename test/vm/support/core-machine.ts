import { defaultCacheDir } from "../../../src/host/cache-dir.js";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { findRehearsalKernel } from "../../../src/rehearse/rehearsal-kernel.js";
import { bootMachine, type BootOptions, type Machine, type StartedCommand } from "../../../vm/machine.js";
import { coreTree, type CoreKernel } from "./core-kernels.js";
import { buildCoreModules, ModuleLoader } from "./core-modules.js";

export const UPDATES = "/sys/kernel/ksplice";
export const VICTIM = "/sys/kernel/kstest";
export const LIVEPATCH = "/sys/kernel/livepatch/kstest_livepatch";
export const TRACING = "/sys/kernel/tracing";

/**
 * Tests in a machine for each of these kernels. Each begins with a core that holds no update.
 * @param what is tested, before "on a 6.1 kernel"
 * @param tests `core` is there once they run
 */
export function describeCore(
  what: string,
  chosen: readonly CoreKernel[],
  tests: (core: CoreMachine, kernel: CoreKernel) => void,
  options: Partial<BootOptions> = {},
): void {
  describe.each<CoreKernel>([...chosen])(`${what} on a %s kernel`, (kernel) => {
    const core = new CoreMachine(kernel, options);
    beforeAll(async () => {
      await core.boot();
    });
    afterEach(async () => {
      await core.clean();
    });
    afterAll(async () => {
      await core.end();
    });
    tests(core, kernel);
    if (kernel === "debugging")
      test("what the kernel checks of itself is in order", async () => {
        expect(await findLeaks(core.machine)).toBe("");
        // After its first complaint lockdep looks no more.
        expect(await core.read("/proc/lockdep_stats")).toMatch(/debug_locks: +1$/m);
        expect(await core.machine.problems()).toEqual([]);
      });
  });
}

/** What kmemleak has found. What is younger than five seconds it leaves out. */
async function findLeaks(machine: Machine): Promise<string> {
  const scan = "echo scan >$leaks";
  const { stdout, stderr } = await machine.run(`leaks=/sys/kernel/debug/kmemleak; sleep 6; ${scan}; ${scan}; cat $leaks`, {
    timeoutMs: 600_000,
  });
  return stdout + stderr;
}

interface Booted {
  readonly machine: Machine;
  readonly loader: ModuleLoader;
  readonly logs: string;
}

/** What is added to the kernel's command line in all such tests: `preempt=full`, by night. */
const COMMAND_LINE = process.env["KSPLICE_TEST_CMDLINE"] ?? "";

/** A machine with the kernel core and the module that the test updates patch. */
export class CoreMachine {
  #running: Booted | undefined;

  constructor(
    private readonly kernel: CoreKernel,
    private readonly options: Partial<BootOptions> = {},
  ) {}

  get machine(): Machine {
    return this.#booted.machine;
  }

  get loader(): ModuleLoader {
    return this.#booted.loader;
  }

  get #booted(): Booted {
    if (this.#running === undefined) throw new Error("the machine has not been booted");
    return this.#running;
  }

  async boot(): Promise<void> {
    const tree = await coreTree(this.kernel);
    const modules = await buildCoreModules(tree);
    const logs = mkdtempSync(join(tmpdir(), "ksplice-core-logs-"));
    const machine = await bootMachine({
      ...(await findRehearsalKernel(tree, defaultCacheDir(process.env))),
      consoleLog: join(logs, `${this.kernel}.log`),
      // A kernel that watches itself takes minutes for what others do in seconds, on a machine that is busy besides.
      ...(this.kernel === "debugging" ? { runTimeoutMs: 300_000, bootTimeoutMs: 600_000 } : {}),
      ...this.options,
      appendCmdline: `${COMMAND_LINE} ${this.options.appendCmdline ?? ""}`.trim(),
    });
    this.#running = { machine, loader: new ModuleLoader(machine, modules), logs };
    await this.load("kstest_victim");
    // Emulated processors are slow.
    await this.load("ksplice", ["stop_limit_us=1000000"]);
  }

  async end(): Promise<void> {
    if (this.#running === undefined) return;
    await this.#running.machine.powerOff();
    rmSync(this.#running.logs, { recursive: true, force: true });
  }

  /** Newest first; whatever a failed test left is of no concern to the next. */
  async clean(): Promise<void> {
    await this.machine.run(
      `echo 1 >${VICTIM}/wake
for id in over second third first builtin data hooks later many; do
	for stage in reversed released; do [ -e ${UPDATES}/$id ] && echo $stage >${UPDATES}/$id/stage; done
	rmmod kstest_$id
done 2>/dev/null
rmmod kstest_builtin 2>/dev/null`,
    );
  }

  /** False where only the timer's interrupt moves the clock, so that none passes in a stop: a kernel without ACPI that could not tell how fast its processor's counter is. */
  async hasClock(): Promise<boolean> {
    // Any other has to have one.
    if (this.kernel !== "debugging") return true;
    return !(await this.read("/sys/devices/system/clocksource/clocksource0/current_clocksource")).includes("jiffies");
  }

  async read(path: string): Promise<string> {
    return (await this.machine.run(["cat", path])).stdout.trimEnd();
  }

  async about(id: string, file: string): Promise<string> {
    return await this.read(`${UPDATES}/${id}/${file}`);
  }

  async answer(): Promise<string> {
    return await this.read(`${VICTIM}/answer`);
  }

  /** Writes to `stage`. @returns "done", or the abort cause with the conflicts behind it, process ids replaced */
  async request(id: string, stage: string): Promise<string> {
    const dir = `${UPDATES}/${id}`;
    const { stdout, exitCode } = await this.machine.run(
      `echo ${stage} >${dir}/stage || { cat ${dir}/abort_cause ${dir}/conflicts; false; }`,
    );
    return exitCode === 0 ? "done" : stdout.trimEnd().replaceAll("\n", ", ").replaceAll(/ \d+ /g, " PID ");
  }

  /** The core's latest words in the kernel's log. */
  async lastWords(): Promise<string> {
    return (await this.machine.run("dmesg | grep ksplice: | tail -1")).stdout.replace(/^\[.*?\] /, "").trimEnd();
  }

  async load(name: string, parameters: readonly string[] = []): Promise<void> {
    const { exitCode, stderr } = await this.loader.load(name, parameters);
    if (exitCode !== 0) throw new Error(`${name}: ${stderr}${(await this.machine.run("dmesg | tail -5")).stdout}`);
  }

  /** Parameters of kstest_first. */
  firstSizes(): string {
    return `sizes=${["kstest_answer", "kstest_nap"].map((name) => this.loader.sizeOf("kstest_victim", name)).join(",")}`;
  }

  async loadFirst(parameters: readonly string[] = []): Promise<void> {
    await this.load("kstest_first", [this.firstSizes(), ...parameters]);
  }

  async loadSecond(parameters: readonly string[] = []): Promise<void> {
    await this.load("kstest_second", [
      `sizes=${this.loader.sizeOf("kstest_first", "kstest_first_answer")}`,
      "pin=kstest_first",
      ...parameters,
    ]);
  }

  async loadThird(parameters: readonly string[] = []): Promise<void> {
    await this.load("kstest_third", [`sizes=${this.loader.sizeOf("kstest_victim", "kstest_answer")}`, ...parameters]);
  }

  async loadHooks(parameters: readonly string[] = []): Promise<void> {
    await this.load("kstest_hooks", [`sizes=${this.loader.sizeOf("kstest_victim", "kstest_answer")}`, ...parameters]);
  }

  async loadBuiltin(parameters: readonly string[] = []): Promise<void> {
    await this.load("kstest_builtin", [`sizes=${await this.loader.sizeInKernel("version_proc_show")}`, ...parameters]);
  }

  /** A livepatch of kstest_answer, which then answers 7. @returns how long its transition took, in seconds of the guest */
  async livepatch(): Promise<number> {
    await this.machine.run("dmesg -c >/dev/null");
    await this.load("kstest_livepatch");
    await this.until("the livepatch's transition", `[ "$(cat ${LIVEPATCH}/transition)" = 0 ]`);
    const log = (await this.machine.run("dmesg | grep livepatch:")).stdout;
    const at = (words: string) => Number(new RegExp(`^\\[ *([\\d.]+)\\] livepatch: .*${words}`, "m").exec(log)?.[1]);
    return at("patching complete") - at("starting patching transition");
  }

  async endLivepatch(): Promise<void> {
    await this.machine.run(`echo 0 >${LIVEPATCH}/enabled`);
    await this.until("the livepatch's end", `[ ! -e ${LIVEPATCH} ]`);
    await this.until("its unloading", "rmmod kstest_livepatch 2>/dev/null");
  }

  async unload(name: string): Promise<string> {
    return (await this.loader.unload(name)).stderr;
  }

  async until(what: string, command: string): Promise<void> {
    const { exitCode } = await this.machine.run(`for i in $(seq 100); do ${command} && exit 0; sleep 0.1; done; exit 1`);
    if (exitCode !== 0) throw new Error(`${what} did not happen`);
  }

  /** A thread that sleeps in kstest_nap until `wake`. */
  async fallAsleep(): Promise<StartedCommand> {
    const sleeper = this.machine.start(["cat", `${VICTIM}/nap`]);
    await this.until("the nap", "grep -q kstest_nap /proc/*/stack 2>/dev/null");
    return sleeper;
  }

  async wake(): Promise<void> {
    await this.machine.run(`echo 1 >${VICTIM}/wake`);
  }
}
