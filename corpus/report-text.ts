import { summarize, type CorpusReport } from "./summary.js";

/** The report for a terminal: a row for each file, then the sums. */
export function renderText(report: CorpusReport): string {
  const rows = report.results
    .filter(({ verdict }) => verdict !== "not built")
    .map(({ file, verdict, code, reason, companions, changed, added, milliseconds }) => {
      const functions = `${changed.length} changed, ${added.length} new`;
      const what = verdict === "update" ? functions : `${code ?? ""}: ${firstLines(reason)}`;
      const besides = companions.length === 0 ? "" : ` (with ${companions.join(", ")})`;
      return `${verdict.padEnd(9)} ${file}${besides}: ${what}; ${milliseconds.create + milliseconds.match} ms\n`;
    });
  const { counts, score, strictScore, reasons } = summarize(report.results);
  return [
    ...rows,
    `\n${report.from} to ${report.to}, ${report.results.length} files in ${report.seconds} s\n`,
    ...[...counts].map(([verdict, count]) => `${String(count).padStart(6)} ${verdict}\n`),
    ...reasons.map(({ verdict, code, count }) => `${String(count).padStart(6)} ${verdict}: ${code}\n`),
    `score: ${(100 * score).toFixed(1)} % (update / (update + refused + failed)); ${(100 * strictScore).toFixed(1)} % if files refused together with others count\n`,
  ].join("");
}

/** A refusal's first line is the same for all: what was refused comes behind it. */
function firstLines(reason: string): string {
  return reason
    .split("\n")
    .slice(0, 3)
    .map((line) => line.trim())
    .join(" ");
}
