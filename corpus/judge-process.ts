import { tellNobody } from "../src/events.js";
import { IncludeGraph } from "../src/kbuild/reach/include-graph.js";
import { prepareBuild } from "../src/kbuild/prepare-build.js";
import { openSnapshot } from "../src/kernel/snapshot/open-snapshot.js";
import type { LiveKernel } from "../src/kernel/live/live-kernel.js";
import { openKernelTree } from "../src/tree/open-tree.js";
import type { Fix } from "./fixes/connect-pieces.js";
import type { FixSet } from "./fixes/find-fixes.js";
import { createFix, matchFix, type JudgeContext } from "./judge-fix.js";
import { NeighbourFinder } from "./neighbours.js";
import { ResultStore } from "./result-store.js";
import type { CorpusSet } from "./types.js";

/** A process of its own that judges one fix after another, as `judge-pool.ts` asks it to. What it finds is in the result store when it answers. */

/** The first message. */
export interface JudgeSetup {
  readonly set: CorpusSet;
  readonly found: FixSet;
  readonly cacheDir: string;
  /** More source files than this are not compiled for one header; undefined for what the program itself holds right. */
  readonly mostUnits: number | undefined;
}

/** Every further one. With a snapshot the update that is in the store is matched with it; without, the update is made. */
export interface JudgeRequest {
  readonly fix: string;
  readonly snapshot?: string;
}

/** The answer to a request: what went wrong with the judging itself, as an error's text; undefined where the result is in the store. */
export interface JudgeAnswer {
  readonly error?: string;
}

interface Judge {
  readonly fixes: ReadonlyMap<string, Fix>;
  readonly context: JudgeContext;
  readonly store: ResultStore;
}

async function setUp({ set, found, cacheDir, mostUnits }: JudgeSetup): Promise<Judge> {
  const build = await prepareBuild(await openKernelTree(set.fromTree), { cacheDir, tell: tellNobody, jobs: 1 });
  let graph: Promise<IncludeGraph> | undefined;
  const context: JudgeContext = {
    set,
    build,
    cacheDir,
    files: found.files,
    neighbours: new NeighbourFinder(found),
    includeGraph: () => (graph ??= IncludeGraph.ofTree(set.fromTree)),
    mostUnits,
  };
  const fixes = new Map(found.fixes.map((fix) => [fix.name, fix]));
  return { fixes, context, store: await ResultStore.open({ set, mostUnits }, cacheDir, found) };
}

/** Snapshots that are open, by path: a run has one. */
const kernels = new Map<string, LiveKernel>();

function kernelOf(snapshot: string): LiveKernel {
  const open = kernels.get(snapshot) ?? openSnapshot(snapshot);
  kernels.set(snapshot, open);
  return open;
}

async function judge({ fixes, context, store }: Judge, { fix: name, snapshot }: JudgeRequest): Promise<void> {
  const fix = fixes.get(name);
  if (fix === undefined) throw new Error(`the set has no fix ${name}`);
  if (snapshot === undefined) {
    await store.store(fix, "created", await createFix(context, fix));
    return;
  }
  const known = await store.find(fix);
  if (known === undefined) throw new Error(`the result of ${name} is gone from ${context.cacheDir}`);
  await store.store(fix, "matched", await matchFix(context, fix, known, kernelOf(snapshot)));
}

let ready: Promise<Judge> | undefined;
process.on("message", (message: JudgeSetup | JudgeRequest) => {
  if ("set" in message) {
    ready = setUp(message);
    // Told with the first request.
    ready.catch(() => undefined);
    return;
  }
  void (async () => {
    let answer: JudgeAnswer = {};
    try {
      if (ready === undefined) throw new Error("a fix before the set");
      await judge(await ready, message);
    } catch (error) {
      answer = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    process.send?.(answer);
  })();
});
// Whoever asked is gone: as a signal ends this, so that what is temporary is deleted.
process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
