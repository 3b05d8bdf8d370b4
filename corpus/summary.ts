import { VERDICTS, type FileResult, type Verdict } from "./types.js";

/** All that a report is made from. */
export interface CorpusReport {
  readonly from: string;
  readonly to: string;
  /** How long the run took. */
  readonly seconds: number;
  readonly results: readonly FileResult[];
}

export interface Summary {
  readonly counts: ReadonlyMap<Verdict, number>;
  /** update / (update + refused + failed); 1 where there are none of them. */
  readonly score: number;
  /** The same, with those files counted as refused that need others of the release and are refused together with them. */
  readonly strictScore: number;
  /** How many files had each reason, the most frequent first. A file counts once for each code. */
  readonly reasons: readonly { readonly verdict: Verdict; readonly code: string; readonly count: number }[];
}

/** Codes of a patch that is not complete. */
export const INCOMPLETE: ReadonlySet<string> = new Set(["does-not-compile", "unresolved-symbol", "too-many-units"]);

export function summarize(results: readonly FileResult[]): Summary {
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
  // What was refused together with other files, and did not just fail to compile or to be complete.
  const together = results.filter(({ verdict, code }) => verdict === "not alone" && !INCOMPLETE.has(code ?? "")).length;
  const judged = count("update") + count("refused") + count("failed");
  return {
    counts,
    score: judged === 0 ? 1 : count("update") / judged,
    strictScore: judged + together === 0 ? 1 : count("update") / (judged + together),
    reasons: [...reasons.values()].sort((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict) || b.count - a.count),
  };
}
