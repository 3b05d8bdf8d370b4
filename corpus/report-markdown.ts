import { describeRehearsals, summarize, type CorpusReport } from "./summary.js";
import { VERDICTS } from "./types.js";

/** The tables of docs/coverage.md for one set. */
export function renderMarkdown(report: CorpusReport): string {
  const { counts, share, accompanied, rehearsals, reasons } = summarize(report.results);
  const updates = report.results.filter(({ verdict }) => verdict === "update");
  const sum = (count: (result: (typeof updates)[number]) => number): number => updates.reduce((total, result) => total + count(result), 0);
  return [
    `## ${report.from} → ${report.to}\n`,
    `${report.found} fixes, ${report.results.length} of them judged. **${(100 * share).toFixed(1)} %** of them become updates; ${describeRehearsals(rehearsals)}.\n`,
    "| verdict | fixes |\n| --- | --- |",
    ...VERDICTS.map((verdict) => `| ${verdict} | ${counts.get(verdict) ?? 0} |`),
    "",
    `The updates replace ${sum(({ changed }) => changed.length)} functions and bring ${sum(({ added }) => added.length)} new ones; ` +
      `${updates.filter(({ data }) => data.some(({ why }) => why !== "new")).length} of them overwrite or move constants; ` +
      `${accompanied} needed other fixes of the release besides.\n`,
    "| verdict | reason | fixes |\n| --- | --- | --- |",
    ...reasons.map(({ verdict, code, count }) => `| ${verdict} | \`${code}\` | ${count} |`),
    "",
  ].join("\n");
}
