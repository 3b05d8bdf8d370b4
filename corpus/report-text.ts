import { describeRehearsals, summarize, type CorpusReport } from "./summary.js";

/** The report for a terminal: a row for each fix, then the sums. */
export function renderText(report: CorpusReport): string {
  const rows = report.results
    .filter(({ verdict }) => verdict !== "not built")
    .map(({ fix, files, verdict, code, reason, companions, changed, added, milliseconds, rehearsal }) => {
      const functions = `${changed.length} changed, ${added.length} new`;
      const what = verdict === "update" ? functions : `${code ?? ""}: ${firstLines(reason)}`;
      const more = files.length === 1 ? "" : ` and ${files.length - 1} more`;
      const besides = companions.length === 0 ? "" : ` (with ${companions.join(", ")})`;
      const tried =
        rehearsal === undefined || rehearsal.ok
          ? ""
          : `; ${rehearsal.isUnknown ? "not rehearsed" : "WRONG"}: ${rehearsal.problems.join("; ")}`;
      return `${verdict.padEnd(9)} ${fix}${more}${besides}: ${what}; ${milliseconds.create + milliseconds.match} ms${tried}\n`;
    });
  const { counts, share, rehearsals, reasons } = summarize(report.results);
  return [
    ...rows,
    `\n${report.from} to ${report.to}: ${report.results.length} of ${report.found} fixes in ${report.seconds} s\n`,
    ...[...counts].map(([verdict, count]) => `${String(count).padStart(6)} ${verdict}\n`),
    ...reasons.map(({ verdict, code, count }) => `${String(count).padStart(6)} ${verdict}: ${code}\n`),
    `fixes that become updates: ${(100 * share).toFixed(1)} % (update / (update + refused + not alone + failed)); ${describeRehearsals(rehearsals)}\n`,
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
