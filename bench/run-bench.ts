#!/usr/bin/env node
import type { Tell } from "../src/events.js";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { fixFromNextSource } from "../lab/archive-fix.js";
import { compileProbe } from "../lab/compile-probe.js";
import { usableKernels } from "../src/distro/debian/usable-kernels.js";
import { prepareDebianKernel } from "../src/distro/debian/prepare-kernel.js";
import { parseObject } from "../src/elf/parse-object.js";
import { defaultCacheDir } from "../src/host/cache-dir.js";
import { compileUnit } from "../src/kbuild/compile/compile-unit.js";
import { findUnits } from "../src/kbuild/reach/find-units.js";
import { makeKernel } from "../src/kbuild/make.js";
import { openKernelTree } from "../src/tree/open-tree.js";
import { prepareBuild } from "../src/kbuild/prepare-build.js";
import type { PreparedBuild } from "../src/kbuild/types.js";
import { openSnapshot } from "../src/kernel/snapshot/open-snapshot.js";
import { matchUnit } from "../src/match/match-unit.js";
import { packageRoot } from "../src/host/package-root.js";
import { commandLine } from "../src/host/program-paths.js";
import { findRehearsalKernel } from "../src/rehearse/rehearsal-kernel.js";
import { bootMachine } from "../vm/machine.js";
import type { Round } from "./apply-undo-rounds.js";
import { measureRun, type MeasuredRun } from "./peak-memory.js";

/** The figures of docs/performance.md. Nothing here passes or fails: it measures, and prints a table with the target beside each figure. */

interface Figure {
  readonly what: string;
  readonly value: string;
  readonly target: string;
}

const RUNS = 3;
const ROUNDS_IN_GUEST = 5;

const say = (message: string): void => {
  process.stderr.write(`bench: ${message}\n`);
};

