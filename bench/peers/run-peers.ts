#!/usr/bin/env node
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { execa } from "execa";
import { runProgram } from "../../src/cli/common.js";
import type { EventKind } from "../../src/events.js";
import { defaultCacheDir } from "../../src/host/cache-dir.js";
import { readTextIfThere } from "../../src/host/files.js";
import { packageRoot } from "../../src/host/package-root.js";
import { FIRST, patchOf, SECOND } from "./fixes.js";
import { mergeFigures, parseFigures, toolFigures, type KernelFigures, type ToolFigures } from "./figures.js";
import { klpBuild } from "./klp-build.js";
import { kpatch } from "./kpatch.js";
import { ksplice } from "./ksplice.js";
import { measureRunning, type BuiltUpdate } from "./measure-running.js";
import { PEER_NAMES, ToolFailed, type Peer, type PeerName, type Workplace } from "./peer.js";
import { drawTimes, renderPeers } from "./render-peers.js";
import { smallKernel, type PatchedKernel } from "./small-kernel.js";
import { toolRoot } from "./tool-root.js";

interface PeersOptions {
  readonly only: readonly PeerName[];
  readonly kernel: readonly string[];
  readonly resume?: true;
  readonly json?: string;
  readonly write?: true;
}

const PEERS: readonly Peer[] = [kpatch, klpBuild, ksplice];

/** `klp-build` is there since 6.19; the older one is for `kpatch-build`, which does not know newer kernels. */
const SERIES = ["7.3", "6.12"];
const NEEDS: Readonly<Partial<Record<PeerName, string>>> = { "klp-build": "7.3" };

const FIGURES = "bench/peers/figures.json";
const PAGE = "docs/performance.md";
const PLOT = "docs/peers.svg";
const BETWEEN_MARKS = /(?<=<!-- peers -->\n)[^]*(?=<!-- end of peers -->)/;

const program = new Command("bench:peers")
  .description(
    "makes updates of the same fixes of the same small kernel with several tools, puts them into a machine, and measures all of it",
  )
  .addOption(new Option("--only <names...>", "only these tools").choices(PEER_NAMES).default(PEER_NAMES, "all"))
  .addOption(new Option("--kernel <series...>", "only these kernels").choices(SERIES).default(SERIES, "all"))
  .option("--resume", "take the updates that a run before has made, with the times that they took")
  .option("--json <file>", "write the figures there, as JSON")
  .option("--write", `put the figures into ${FIGURES}, ${PAGE} and ${PLOT}, in place of those of the same tool and kernel`)
  .exitOverride()
  .action(async (options: PeersOptions) => {
    const measured: KernelFigures[] = [];
    for (const series of options.kernel) {
      measured.push(await measureSeries(series, options));
      if (options.write === true) await writeFigures(measured);
    }
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(measured, undefined, 2)}\n`);
    process.stdout.write(`${renderPeers(measured)}\n`);
  });

function tell(_: EventKind, message: string): void {
  process.stderr.write(`${message}\n`);
}

async function measureSeries(series: string, options: PeersOptions): Promise<KernelFigures> {
  const place = { cacheDir: defaultCacheDir(process.env), tell };
  const root = await toolRoot(place);
  const kernel = await smallKernel(series, root, place);
  const built: { figures: ToolFigures; file: string | undefined }[] = [];
  for (const peer of PEERS) {
    if (!options.only.includes(peer.name) || (NEEDS[peer.name] ?? series) !== series) continue;
    const directory = join(place.cacheDir, "peers", `${series}-${peer.name}`);
    built.push(await buildUpdates(peer, { kernel, root, directory, tell }, options.resume === true));
  }
  const updates = built.flatMap(({ figures, file }): BuiltUpdate[] => (file === undefined ? [] : [{ tool: figures.name, file }]));
  const log = join(place.cacheDir, "peers", `${series}-console.log`);
  const running = await measureRunning(kernel, updates, log, tell);
  return {
    release: kernel.release,
    series,
    host: `${cpus().length} cores of an ${(cpus()[0]?.model ?? "?").trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    month: new Date().toISOString().slice(0, 7),
    tools: built.map(({ figures }) => {
      const ran = running.get(figures.name);
      return ran === undefined ? figures : { ...figures, running: ran };
    }),
  };
}

