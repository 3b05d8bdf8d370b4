import { join } from "node:path";
import { Refusal } from "../src/diagnostics.js";
import { tellNobody } from "../src/events.js";
import type { Distribution } from "../src/distro/distro.js";
import { makeTemporary, removeTemporary } from "../src/host/temporary.js";
import { chooseFixes } from "../corpus/choose-fixes.js";
import { findFixes } from "../corpus/fixes/find-fixes.js";
import { judgeSet } from "../corpus/judge-set.js";
import { openSet } from "../corpus/open-set.js";
import { rehearseUpdates } from "../corpus/rehearse/rehearse-updates.js";
import { isWrong, summarize } from "../corpus/summary.js";
import type { CorpusSet } from "../corpus/types.js";
import type { MatrixRow } from "./choose-rows.js";
import type { KernelFigures } from "./figures.js";
import { measureMatching, type MatchingOptions } from "./measure-matching.js";

export interface MeasureOptions extends MatchingOptions {
  readonly distribution: Distribution;
  /** How many fixes of the next version that something is built of; chosen by the seed. */
  readonly fixes: number;
}

/** The limit that docs/coverage.md has. */
const MOST_UNITS = 400;

/** Measures one kernel. That it is refused is a result. */
export async function measureKernel(row: MatrixRow, options: MeasureOptions): Promise<KernelFigures> {
  const { suite, release, version, next } = row;
  const figures = { suite, release, version, next, day: new Date().toISOString().slice(0, 10) };
  try {
    const tree = join(options.cacheDir, "trees", release);
    const prepareSeconds = await timePrepare(row, tree, options);
    const matching = await measureMatching(tree, options);
    const fixes = next === undefined ? undefined : await measureFixes(row, next, options);
    return { ...figures, prepareSeconds, matching, fixes };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { ...figures, refused: { code: error.code, message: error.message } };
  }
}

/** Makes the tree, and then once more what makes it, with all that is downloaded at hand. @returns seconds */
async function timePrepare({ suite, release }: MatrixRow, tree: string, { distribution, cacheDir, tell }: MeasureOptions): Promise<number> {
  await distribution.prepare({ release, suite, dir: tree, cacheDir, tell });
  // On the file system of the cache: a tree is large.
  const directory = await makeTemporary("matrix-", cacheDir);
  try {
    const started = performance.now();
    await distribution.prepare({ release, suite, dir: join(directory, "tree"), cacheDir, tell: tellNobody });
    return secondsSince(started);
  } finally {
    await removeTemporary(directory);
  }
}

async function measureFixes(row: MatrixRow, next: string, options: MeasureOptions): Promise<NonNullable<KernelFigures["fixes"]>> {
  const { cacheDir, jobs, tell, seed } = options;
  const set: CorpusSet = await openSet({ from: row.version, to: next, release: row.release, suite: row.suite, cacheDir, tell });
  const found = await findFixes(set, tell);
  const chosen = chooseFixes(found.fixes, { sample: found.fixes.length, seed });
  const judged = await judgeSet(set, found, chosen, {
    jobs,
    cacheDir,
    tell,
    mostUnits: MOST_UNITS,
    minutes: undefined,
    enough: options.fixes,
  });
  const results = await rehearseUpdates(set, judged, chosen, { ...options, count: options.fixes });
  const { counts, rehearsals } = summarize(results);
  const updates = results.filter(({ verdict }) => verdict === "update");
  return {
    found: found.fixes.length,
    judged: results.filter(({ verdict }) => verdict !== "not built").length,
    updates: updates.length,
    noEffect: counts.get("no effect") ?? 0,
    refused: results.flatMap(({ fix, verdict, code }) =>
      verdict === "refused" || verdict === "not alone" ? [{ fix, code: code ?? verdict }] : [],
    ),
    failed: results.flatMap(({ fix, verdict, reason }) => (verdict === "failed" ? [`${fix}: ${reason}`] : [])),
    createSeconds: Math.round(middleOf(updates.map(({ milliseconds }) => milliseconds.create)) / 100) / 10,
    rehearsed: rehearsals.rehearsed,
    verified: rehearsals.verified,
    wrong: results.flatMap(({ fix, rehearsal }) =>
      rehearsal !== undefined && isWrong(rehearsal) ? [`${fix}: ${rehearsal.problems.join("; ")}`] : [],
    ),
    unknown: rehearsals.unknown,
  };
}

function middleOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function secondsSince(started: number): number {
  return Math.round((performance.now() - started) / 1000);
}
