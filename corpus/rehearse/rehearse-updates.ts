import { join } from "node:path";
import type { Fix } from "../fixes/connect-pieces.js";
import type { JudgedSet } from "../judge-set.js";
import { shuffled } from "../shuffled.js";
import type { CorpusSet, FixResult } from "../types.js";
import { rehearseInTurn, type RehearseOptions } from "./rehearse-in-turn.js";

export interface RehearsalChoice extends Omit<RehearseOptions, "tree" | "logs"> {
  /** How many of the updates, chosen by the seed. */
  readonly count: number;
  readonly seed: number;
}

/** The results, with what became of some of the updates in a virtual machine. */
export async function rehearseUpdates(
  set: CorpusSet,
  { results, store }: JudgedSet,
  chosen: readonly Fix[],
  { count, seed, ...options }: RehearsalChoice,
): Promise<FixResult[]> {
  const fixes = new Map(chosen.map((fix) => [fix.name, fix]));
  const drawn = shuffled(
    results.filter(({ verdict }) => verdict === "update"),
    seed,
  ).slice(0, count);
  const requests = drawn.flatMap(({ fix: name }) => {
    const fix = fixes.get(name);
    return fix === undefined ? [] : [{ name, update: async () => await store.requireUpdate(fix) }];
  });
  const logs = join(options.cacheDir, "corpus", "rehearsals", set.release);
  const rehearsed = await rehearseInTurn(requests, { ...options, tree: set.fromTree, logs });
  return results.map((result) => {
    const rehearsal = rehearsed.get(result.fix);
    return rehearsal === undefined ? result : { ...result, rehearsal };
  });
}
