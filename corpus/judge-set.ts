import type { Tell } from "../src/events.js";
import { IncludeGraph } from "../src/kbuild/reach/include-graph.js";
import { openKernelTree } from "../src/tree/open-tree.js";
import { prepareBuild } from "../src/kbuild/prepare-build.js";
import { openSnapshot } from "../src/kernel/snapshot/open-snapshot.js";
import { mapLimited } from "../src/host/map-limited.js";
import type { Fix } from "./fixes/connect-pieces.js";
import type { FixSet } from "./fixes/find-fixes.js";
import { createFix, matchFix, type CreatedFix, type JudgeContext } from "./judge-fix.js";
import { NeighbourFinder } from "./neighbours.js";
import { ResultStore } from "./result-store.js";
import { takeSnapshot } from "./snapshot-of-set.js";
import type { CorpusSet, FixResult } from "./types.js";

export interface JudgeOptions {
  readonly jobs: number;
  readonly cacheDir: string;
  readonly mostUnits: number | undefined;
  /** No fix is begun after this many minutes; those that were not are left out, and judged by the next run. */
  readonly minutes: number | undefined;
  readonly tell: Tell;
}

/** What became of the fixes, and where their updates are. */
export interface JudgedSet {
  readonly results: readonly FixResult[];
  readonly store: ResultStore;
}

/** Makes an update of each fix, then matches all of them with one snapshot of the kernel, in which every module that they are of is loaded. */
export async function judgeSet(set: CorpusSet, found: FixSet, chosen: readonly Fix[], options: JudgeOptions): Promise<JudgedSet> {
  const { cacheDir, tell, jobs, mostUnits } = options;
  const build = await prepareBuild(await openKernelTree(set.fromTree), { cacheDir, tell, jobs });
  let graph: Promise<IncludeGraph> | undefined;
  const includeGraph = (): Promise<IncludeGraph> => (graph ??= IncludeGraph.ofTree(set.fromTree));
  const context: JudgeContext = {
    set,
    build,
    cacheDir,
    files: found.files,
    neighbours: new NeighbourFinder(found),
    includeGraph,
    mostUnits,
  };
  const store = await ResultStore.open({ set, mostUnits }, cacheDir, found);

  const created = await createAll(context, store, chosen, options);
  const modules = [...new Set(created.flatMap(({ targets }) => targets))].filter((name) => name !== "vmlinux");
  if (created.every(({ isMatched }) => isMatched)) return { results: created.map(({ result }) => result), store };

  const snapshot = await takeSnapshot(set.fromTree, modules, cacheDir, tell);
  for (const [name, words] of snapshot.notLoaded) tell("warning", `module ${name} could not be loaded: ${words}`);
  const kernel = openSnapshot(snapshot.path);
  try {
    let done = 0;
    const results = await mapLimited(created, jobs, async ({ fix, result, isMatched }) => {
      if (isMatched) return result;
      const known = await store.find(fix);
      if (known === undefined) throw new Error(`the result of ${fix.name} is gone from ${cacheDir}`);
      const matched = await matchFix(context, fix, known, kernel);
      await store.store(fix, "matched", matched);
      done++;
      tell("stage", `matched ${done}: ${fix.name}: ${wordsFor(matched.result)}`);
      return matched.result;
    });
    return { results, store };
  } finally {
    kernel.close();
  }
}

/** A fix whose update was made, or not; the update itself is in the store. */
interface Created {
  readonly fix: Fix;
  readonly result: FixResult;
  readonly targets: readonly string[];
  readonly isMatched: boolean;
}

async function createAll(
  context: JudgeContext,
  store: ResultStore,
  chosen: readonly Fix[],
  { jobs, minutes, tell }: JudgeOptions,
): Promise<Created[]> {
  const end = minutes === undefined ? Number.POSITIVE_INFINITY : performance.now() + minutes * 60_000;
  let done = 0;
  const all = await mapLimited(chosen, jobs, async (fix): Promise<Created | undefined> => {
    const known = await store.find(fix);
    if (known === undefined && performance.now() > end) return undefined;
    const created: CreatedFix = known ?? (await createFix(context, fix));
    const isMatched = known?.stage === "matched" || created.update === undefined;
    if (known === undefined) await store.store(fix, "created", created);
    done++;
    tell("stage", `${done} of ${chosen.length}: ${fix.name}: ${wordsFor(created.result)}`);
    return { fix, result: created.result, targets: created.update?.manifest.targets.map(({ name }) => name) ?? [], isMatched };
  });
  return all.flatMap((entry) => entry ?? []);
}

function wordsFor({ verdict, code }: FixResult): string {
  return `${verdict}${code === undefined ? "" : ` (${code})`}`;
}
