import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Refusal, type Progress } from "../src/diagnostics.js";
import { findRehearsalKernel, type RehearsalKernel } from "../src/rehearse/rehearsal-kernel.js";
import { bootForRehearsals, rehearseUpdate } from "../src/rehearse/rehearse-update.js";
import { makeTemporary, removeTemporary } from "../src/host/temporary.js";
import type { Update } from "../src/update/file/update-file.js";
import type { Machine } from "../vm/machine.js";
import { ModuleFiles } from "../vm/module-files.js";
import { withoutInit } from "./snapshot-of-set.js";
import type { RehearsalResult } from "./types.js";

export interface RehearsalRequest {
  readonly name: string;
  readonly update: () => Promise<Update>;
}

export interface RehearseOptions {
  /** A directory that `ksplice prepare` filled. */
  readonly tree: string;
  /** Where the consoles' output is kept. */
  readonly logs: string;
  readonly progress: Progress;
  /** Updates tried out in one machine before it is booted anew. */
  readonly perMachine?: number;
}

const PER_MACHINE = 25;

/**
 * Tries updates out one after the other: booting takes longer than an update. A machine in which one made trouble is not used on.
 * @returns what became of each, by its name
 */
export async function rehearseInTurn(
  requests: readonly RehearsalRequest[],
  options: RehearseOptions,
): Promise<Map<string, RehearsalResult>> {
  const kernel = await findRehearsalKernel(options.tree);
  const results = new Map<string, RehearsalResult>();
  const directory = await makeTemporary(join(tmpdir(), "ksplice-corpus-rehearse-"));
  await mkdir(options.logs, { recursive: true });
  let current: { readonly machine: Machine; uses: number } | undefined;
  try {
    for (const [index, { name, update }] of requests.entries()) {
      options.progress(`rehearsing ${index + 1} of ${requests.length}: ${name}`);
      current ??= { machine: await bootNext(kernel, directory, options, index), uses: 0 };
      current.uses++;
      const result = await rehearseOne(await update(), current.machine, { kernel, directory, ...options });
      results.set(name, result);
      options.progress(`rehearsed ${index + 1} of ${requests.length}: ${name}: ${result.ok ? "ok" : result.problems.join("; ")}`);
      if (result.ok && current.uses < (options.perMachine ?? PER_MACHINE)) continue;
      await current.machine.powerOff();
      current = undefined;
    }
  } finally {
    await current?.machine.powerOff();
    await removeTemporary(directory);
  }
  return results;
}

async function bootNext(kernel: RehearsalKernel, directory: string, { logs }: RehearseOptions, index: number): Promise<Machine> {
  return await bootForRehearsals(kernel, {
    consoleLog: join(logs, `console-${index + 1}.log`),
    expose: [directory, dirname(process.execPath)],
  });
}

interface Place extends RehearseOptions {
  readonly kernel: RehearsalKernel;
  readonly directory: string;
}

async function rehearseOne(update: Update, machine: Machine, { kernel, directory, tree, progress }: Place): Promise<RehearsalResult> {
  const started = performance.now();
  const ended = (result: Omit<RehearsalResult, "milliseconds">): RehearsalResult => ({
    ...result,
    milliseconds: Math.round(performance.now() - started),
  });
  try {
    for (const { name } of update.manifest.targets) if (name !== "vmlinux") await loadTarget(machine, kernel, name);
  } catch (error) {
    return ended({ ok: false, isUnknown: true, problems: [wordsOf(error)] });
  }
  try {
    const running = { machine, directory };
    const { ok, failures, verification } = await rehearseUpdate(update, { tree, consoleLog: machine.consoleLog, progress, running });
    return ended({ ok, isUnknown: false, problems: failures, verified: verification.findings.length === 0 });
  } catch (error) {
    // Somebody always is in that code of this machine: the update was kept out, and did nothing wrong.
    const isUnknown = error instanceof Refusal && error.abortCause === "code_busy";
    return ended({ ok: false, isUnknown, problems: [wordsOf(error)] });
  }
}

/** With its init function, where that works without the hardware; else without. */
async function loadTarget(machine: Machine, kernel: RehearsalKernel, name: string): Promise<void> {
  try {
    await machine.loadModule(name);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const files = await ModuleFiles.read(kernel.modulesDir);
    for (const module of await files.withDependencies([name])) {
      const { exitCode, stderr } = await machine.insertModule(module.name, withoutInit(module.data, module.name));
      if (exitCode !== 0) throw new Error(`module ${module.name} could not be loaded: ${stderr.trim()}`, { cause: error });
    }
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
