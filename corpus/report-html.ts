import { escapeHtml as escape, renderList, renderMarkedLines, renderPage } from "../src/review/page.js";
import { describeRehearsals, summarize, type CorpusReport } from "./summary.js";
import type { ChangedItem, FixResult } from "./types.js";

/** The report as one page without anything from elsewhere. Rows unfold; a field and buttons choose among them. */
export function renderHtml(report: CorpusReport): string {
  const { counts, share, rehearsals, reasons } = summarize(report.results);
  const title = `Linux ${report.from} → ${report.to} as hot updates`;
  const buttons = [...counts].map(([verdict, count]) => `<button data-verdict="${verdict}">${count} ${verdict}</button>`).join("\n");
  const body = `<h1>${escape(title)}</h1>
<p><b>${(100 * share).toFixed(1)} %</b> of the fixes become updates: update / (update + refused + not alone + failed); ${describeRehearsals(rehearsals)}. ${report.results.length} of ${report.found} fixes, ${report.seconds} s.</p>
<p id="filter"><label>find <input type="search" placeholder="file, function, reason"></label> <button data-verdict="">all</button>
${buttons}</p>
<h2>Fixes</h2><table><thead><tr><th>verdict<th>fix<th>changed<th>new<th>reason<th>rehearsed<th>ms</tr></thead><tbody>
${report.results.map(renderRow).join("\n")}
</tbody></table>
<h2>Reasons</h2><table>
${reasons.map(({ verdict, code, count }) => `<tr><td>${verdict}<td>${escape(code)}<td class="n">${count}</tr>`).join("\n")}
</table>`;
  return renderPage({ title, body, style: STYLE, script: SCRIPT });
}

function renderRow(result: FixResult): string {
  const { fix, files, verdict, code, reason, companions, changed, added, milliseconds, rehearsal } = result;
  const why = verdict === "update" ? "" : escape(`${code ?? ""} ${reason.split("\n").slice(0, 2).join(" ")}`.slice(0, 200));
  const more = files.length === 1 ? "" : ` <small>${files.length} files</small>`;
  const besides = companions.length === 0 ? "" : ` <small>+ ${companions.length} fixes</small>`;
  const tried = rehearsal === undefined ? "" : rehearsal.isUnknown ? "?" : rehearsal.ok ? "ok" : "wrong";
  return `<tr class="${verdict.replace(" ", "-")}" data-verdict="${verdict}"><td>${verdict}<td><details><summary>${escape(fix)}${more}${besides}</summary>${renderDetails(result)}</details><td class="n">${changed.length}<td class="n">${added.length}<td>${why}<td>${tried}<td class="n">${milliseconds.create + milliseconds.match}</tr>`;
}

function renderDetails({
  files,
  reason,
  rehearsal,
  companions,
  changed,
  added,
  removed,
  data,
  notes,
  matched,
  milliseconds,
}: FixResult): string {
  const list = (heading: string, items: readonly string[]): string => renderList(heading, items, 3);
  const named = ({ name, unit, why }: ChangedItem): string => `<code>${escape(name)}</code> ${escape(why)} <small>${escape(unit)}</small>`;
  return [
    reason === "" ? "" : `<pre>${escape(reason)}</pre>`,
    list("Rehearsal", (rehearsal?.problems ?? []).map(escape)),
    list("Files", files.map(escape)),
    list("Together with the fixes", companions.map(escape)),
    list(
      "Changed functions",
      changed.map((item) => `${named(item)}${renderDisassembly(item)}`),
    ),
    list("New functions", added.map(named)),
    list("Removed functions", removed.map(named)),
    list("Data", data.map(named)),
    list("Notes", notes.map(escape)),
    `<p><small>${matched === undefined ? "" : `${matched} functions matched; `}create ${milliseconds.create} ms, match ${milliseconds.match} ms</small></p>`,
  ].join("");
}

function renderDisassembly({ name, disassembly = [] }: ChangedItem): string {
  return disassembly.length === 0 ? "" : renderMarkedLines(disassembly, `${name}, instructions before and after`);
}

const STYLE = `
tr.update > td:first-child { color: var(--come); }
tr.refused > td:first-child, tr.failed > td:first-child { color: var(--gone); font-weight: bold; }
tr.no-effect > td:first-child, tr.not-alone > td:first-child, tr.not-built > td:first-child { color: var(--faint); }
button[aria-pressed="true"] { font-weight: bold; }
td h3 { font-size: 1em; margin: .6em 0 .2em; }
`;

const SCRIPT = `
const rows = [...document.querySelectorAll("tr[data-verdict]")];
const search = document.querySelector("input");
let verdict = "";
function show() {
  const words = search.value.toLowerCase();
  for (const row of rows) row.hidden = (verdict !== "" && row.dataset.verdict !== verdict) || !row.textContent.toLowerCase().includes(words);
  for (const button of document.querySelectorAll("button")) button.setAttribute("aria-pressed", button.dataset.verdict === verdict);
}
search.addEventListener("input", show);
for (const button of document.querySelectorAll("button")) button.addEventListener("click", () => { verdict = button.dataset.verdict; show(); });
show();
`;
