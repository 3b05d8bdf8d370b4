import type { Tell } from "../src/events.js";
import { mapLimited } from "../src/host/map-limited.js";
import type { Fix } from "./fixes/connect-pieces.js";
import type { FixSet } from "./fixes/find-fixes.js";
import type { CreatedFix } from "./judge-fix.js";
import { JudgePool } from "./judge-pool.js";
import { ResultStore, type Stage } from "./result-store.js";
import { takeSnapshot } from "./snapshot-of-set.js";
import type { CorpusSet, FixResult } from "./types.js";

export interface JudgeOptions {
  /** Processes that judge, at once. */
  readonly jobs: number;
  readonly cacheDir: string;
  readonly mostUnits: number | undefined;
  /** No fix is begun after this many minutes; those that were not are left out, and judged by the next run. */
  readonly minutes: number | undefined;
  /** So many fixes of which something is built are enough: no other is begun. Default: all are judged. */
  readonly enough?: number;
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
  const store = await ResultStore.open({ set, mostUnits }, cacheDir, found);
  const pool = new JudgePool({ set, found, cacheDir, mostUnits });
  try {
    const created = await createAll(pool, store, chosen, options);
    const modules = [...new Set(created.flatMap(({ targets }) => targets))].filter((name) => name !== "vmlinux");
    if (created.every(({ isMatched }) => isMatched)) return { results: created.map(({ result }) => result), store };

    const snapshot = await takeSnapshot(set.fromTree, modules, cacheDir, tell);
    for (const [name, words] of snapshot.notLoaded) tell("warning", `module ${name} could not be loaded: ${words}`);
    let done = 0;
    const results = await mapLimited(created, jobs, async ({ fix, result, isMatched }) => {
      if (isMatched) return result;
      await pool.judge({ fix: fix.name, snapshot: snapshot.path });
      const matched = (await requireResult(store, fix)).result;
      done++;
      tell("stage", `matched ${done}: ${fix.name}: ${wordsFor(matched)}`);
      return matched;
    });
    return { results, store };
  } finally {
    pool.end();
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
  pool: JudgePool,
  store: ResultStore,
  chosen: readonly Fix[],
  { jobs, minutes, enough = Number.POSITIVE_INFINITY, tell }: JudgeOptions,
): Promise<Created[]> {
  const end = minutes === undefined ? Number.POSITIVE_INFINITY : performance.now() + minutes * 60_000;
  let done = 0;
  let built = 0;
  const all = await mapLimited(chosen, jobs, async (fix): Promise<Created | undefined> => {
    if (built >= enough) return undefined;
    let known = await store.find(fix);
    if (known === undefined) {
      if (performance.now() > end) return undefined;
      await pool.judge({ fix: fix.name });
      known = await requireResult(store, fix);
    }
    const { result, update, stage } = known;
    if (result.verdict !== "not built") built++;
    done++;
    tell("stage", `${done} of ${chosen.length}: ${fix.name}: ${wordsFor(result)}`);
    const targets = update?.manifest.targets.map(({ name }) => name) ?? [];
    return { fix, result, targets, isMatched: stage === "matched" || update === undefined };
  });
  return all.flatMap((entry) => entry ?? []);
}

async function requireResult(store: ResultStore, fix: Fix): Promise<CreatedFix & { readonly stage: Stage }> {
  const known = await store.find(fix);
  if (known === undefined) throw new Error(`what became of ${fix.name} is not in the store`);
  return known;
}

function wordsFor({ verdict, code }: FixResult): string {
  return `${verdict}${code === undefined ? "" : ` (${code})`}`;
}
