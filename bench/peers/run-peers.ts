#!/usr/bin/env node
import { writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { runProgram } from "../../src/cli/common.js";
import type { EventKind } from "../../src/events.js";
import { defaultCacheDir } from "../../src/host/cache-dir.js";
import { buildUpdates, type Updates } from "./build-updates.js";
import type { KernelFigures } from "./figures.js";
import { klpBuild } from "./klp-build.js";
import { kpatch } from "./kpatch.js";
import { ksplice } from "./ksplice.js";
import { measureRunning, type BuiltUpdate } from "./measure-running.js";
import { PEER_NAMES, type Peer, type PeerName } from "./peer.js";
import { renderPeers } from "./render-peers.js";
import { smallKernel } from "./small-kernel.js";
import { toolRoot } from "./tool-root.js";
import { FIGURES, PAGE, PLOT, writeFigures } from "./write-figures.js";

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
  const built: Updates[] = [];
  for (const peer of PEERS) {
    if (!options.only.includes(peer.name) || (NEEDS[peer.name] ?? series) !== series) continue;
    const directory = join(place.cacheDir, "peers", `${series}-${peer.name}`);
    built.push(await buildUpdates(peer, { kernel, root, directory, spent: { seconds: 0 }, tell }, options.resume === true));
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

await runProgram(program, process.argv);
