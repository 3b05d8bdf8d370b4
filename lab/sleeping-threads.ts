import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { packageRoot } from "../src/host/package-root.js";
import type { Machine, StartedCommand } from "../vm/machine.js";

/** Compiles a program of one C file that runs in any machine. @param workDir a directory of the caller's, for the program */
export async function compileForMachine(source: string, workDir: string): Promise<Uint8Array> {
  const program = join(workDir, "program");
  await execa("gcc", ["-Wall", "-O1", "-static", "-pthread", "-o", program, join(packageRoot(), source)]);
  return await readFile(program);
}

/** Threads of a machine that sleep, in system calls of several kinds (`sleeping-threads.c`). */
export class SleepingThreads {
  #started: StartedCommand | undefined;

  private constructor(private readonly machine: Machine) {}

  /** @param workDir a directory of the caller's, for the program */
  static async install(machine: Machine, workDir: string): Promise<SleepingThreads> {
    const program = await compileForMachine("lab/sleeping-threads.c", workDir);
    await succeed(machine, "cat >/tmp/sleeping-threads && chmod +x /tmp/sleeping-threads", { input: program });
    return new SleepingThreads(machine);
  }

  /** In place of those from before. @returns how many threads there are in all, the kernel's among them */
  async start(count: number): Promise<number> {
    this.end();
    await succeed(this.machine, "rm -f /tmp/ready");
    this.#started = this.machine.start(`exec /tmp/sleeping-threads ${count} >/tmp/ready`);
    await succeed(this.machine, "while ! grep -q ready /tmp/ready; do sleep 0.1; done", { timeoutMs: 600_000 });
    return Number(await succeed(this.machine, "ls -d /proc/[0-9]*/task/[0-9]* | wc -l", { timeoutMs: 600_000 }));
  }

  end(): void {
    this.#started?.kill();
    this.#started = undefined;
  }
}

/** @returns what it printed @throws Error with what it said, if it fails */
async function succeed(machine: Machine, command: string, options: Parameters<Machine["run"]>[1] = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await machine.run(command, options);
  if (exitCode !== 0) throw new Error(`${command}: ${stdout}${stderr}`);
  return stdout;
}
