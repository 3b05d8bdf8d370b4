import { writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { EXIT_REFUSED, Refusal } from "../diagnostics.js";
import type { Tell } from "../events.js";
import { packUpdate, type Update } from "../update/file/update-file.js";
import { bootMachine, type CommandResult, type Machine, type StartedCommand } from "../../vm/machine.js";
import { packageRoot } from "../host/package-root.js";
import type { Verification } from "../update/verify/verify-update.js";
import { findFailures } from "./find-failures.js";
import { runCommand } from "./run-command.js";
import { programName } from "../host/program-paths.js";
import { findRehearsalKernel, type RehearsalKernel } from "./rehearsal-kernel.js";
import { makeTemporary, removeTemporary } from "../host/temporary.js";
import type { ProbeResult, Rehearsal, StageTime } from "./rehearsal.js";

export interface RehearsalOptions {
  /** A directory that `ksplice prepare` filled. */
  readonly tree: string;
  /** Shell text, run before, while applied, and once undone. */
  readonly probe?: string;
  /** Shell text, run in the background from before the update is applied until it is undone. */
  readonly load?: string;
  /** Modules of the kernel's image, loaded first, each with its parameters (`i2c-stub chip_addr=0x10`). The update's own target modules are loaded anyway. */
  readonly modules?: readonly string[];
  /** Updates that this one was made after, in their order: applied before anything is probed, and undone behind it. */
  readonly after?: readonly Update[];
  /** Directories of the host that the probe needs and that lie below /tmp, /var/tmp, /run or /mnt, where the machine has its own. */
  readonly expose?: readonly string[];
  readonly tries?: number;
  /** Further ones for `ksplice-apply` in the machine. */
  readonly applyArguments?: readonly string[];
  /** Default: one is booted for the update, and switched off behind it. */
  readonly running?: RunningMachine;
  /** Where the console's output is kept. */
  readonly consoleLog: string;
  /** Where builds are kept between runs. */
  readonly cacheDir: string;
  /** The machine shows it; probe and load run there. */
  readonly directory: string;
  readonly tell: Tell;
}

/** A machine that several updates are tried out in, one after the other. Trouble that it had before counts for each: one that had trouble is not to be used on. */
export interface RunningMachine {
  readonly machine: Machine;
  /** A directory of the host that the machine shows. */
  readonly directory: string;
}

/**
 * Tries an update out in a virtual machine that runs the kernel it is for.
 * @throws Refusal if the machine does not come up, or the update cannot be applied or undone in it
 */
export async function rehearseUpdate(update: Update, options: RehearsalOptions): Promise<Rehearsal> {
  const kernel = await findRehearsalKernel(options.tree, options.cacheDir, options.tell);
  const { id } = update.manifest;
  if (update.manifest.kernel.release !== kernel.release) {
    throw new Refusal({
      code: "wrong-kernel",
      message: `update ${id} is for ${update.manifest.kernel.release}, and ${options.tree} holds ${kernel.release}`,
      abortCause: "no_match",
    });
  }
  const lower = options.after ?? [];
  const missing = update.manifest.after.filter((needed) => !lower.some(({ manifest }) => manifest.id === needed));
  if (missing.length > 0) throw needsMissing(id, missing);
  const tries = options.tries ?? 5;
  const watch = new StageWatch(options.tell);
  const { running } = options;
  const dir = await makeTemporary("ksplice-rehearse-", running?.directory);
  let machine = running?.machine;
  try {
    const [updatePath = "", ...lowerPaths] = await Promise.all([update, ...lower].map((each) => packInto(dir, each)));

    if (machine === undefined) {
      watch.begin("boot", `booting ${kernel.release}`);
      machine = await bootForRehearsals(kernel, { ...options, expose: [dir, ...(options.expose ?? [])] });
    }
    const booted = machine;
    for (const each of [...lower, update]) await loadModules(booted, each, options.modules ?? []);
    const apply = async (path: string): Promise<ApplyOutput> =>
      await ksplice<ApplyOutput>(booted, "apply", [...[`--tries=${tries}`, "--json"], ...(options.applyArguments ?? []), path]);
    const undo = async (undone: Update): Promise<UndoOutput> =>
      await ksplice<UndoOutput>(booted, "undo", [`--tries=${tries}`, "--json", undone.manifest.id]);
    if (lower.length > 0) watch.begin("apply, before", `applying ${lower.map(({ manifest }) => manifest.id).join(", ")}`);
    for (const path of lowerPaths) await apply(path);

    const load = options.load === undefined ? undefined : machine.start(options.load, { cwd: options.directory });
    watch.begin("probe, before", "probing before");
    const before = await probe(machine, options);
    watch.begin("apply", `applying ${id}`);
    const applied = await apply(updatePath);
    watch.begin("probe, applied", "probing with the update applied");
    const whileApplied = await probe(machine, options);
    const viewed = (await ksplice<{ id: string }[]>(machine, "view", ["--json"])).map((entry) => entry.id);
    watch.begin("verify", `verifying ${id}`);
    const verification = await verify(machine, updatePath);
    watch.begin("undo", `undoing ${id}`);
    const undone = await undo(update);
    watch.begin("probe, undone", "probing once undone");
    const after = await probe(machine, options);
    const ended = await endedByItself(load);
    load?.kill();
    for (const each of lower.toReversed()) await undo(each);

    const leftovers = await findLeftovers(machine);
    const problems = [...(await machine.problems()), ...ended];
    watch.end();
    const probes =
      before === undefined || whileApplied === undefined || after === undefined
        ? undefined
        : { before, applied: whileApplied, undone: after };
    const found = { id, viewed, verification, probes, leftovers, problems };
    const failures = findFailures(found);
    return {
      ...found,
      release: kernel.release,
      functions: applied.functions,
      data: applied.data,
      stopNs: { apply: applied.stopNs, undo: undone.stopNs },
      matching: applied.matching,
      stages: watch.stages,
      consoleLog: options.consoleLog,
      failures,
      ok: failures.length === 0,
    };
  } finally {
    if (running === undefined) await machine?.powerOff();
    await removeTemporary(dir);
  }
}

async function packInto(directory: string, update: Update): Promise<string> {
  const path = join(directory, `ksplice-${update.manifest.id}.tar.gz`);
  await writeFile(path, await packUpdate(update));
  return path;
}

/** Boots a machine in which our commands can run. The caller switches it off. */
export async function bootForRehearsals(
  kernel: RehearsalKernel,
  { consoleLog, directory, expose = [] }: Pick<RehearsalOptions, "consoleLog" | "directory" | "expose">,
): Promise<Machine> {
  return await bootMachine({ ...kernel, consoleLog, expose: [packageRoot(), directory, dirname(process.execPath), ...expose] });
}

interface ApplyOutput {
  readonly functions: { target: string; name: string }[];
  readonly data: { target: string; name: string }[];
  readonly stopNs: number;
  readonly matching: Rehearsal["matching"];
}

interface UndoOutput {
  readonly stopNs: number;
}

class StageWatch {
  readonly stages: StageTime[] = [];
  #current: { stage: string; started: number } | undefined;

  constructor(readonly tell: Tell) {}

  begin(stage: string, message: string): void {
    this.end();
    this.tell("stage", message);
    this.#current = { stage, started: performance.now() };
  }

  end(): void {
    if (this.#current !== undefined)
      this.stages.push({ stage: this.#current.stage, milliseconds: Math.round(performance.now() - this.#current.started) });
    this.#current = undefined;
  }
}

async function loadModules(machine: Machine, update: Update, modules: readonly string[]): Promise<void> {
  for (const words of modules) {
    const [name = "", ...parameters] = words.split(/\s+/);
    await machine.loadModule(name, parameters);
  }
  for (const target of update.manifest.targets) if (target.name !== "vmlinux") await machine.loadModule(target.name);
}

/** What a shell's exit status says of a command that it could not run. */
const NOT_RUN: ReadonlySet<number> = new Set([126, 127]);

/** @throws Refusal `probe-not-run`: a probe that does not start tells nothing, three times the same */
async function probe(machine: Machine, { probe: command, directory }: RehearsalOptions): Promise<ProbeResult | undefined> {
  if (command === undefined) return undefined;
  const { stdout, stderr, exitCode } = await machine.run(command, { cwd: directory, timeoutMs: 120_000 });
  if (NOT_RUN.has(exitCode)) {
    throw new Refusal({
      code: "probe-not-run",
      message: `the probe could not be run in the virtual machine: ${stderr.trim()}`,
      hint: "the machine has its own /tmp, /var/tmp, /run and /mnt: --expose DIR shows it a directory there",
    });
  }
  return { stdout: stdout.trimEnd(), stderr: stderr.trimEnd(), exitCode };
}

/** A load that is over before its time was no load. @returns what to say about it */
async function endedByItself(load: StartedCommand | undefined): Promise<string[]> {
  const stillRunning = Symbol("still running");
  const outcome = load === undefined ? stillRunning : await Promise.race([load.finished, Promise.resolve(stillRunning)]);
  if (typeof outcome === "symbol") return [];
  return [`the load ended by itself, with status ${outcome.exitCode}: ${outcome.stderr.trim()}`];
}

/** Runs one of our commands in the guest. @throws Refusal with the command's own words if it fails */
async function ksplice<T>(machine: Machine, name: string, args: readonly string[]): Promise<T> {
  const result = await runCommand(machine, name, args);
  if (result.exitCode !== 0) throw await commandFailed(machine, programName(name), result);
  return JSON.parse(result.stdout) as T;
}

/** That the update is not verified is a result. @throws Refusal if it could not be told */
async function verify(machine: Machine, updatePath: string): Promise<Verification> {
  const result = await runCommand(machine, "", ["verify", "--json", updatePath]);
  // A refusal prints JSON too, and ends with the same status.
  const parsed = (result.exitCode === 0 || result.exitCode === EXIT_REFUSED ? JSON.parse(result.stdout) : {}) as Partial<Verification>;
  if (parsed.findings === undefined) throw await commandFailed(machine, "ksplice verify", result);
  return parsed as Verification;
}

function needsMissing(id: string, missing: readonly string[]): Refusal {
  return new Refusal({
    code: "needs-missing",
    message: `update ${id} was made after ${missing.join(", ")}: it can be tried out only where ${missing.length === 1 ? "that is" : "these are"} applied`,
    hint: "--after FILE brings it; may be repeated, the first that was applied first",
  });
}

async function commandFailed(machine: Machine, program: string, { stderr, stdout }: CommandResult): Promise<Refusal> {
  return new Refusal({
    code: "rehearsal-failed",
    abortCause: codeOf(stdout) === "code-busy" ? "code_busy" : "OTHER",
    message: [`${program} failed in the virtual machine:`, stderr.trimEnd(), ...(await machine.problems())].join("\n  "),
    location: resolve(machine.consoleLog),
    hint: `the console's output is in ${machine.consoleLog}`,
  });
}

/** The code of the error that a command printed as JSON; undefined where it did not come so far. */
function codeOf(stdout: string): string | undefined {
  try {
    return (JSON.parse(stdout) as { error?: { code?: string } }).error?.code;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Anything with our name that a finished undo should have taken away: not the code of updates that stay in memory once they are undone, nor the core
 * that knows of them.
 */
export async function findLeftovers(machine: Machine): Promise<string[]> {
  const { stdout } = await machine.run(`
cd /sys/kernel/ksplice 2>/dev/null && grep -lx resident */stage 2>/dev/null | sed 's,/stage,,; s/^/resident /'
grep -o '^ksplice[^ ]*' /proc/modules
ls -d /sys/kernel/ksplice /sys/kernel/ksplice/*/ /run/ksplice/loading 2>/dev/null`);
  const lines = stdout.split("\n").filter((line) => line !== "");
  const resident = lines.filter((line) => line.startsWith("resident ")).map((line) => line.slice("resident ".length));
  const mayStay = (line: string): boolean =>
    line.startsWith("resident ") ||
    resident.some((id) => line.startsWith(`ksplice_${id}_`) || line === `/sys/kernel/ksplice/${id}/`) ||
    (resident.length > 0 && ["ksplice", "/sys/kernel/ksplice"].includes(line));
  return lines.filter((line) => !mayStay(line));
}
