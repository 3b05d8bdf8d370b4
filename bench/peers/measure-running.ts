import { basename, join } from "node:path";
import type { Tell } from "../../src/events.js";
import { compileForMachine, SleepingThreads } from "../../lab/sleeping-threads.js";
import { moduleName } from "../../src/host/module-file.js";
import { commandLine } from "../../src/host/program-paths.js";
import { makeTemporary, removeTemporary } from "../../src/host/temporary.js";
import { bootMachine, type Machine } from "../../vm/machine.js";
import type { Running, Switching } from "./figures.js";
import { FIRST } from "./fixes.js";
import type { PeerName } from "./peer.js";
import { readCalls, readLoaded, readTransition } from "./read-answers.js";
import type { PatchedKernel } from "./small-kernel.js";

const THREADS = [100, 2000] as const;
const CALLS = 10_000;
const EINVAL = 22;
const ERANGE = 34;
const SLOW_MS = 1_800_000;

export interface BuiltUpdate {
  readonly tool: PeerName;
  /** The first fix as this tool has made an update of it. */
  readonly file: string;
}

/**
 * Each tool's update in one machine, one after another: what switching to it takes with few threads and with many, and what a call costs then.
 * The machine's clock counts instructions, so neither the emulator nor what else the host does is in the figures.
 * @throws Error where an update has not the effect that it should have
 */
export async function measureRunning(
  kernel: PatchedKernel,
  updates: readonly BuiltUpdate[],
  logFile: string,
  tell: Tell,
): Promise<Map<PeerName, Running>> {
  const directory = await makeTemporary("ksplice-peers-");
  try {
    tell("stage", `booting ${kernel.release}, where an instruction is a nanosecond`);
    const machine = await bootMachine({
      kernel: join(kernel.tree, "arch/x86/boot/bzImage"),
      modulesDir: join(kernel.tree, "ksplice/image/lib/modules", kernel.release),
      consoleLog: logFile,
      memoryMiB: 2048,
      countInstructions: true,
      bootTimeoutMs: 600_000,
      runTimeoutMs: SLOW_MS,
    });
    try {
      const guest = await Guest.start(machine, directory);
      return await measureAll(guest, updates, tell);
    } finally {
      await machine.powerOff();
    }
  } finally {
    await removeTemporary(directory);
  }
}

async function measureAll(guest: Guest, updates: readonly BuiltUpdate[], tell: Tell): Promise<Map<PeerName, Running>> {
  const figures = new Map<PeerName, Running>();
  for (const threads of THREADS) {
    const all = await guest.threads.start(threads);
    const before = await guest.callCost(EINVAL);
    for (const { tool, file } of updates) {
      tell("stage", `${tool}'s update, with ${all} threads`);
      const way: Way = tool === "ksplice" ? byKsplice(guest) : byLivepatch(guest, moduleName(basename(file, ".ko")));
      const switched = { threads: all, ...(await way.apply(file)) };
      const call = (await guest.callCost(ERANGE)) - before;
      const loaded = readLoaded(await guest.read("/proc/modules"), way.modules);
      await way.undo();
      await guest.callCost(EINVAL);
      figures.set(tool, { call, loaded, switching: [...(figures.get(tool)?.switching ?? []), switched] });
    }
    guest.threads.end();
  }
  const problems = await guest.machine.problems();
  if (problems.length > 0) throw new Error(`the kernel complains: ${problems.join("\n")}`);
  return figures;
}

/** How an update gets into the machine, and out again. */
interface Way {
  /** How the names of its modules begin. */
  readonly modules: string;
  apply(file: string): Promise<Omit<Switching, "threads">>;
  undo(): Promise<void>;
}

function byLivepatch(guest: Guest, name: string): Way {
  const state = `/sys/kernel/livepatch/${name}`;
  return {
    modules: "livepatch",
    async apply(file) {
      await guest.run("dmesg -c >/dev/null");
      // What waits gives way to others, and to the kernel's own work.
      await guest.run(`insmod '${file}' && until [ "$(cat ${state}/transition)" = 0 ]; do sleep 0.01; done`);
      return { stopped: 0, switched: readTransition(await guest.run("dmesg")) };
    },
    async undo() {
      await guest.run(
        `echo 0 >${state}/enabled; while [ -e ${state} ]; do sleep 0.1; done; until rmmod ${name} 2>/dev/null; do sleep 0.1; done`,
      );
    },
  };
}

function byKsplice(guest: Guest): Way {
  const words = (command: string): string => commandLine(command).join(" ");
  // Looking at 2000 threads takes longer than the default allows, where an instruction is a nanosecond.
  const options = "--stop-limit=1000 --quiet";
  return {
    modules: "ksplice",
    async apply(file) {
      await guest.run(`${words("apply")} ${options} '${file}'`);
      const stopped = Number(await guest.read(`/sys/kernel/ksplice/${FIRST.name}/stop_ns`));
      return { stopped, switched: stopped };
    },
    async undo() {
      await guest.run(`${words("undo")} ${options} --unload ${FIRST.name}`);
    },
  };
}

/** The machine with the programs that call and sleep. */
class Guest {
  private constructor(
    readonly machine: Machine,
    readonly threads: SleepingThreads,
  ) {}

  /** @param workDir a directory of ours, for the programs */
  static async start(machine: Machine, workDir: string): Promise<Guest> {
    const threads = await SleepingThreads.install(machine, workDir);
    const program = await compileForMachine("bench/peers/call-cost.c", workDir);
    const sent = await machine.run("cat >/tmp/call-cost && chmod +x /tmp/call-cost", { input: program });
    if (sent.exitCode !== 0) throw new Error(sent.stderr);
    return new Guest(machine, threads);
  }

  /** Shell text. @throws Error with what it said, if it fails */
  async run(command: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.machine.run(command);
    if (exitCode !== 0) throw new Error(`${command}: ${stdout}${stderr}${(await this.machine.run("dmesg | tail -5")).stdout}`);
    return stdout;
  }

  async read(path: string): Promise<string> {
    return await this.run(`cat ${path}`);
  }

  /** @returns instructions a call; the program's own are the same each time @throws Error where a call ends otherwise than it should */
  async callCost(errno: number): Promise<number> {
    const calls = readCalls(await this.run(`/tmp/call-cost ${CALLS}`), CALLS);
    if (calls.errno !== errno) throw new Error(`getrlimit ended with error ${calls.errno}, and ${errno} was to be expected`);
    return calls.each;
  }
}
