import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Refusal } from "../../src/diagnostics.js";
import type { Tell } from "../../src/events.js";
import { packageRoot } from "../../src/host/package-root.js";
import { makeTemporary, removeTemporary } from "../../src/host/temporary.js";
import { findRehearsalKernel, type RehearsalKernel } from "../../src/rehearse/rehearsal-kernel.js";
import { packUpdate, type Update } from "../../src/update/file/update-file.js";
import { bootMachine, type Machine, type StartedCommand } from "../../vm/machine.js";
import { ModuleFiles } from "../../vm/module-files.js";
import { withoutInit } from "../snapshot-of-set.js";
import type { RehearsalResult } from "../types.js";

export interface RehearsalRequest {
  readonly name: string;
  readonly update: () => Promise<Update>;
}

export interface RehearseOptions {
  /** A directory that `ksplice prepare` filled. */
  readonly tree: string;
  /** Where the consoles' output is kept. */
  readonly logs: string;
  /** Where builds are kept between runs. */
  readonly cacheDir: string;
  readonly tell: Tell;
  /** Machines at once. */
  readonly jobs: number;
  /** Updates tried out in one machine before another is booted. */
  readonly perMachine?: number;
}

const PER_MACHINE = 25;
const MEMORY_MIB = 2048;
/** An update that takes longer hangs. */
const LONGEST_MS = 600_000;
const POLL_MS = 1000;

/** More than a warning, which drivers give without their hardware, and ciphers that are too slow for their test. */
const CRASH = /\bBUG\b|\bOops\b|general protection|Kernel panic|corruption/;

/**
 * Tries updates out in virtual machines, many in each, one after the other: booting takes longer than an update. What one does not come to, for the
 * one before made trouble, is tried in a new machine.
 * @returns what became of each, by its name
 */
export async function rehearseInTurn(
  requests: readonly RehearsalRequest[],
  options: RehearseOptions,
): Promise<Map<string, RehearsalResult>> {
  const kernel = await findRehearsalKernel(options.tree, options.cacheDir);
  const results = new Map<string, RehearsalResult>();
  await mkdir(options.logs, { recursive: true });
  const queue = [...requests];
  const tell = (name: string, result: RehearsalResult): void => {
    results.set(name, result);
    const words = result.ok ? "ok" : result.problems.join("; ");
    options.tell("stage", `rehearsed ${results.size} of ${requests.length}: ${name}: ${words}`);
  };
  // Each machine gets its share, so that all are at work.
  const share = Math.min(options.perMachine ?? PER_MACHINE, Math.ceil(requests.length / options.jobs));
  let machines = 0;
  const worker = async (): Promise<void> => {
    for (let batch = queue.splice(0, share); batch.length > 0; batch = queue.splice(0, share))
      queue.push(...(await rehearseBatch(batch, kernel, join(options.logs, `console-${++machines}.log`), tell)));
  };
  await Promise.all(Array.from({ length: options.jobs }, worker));
  return results;
}

/** @returns those that were not tried, for one before them made trouble */
async function rehearseBatch(
  batch: readonly RehearsalRequest[],
  kernel: RehearsalKernel,
  consoleLog: string,
  tell: (name: string, result: RehearsalResult) => void,
): Promise<RehearsalRequest[]> {
  const directory = await makeTemporary("ksplice-corpus-rehearse-");
  let machine: Machine | undefined;
  try {
    machine = await bootMachine({
      ...kernel,
      consoleLog,
      memoryMiB: MEMORY_MIB,
      expose: [packageRoot(), directory, dirname(process.execPath)],
    });
    const ready = new Map<string, RehearsalRequest>();
    const loader = new TargetLoader(machine, await ModuleFiles.read(kernel.modulesDir));
    for (const [index, request] of batch.entries()) {
      const update = await request.update();
      const { problem, isUsable } = await loader.load(update);
      if (problem === undefined) {
        const path = join(directory, `${index}.tar.gz`);
        await writeFile(path, await packUpdate(update));
        ready.set(path, request);
      } else tell(request.name, { ok: false, isUnknown: true, problems: [problem], milliseconds: 0 });
      if (!isUsable) return [...ready.values(), ...batch.slice(index + 1)];
    }
    for await (const { path, result } of tryOut(machine, [...ready.keys()])) {
      const request = ready.get(path);
      ready.delete(path);
      if (request !== undefined) tell(request.name, result);
    }
    return [...ready.values()];
  } finally {
    await machine?.powerOff();
    await removeTemporary(directory);
  }
}

