import { summarize, type CorpusReport } from "./summary.js";
import { VERDICTS } from "./types.js";

/** The tables of docs/coverage.md for one set. */
export function renderMarkdown(report: CorpusReport): string {
  const { counts, score, strictScore, reasons } = summarize(report.results);
  const functions = report.results.filter(({ verdict }) => verdict === "update");
  const sum = (count: (result: (typeof functions)[number]) => number): number =>
    functions.reduce((total, result) => total + count(result), 0);
  return [
    `## ${report.from} → ${report.to}\n`,
    `${report.results.length} changed \`.c\` files. Score **${(100 * score).toFixed(1)} %** (${(100 * strictScore).toFixed(1)} % if files that are refused together with others of the release count as refused).\n`,
    "| verdict | files |\n| --- | --- |",
    ...VERDICTS.map((verdict) => `| ${verdict} | ${counts.get(verdict) ?? 0} |`),
    "",
    `The updates replace ${sum(({ changed }) => changed.length)} functions and bring ${sum(({ added }) => added.length)} new ones; ` +
      `${functions.filter(({ data }) => data.some(({ why }) => why !== "new")).length} of them overwrite or move constants; ` +
      `${functions.filter(({ companions }) => companions.length > 0).length} needed other files of the release besides.\n`,
    "| verdict | reason | files |\n| --- | --- | --- |",
    ...reasons.map(({ verdict, code, count }) => `| ${verdict} | \`${code}\` | ${count} |`),
    "",
  ].join("\n");
}
