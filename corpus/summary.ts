import { VERDICTS, type FixResult, type RehearsalResult, type Verdict } from "./types.js";

/** All that a report is made from. */
export interface CorpusReport {
  readonly from: string;
  readonly to: string;
  /** How long the run took. */
  readonly seconds: number;
  /** How many fixes the release has, whether they were judged or not. */
  readonly found: number;
  readonly results: readonly FixResult[];
}

/** What speaks against a yes that was wrong. */
export interface RehearsalSums {
  /** Updates that were applied in a virtual machine. */
  readonly rehearsed: number;
  /** Those of them that run-post matching has looked at too. */
  readonly verified: number;
  /** Those that made trouble, or are not what the patched source says. */
  readonly wrong: number;
  /** Those that no machine could be made ready for. */
  readonly unknown: number;
}

export interface Summary {
  readonly counts: ReadonlyMap<Verdict, number>;
  /** Share of the fixes that become updates: update / (update + refused + not alone + failed); 1 where there are none of them. */
  readonly share: number;
  /** How many updates needed other fixes besides. */
  readonly accompanied: number;
  readonly rehearsals: RehearsalSums;
  /** How many fixes had each reason, the most frequent first. A fix counts once for each code. */
  readonly reasons: readonly { readonly verdict: Verdict; readonly code: string; readonly count: number }[];
}

export function summarize(results: readonly FixResult[]): Summary {
  const counts = new Map<Verdict, number>(VERDICTS.map((verdict) => [verdict, 0]));
  const reasons = new Map<string, { verdict: Verdict; code: string; count: number }>();
  for (const { verdict, code, refused } of results) {
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
    if (verdict === "update" || verdict === "not built") continue;
    const codes = refused === undefined || refused.length === 0 ? [code ?? "internal error"] : refused.map((item) => item.code);
    for (const each of new Set(codes)) {
      const key = `${verdict} ${each}`;
      const reason = reasons.get(key) ?? { verdict, code: each, count: 0 };
      reason.count++;
      reasons.set(key, reason);
    }
  }
  const count = (verdict: Verdict): number => counts.get(verdict) ?? 0;
  const judged = count("update") + count("refused") + count("not alone") + count("failed");
  return {
    counts,
    share: judged === 0 ? 1 : count("update") / judged,
    accompanied: results.filter(({ verdict, companions }) => verdict === "update" && companions.length > 0).length,
    rehearsals: sumRehearsals(results),
    reasons: [...reasons.values()].sort((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict) || b.count - a.count),
  };
}

/** Whether an update made trouble in a machine, or is not what the patched source says. */
export function isWrong({ ok, verified, isUnknown }: RehearsalResult): boolean {
  return !isUnknown && (!ok || verified === false);
}

function sumRehearsals(results: readonly FixResult[]): RehearsalSums {
  const all = results.flatMap(({ rehearsal }) => rehearsal ?? []);
  const known = all.filter(({ isUnknown }) => !isUnknown);
  return {
    rehearsed: known.length,
    verified: known.filter(({ verified }) => verified !== undefined).length,
    wrong: all.filter(isWrong).length,
    unknown: all.length - known.length,
  };
}

/** What a share of fixes is worth: how many were tried, and how many of them were wrong. */
export function describeRehearsals({ rehearsed, verified, wrong, unknown }: RehearsalSums): string {
  const others = unknown === 0 ? "" : `; for ${unknown} more no machine could be made ready`;
  return `${rehearsed} of the updates rehearsed, ${verified} of them verified, ${wrong} wrong${others}`;
}