/** What the program in the machine tells, as it comes; of the one that the machine or the program does not outlive, that. */
async function* tryOut(machine: Machine, paths: readonly string[]): AsyncGenerator<{ path: string; result: RehearsalResult }> {
  const started = machine.start([process.execPath, join(packageRoot(), "dist/corpus/rehearse/try-updates.js"), ...paths]);
  let told = 0;
  let since = performance.now();
  for (;;) {
    const ended = await Promise.race([endOf(started), delay(POLL_MS)]);
    const lines = started.outputSoFar().split("\n").slice(0, -1);
    for (const line of lines.slice(told)) {
      told++;
      since = performance.now();
      yield JSON.parse(line) as { path: string; result: RehearsalResult };
    }
    const path = paths[told];
    const milliseconds = Math.round(performance.now() - since);
    if (ended !== undefined) {
      if (ended !== "" && path !== undefined) yield { path, result: { ok: false, isUnknown: false, problems: [ended], milliseconds } };
      return;
    }
    if (milliseconds > LONGEST_MS && path !== undefined) {
      started.kill();
      const problems = [`it was not done within ${LONGEST_MS / 1000} s`, ...(await machine.problems())];
      yield { path, result: { ok: false, isUnknown: false, problems, milliseconds } };
      return;
    }
  }
}

/** Words of what went wrong; empty where the program ended by itself. */
async function endOf(started: StartedCommand): Promise<string> {
  try {
    const { exitCode, stderr } = await started.finished;
    return exitCode === 0 ? "" : `the program that tries it out ended with status ${exitCode}: ${stderr.trim()}`;
  } catch (error) {
    return wordsOf(error);
  }
}

/** Loads the modules of updates' targets: with their init functions, where that works without the hardware; else without. */
class TargetLoader {
  /** What was never initialized must not be called by what is. */
  readonly #withoutInit = new Set<string>();

  constructor(
    private readonly machine: Machine,
    private readonly files: ModuleFiles,
  ) {}

  /** @returns why a module could not be loaded, and whether the machine is as it should be */
  async load(update: Update): Promise<{ readonly problem?: string; readonly isUsable: boolean }> {
    try {
      for (const { name } of update.manifest.targets) {
        const problem = name === "vmlinux" ? undefined : await this.#loadModule(name);
        if (problem !== undefined) return { problem, isUsable: true };
      }
      const crash = (await this.machine.problems()).find((line) => CRASH.test(line));
      return crash === undefined ? { isUsable: true } : { problem: `a module of its targets crashes: ${crash}`, isUsable: false };
    } catch (error) {
      return { problem: wordsOf(error), isUsable: false };
    }
  }

  async #loadModule(name: string): Promise<string | undefined> {
    const modules = await this.files.withDependencies([name]);
    if (!modules.some((module) => this.#withoutInit.has(module.name))) {
      try {
        await this.machine.loadModule(name);
        return undefined;
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== "vm-cannot-load-module") throw error;
      }
    }
    for (const module of modules) {
      if ((await this.machine.run(["test", "-e", `/sys/module/${module.name}/initstate`])).exitCode === 0) continue;
      const { exitCode, stderr } = await this.machine.insertModule(module.name, withoutInit(module.data, module.name));
      if (exitCode !== 0) return `module ${module.name} could not be loaded: ${stderr.trim()}`;
      this.#withoutInit.add(module.name);
    }
    return undefined;
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