/** Makes both updates. What comes of it stays in the tool's directory, so that a run which is ended may go on from there. */
async function buildUpdates(peer: Peer, place: Workplace, resume: boolean): Promise<{ figures: ToolFigures; file: string | undefined }> {
  const kept = join(place.directory, "..", `${place.kernel.series}-${peer.name}.json`);
  const file = (name: string): string => join(place.directory, name);
  const before = resume ? await readTextIfThere(kept) : undefined;
  if (before !== undefined) {
    const { figures, made } = JSON.parse(before) as { figures: unknown; made?: string };
    return { figures: toolFigures.parse(figures), file: made };
  }
  await rm(place.directory, { recursive: true, force: true });
  await mkdir(place.directory, { recursive: true });
  tell("stage", `${peer.name}: what it starts from`);
  await peer.prepare(place);
  const figures = { name: peer.name, version: await peer.version(place), means: peer.means };
  const patches = await writePatches(place.kernel, file);
  const result = await timeBoth(peer, place, patches);
  const kind =
    typeof result === "string"
      ? { figures: { ...figures, failed: result } }
      : { figures: { ...figures, ...result.figures }, made: result.made };
  await writeFile(kept, `${JSON.stringify(kind, undefined, 2)}\n`);
  return { figures: kind.figures, file: typeof result === "string" ? undefined : result.made };
}

async function writePatches(kernel: PatchedKernel, file: (name: string) => string): Promise<[string, string]> {
  const paths: [string, string] = [file(`${FIRST.name}.patch`), file(`${SECOND.name}.patch`)];
  await writeFile(paths[0], await patchOf(FIRST, kernel.source), "latin1");
  await writeFile(paths[1], await patchOf(SECOND, kernel.source), "latin1");
  return paths;
}

interface Timed {
  readonly figures: Pick<ToolFigures, "firstSeconds" | "secondSeconds" | "disk" | "update">;
  /** The first update's file. */
  readonly made: string;
}

/** @returns the tool's last words where it makes no update */
async function timeBoth(peer: Peer, place: Workplace, [first, second]: readonly [string, string]): Promise<Timed | string> {
  const timed = async (patch: string, name: string, isSecond: boolean): Promise<[string, number]> => {
    tell("stage", `${peer.name}: the ${isSecond ? "second" : "first"} update`);
    const started = performance.now();
    const made = await peer.build(place, patch, name, isSecond);
    const seconds = (performance.now() - started) / 1000;
    tell("stage", `${peer.name}: ${seconds.toFixed(1)} s`);
    return [made, seconds];
  };
  try {
    const [made, firstSeconds] = await timed(first, FIRST.name, false);
    const [, secondSeconds] = await timed(second, SECOND.name, true);
    const { stdout } = await execa("du", ["-s", "--block-size=1", ...peer.disk(place)]);
    const disk = stdout.split("\n").reduce((sum, line) => sum + Number.parseInt(line, 10), 0);
    return { figures: { firstSeconds, secondSeconds, disk, update: (await stat(made)).size }, made };
  } catch (error) {
    if (error instanceof ToolFailed) {
      tell("stage", `${peer.name}: ${error.message}`);
      return lastWords(error.message);
    }
    throw error;
  }
}

const SHOWN_LINES = 12;

function lastWords(text: string): string {
  return text.split("\n").slice(-SHOWN_LINES).join("\n");
}

async function writeFigures(measured: readonly KernelFigures[]): Promise<void> {
  const path = (name: string): string => join(packageRoot(), name);
  const merged = measured.reduce(mergeFigures, parseFigures(await readFile(path(FIGURES), "utf8")));
  await writeFile(path(FIGURES), `${JSON.stringify(merged, undefined, 2)}\n`);
  const page = await readFile(path(PAGE), "utf8");
  await writeFile(
    path(PAGE),
    page.replace(BETWEEN_MARKS, () => `\n${renderPeers(merged)}\n\n`),
  );
  await writeFile(path(PLOT), drawTimes(merged));
}

await runProgram(program, process.argv);