const tell: Tell = (_, message) => {
  say(message);
};

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`;

async function main(): Promise<void> {
  const cacheDir = defaultCacheDir(process.env);
  const [kernel] = await usableKernels("6.1", { cacheDir });
  if (kernel === undefined) throw new Error("the archive has no 6.1 kernel together with its source");
  const tree = join(cacheDir, "trees", kernel.release);
  await prepareDebianKernel({ release: kernel.release, dir: tree, cacheDir, tell });
  const work = mkdtempSync(join(tmpdir(), "ksplice-bench-"));
  try {
    const fix = await fixFromNextSource(tree, kernel.version, "net/ipv4/raw.c", { cacheDir, tell });
    if (fix === undefined) throw new Error("the archive holds no later net/ipv4/raw.c");
    const patch = join(work, "raw.patch");
    writeFileSync(patch, fix.patch, "latin1");
    const build = await prepareBuild(await openKernelTree(tree), { cacheDir, tell });
    const figures = [...(await measureCreate(tree, patch, work, build)), ...(await measureMatching(tree, build, work))];
    process.stdout.write(
      `${cpus()[0]?.model ?? "?"}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}, ${kernel.release}\n`,
    );
    const table = new Table({ head: ["", "measured", "target"], style: { head: [], border: [] } });
    for (const figure of figures) table.push([figure.what, figure.value, figure.target]);
    process.stdout.write(`${table.toString()}\n`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function measureCreate(tree: string, patch: string, work: string, build: PreparedBuild): Promise<Figure[]> {
  say("create, cold: an empty cache, the tree unpacked");
  const create = (env: NodeJS.ProcessEnv): Promise<MeasuredRun> =>
    measureRun(
      commandLine("create")[0],
      [commandLine("create")[1], "--id=bench", `--patch=${patch}`, `--output=${join(work, "ksplice-bench.tar.gz")}`, "-j2", tree],
      env,
    );
  const cold = await create({ ...process.env, XDG_CACHE_HOME: join(work, "cache") });

  say("create, warm");
  await create(process.env);
  const warm: MeasuredRun[] = [];
  for (let run = 0; run < RUNS; run++) warm.push(await create(process.env));

  say("compiling the object with kbuild");
  const kbuild: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    rmSync(join(build.outDir, "net/ipv4/raw.o"), { force: true });
    const started = performance.now();
    const result = await makeKernel({ ...build, source: tree }, ["net/ipv4/raw.o"]);
    if (result.exitCode !== 0) throw new Error(result.stderr);
    kbuild.push(performance.now() - started);
  }
  const warmMs = median(warm.map((run) => run.milliseconds));
  const twice = 2 * median(kbuild);
  return [
    { what: "create, cold, net/ipv4/raw.c", value: seconds(cold.milliseconds), target: "90 s" },
    {
      what: "create, warm, net/ipv4/raw.c",
      value: `${seconds(warmMs)} = ${(warmMs / twice).toFixed(2)} times the next line`,
      target: "2.5 times",
    },
    { what: "compiling that object twice with kbuild", value: seconds(twice), target: "" },
    {
      what: "create, peak memory",
      value: `${Math.max(cold.peakMiB, ...warm.map((run) => run.peakMiB)).toFixed(0)} MiB`,
      target: "300 MiB",
    },
  ];
}

async function measureMatching(tree: string, build: PreparedBuild, work: string): Promise<Figure[]> {
  say("booting the kernel, to look at its memory and to apply in it");
  const kernel = await findRehearsalKernel(tree, defaultCacheDir(process.env));
  const probe = await compileProbe("raw-hdrincl", work);
  const machine = await bootMachine({ ...kernel, share: work, expose: [packageRoot()], consoleLog: join(work, "console.log") });
  let rounds: Round[];
  let applyPeakMiB: number;
  try {
    const update = join(work, "ksplice-bench.tar.gz");
    const script = join(packageRoot(), "dist/bench/apply-undo-rounds.js");
    say("applying and undoing in the machine, under load");
    const load = machine.start(`while :; do ${probe} >/dev/null; done`);
    const result = await machine.run([process.execPath, script, String(ROUNDS_IN_GUEST), update], { timeoutMs: 600_000 });
    load.kill();
    if (result.exitCode !== 0) throw new Error(result.stderr);
    rounds = result.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Round);
    const [node, apply] = commandLine("apply");
    const measured = await machine.run([node, join(packageRoot(), "dist/bench/measure-apply.js"), node, apply, update], {
      timeoutMs: 300_000,
    });
    if (measured.exitCode !== 0) throw new Error(measured.stderr);
    applyPeakMiB = Number(measured.stdout);
    await machine.run([node, commandLine("undo")[1], "bench"], { timeoutMs: 300_000 });
    say("saving the kernel's memory");
    const saved = await machine.run([node, join(packageRoot(), "dist/cli/ksplice.cjs"), "snapshot", join(work, "kernel")], {
      timeoutMs: 600_000,
    });
    if (saved.exitCode !== 0) throw new Error(saved.stderr);
  } finally {
    await machine.powerOff();
  }

  say("matching kernel/sched/core.o against the snapshot");
  const [unit] = await findUnits(build, ["kernel/sched/core.c"]);
  if (unit === undefined) throw new Error("kernel/sched/core.c is not compiled");
  const { object } = await compileUnit(build, unit);
  const times: number[] = [];
  let functions = 0;
  for (let run = 0; run < RUNS; run++) {
    const run = openSnapshot(join(work, "kernel"));
    const started = performance.now();
    const match = matchUnit(parseObject(object, unit.path), unit, run);
    times.push(performance.now() - started);
    run.close();
    if (match.kind !== "matched")
      throw new Error(`${unit.path} does not match: ${match.mismatches[0]?.function ?? "?"}: ${match.mismatches[0]?.reason ?? "?"}`);
    functions = match.statistics.matched;
  }
  return [
    { what: `matching kernel/sched/core.o, ${functions} functions, first in the process`, value: seconds(times[0] ?? 0), target: "0.5 s" },
    { what: "the same again", value: seconds(median(times.slice(1))), target: "" },
    { what: "apply, peak memory", value: `${applyPeakMiB.toFixed(0)} MiB`, target: "300 MiB" },
    {
      what: "machine stopped to apply (emulated, 2 processors)",
      value: `${(median(rounds.map((round) => round.applyNs)) / 1e6).toFixed(3)} ms`,
      target: "",
    },
    {
      what: "machine stopped to undo (emulated, 2 processors)",
      value: `${(median(rounds.map((round) => round.undoNs)) / 1e6).toFixed(3)} ms`,
      target: "",
    },
    { what: "size of the update", value: `${(readFileSync(join(work, "ksplice-bench.tar.gz")).length / 1024).toFixed(0)} KiB`, target: "" },
  ];
}

await main();
