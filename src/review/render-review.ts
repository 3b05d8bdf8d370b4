import { spellNote } from "../notes/spell-note.js";
import type { Rehearsal } from "../rehearse/rehearsal.js";
import type { AllowedLayout } from "../update/file/manifest.js";
import { escapeHtml, renderList, renderMarkedLines, renderPage } from "./page.js";
import type { PatchHunk } from "./patch-hunks.js";
import type { Review, ReviewedFunction, ReviewedUnit, ReviewedWrite, Row } from "./review-update.js";

/**
 * A review as one page: what one decides by comes first, the listings unfold.
 * @param rehearsal how the update did in a virtual machine, if it was tried
 */
export function renderReview(review: Review, rehearsal?: Rehearsal): string {
  const { manifest, units, hunks } = review;
  const body = [
    `<h1>Update ${escapeHtml(manifest.id)} for Linux ${escapeHtml(manifest.kernel.release)}</h1>`,
    `<p class="description">${escapeHtml(manifest.description)}</p>`,
    CONTENTS,
    renderFacts(review),
    renderLookAt(review),
    renderProofs(review),
    renderRehearsal(manifest.kernel.release, rehearsal),
    `<h2 id="patch">The patch</h2>`,
    ...byFile(hunks).map(([file, own]) => renderFile(file, own)),
    `<h2 id="functions">Functions</h2>`,
    `<p class="no-print"><label>Show those with <input type="search" id="filter"></label> <span role="status" id="shown"></span> <button type="button" id="unfold">unfold all</button> <button type="button" id="fold">fold all</button></p>`,
    ...units.map(renderUnit),
    renderTypes(manifest.layouts),
    renderFiles(review),
  ];
  return renderPage({
    title: `ksplice update ${manifest.id}`,
    body: body.filter((part) => part !== "").join("\n"),
    style: STYLE,
    script: SCRIPT,
  });
}

/** Whoever goes from control to control gets past what comes before; whoever looks sees what there is. */
const CONTENTS = `<nav class="no-print" aria-label="On this page">${[
  ["what", "what it is"],
  ["judge", "to be judged by a person"],
  ["proved", "proved"],
  ["rehearsal", "rehearsal"],
  ["patch", "the patch"],
  ["functions", "functions"],
  ["types", "types"],
  ["files", "its files"],
]
  .map(([id = "", words = ""]) => `<a href="#${id}">${words}</a>`)
  .join("\n")}</nav>`;

function renderFacts({ manifest, units }: Review): string {
  const functions = units.flatMap((unit) => unit.functions);
  const count = (fate: ReviewedFunction["fate"]): number => functions.filter((entry) => entry.fate === fate).length;
  const hooks = manifest.targets.flatMap((target) => target.units.flatMap((unit) => unit.hooks));
  const rows: [string, string][] = [
    ["Goes into", manifest.targets.map(({ name }) => (name === "vmlinux" ? "the kernel" : `module ${name}`)).join(", ")],
    ["Functions", `${count("changed")} replaced, ${count("new")} new, ${count("removed")} removed`],
    ["Data that is overwritten", String(units.reduce((sum, { writes }) => sum + writes.length, 0))],
    ["Types with another layout", manifest.layouts.length === 0 ? "none" : manifest.layouts.map(({ label }) => label).join(", ")],
    ["Hooks of the patch", hooks.length === 0 ? "none" : hooks.map(({ kind, name }) => `${name} (${kind})`).join(", ")],
    ["Fixes", manifest.cves.length === 0 ? "no CVE is named" : manifest.cves.join(", ")],
    ["Needs", manifest.after.length === 0 ? "no other update" : manifest.after.join(", ")],
    ["Compiled by", manifest.kernel.compiler],
    ["Of a change of", manifest.created],
  ];
  const cells = rows.map(([name, value]) => `<tr><th scope="row">${name}</th><td>${escapeHtml(value)}</td></tr>`).join("\n");
  return `<h2 id="what">What it is</h2><table>${cells}</table>`;
}

/** What no comparison of objects can judge. */
function renderLookAt({ manifest, units }: Review): string {
  const entries = [
    ...manifest.notes.map((note) => escapeHtml(spellNote(note))),
    ...manifest.layouts.map(
      ({ label, vouched }) => `<a href="#types"><code>${escapeHtml(label)}</code></a> has another layout: ${escapeHtml(vouched)}`,
    ),
    ...units.flatMap((unit) =>
      unit.functions.flatMap(({ name, remarks }) => remarks.map((remark) => `<code>${escapeHtml(name)}</code>: ${escapeHtml(remark)}`)),
    ),
    ...manifest.targets.flatMap((target) =>
      target.units.flatMap((unit) =>
        unit.hooks.map(
          ({ name, kind }) =>
            `<code>${escapeHtml(name)}</code> is called by the change itself (${escapeHtml(kind)}): nobody checks what it does`,
        ),
      ),
    ),
  ];
  const none = `<h2 id="judge">To be judged by a person</h2><p>Nothing was found that asks for it. What a patch means is never proved: docs/soundness.md.</p>`;
  return entries.length === 0 ? none : renderList("To be judged by a person", entries, 2, "judge");
}

function renderProofs({ manifest, units }: Review): string {
  const layouts =
    manifest.layouts.length === 0
      ? "types that live objects have are laid out as before"
      : `types that live objects have are laid out as before, but for <a href="#types">those that were let through</a>`;
  const compared = units.length + manifest.checked.length;
  const proofs = [
    `by create: every difference between the objects before and after is understood; ${layouts}; no state is split or begun anew; everything new is reached`,
    `by apply, before anything is loaded: every function of the ${units.length === 1 ? "unit" : `${units.length} units`} as the unpatched source has it is the one that runs, and nobody else refers to what goes`,
    "by the core, while the machine stands still: no thread is in code that is replaced",
    `by <code>ksplice verify ${escapeHtml(manifest.id)}</code>, once it is applied: ${compared} ${compared === 1 ? "object" : "objects"} of the patched source against what runs`,
  ];
  return renderList("Proved", proofs, 2, "proved");
}

function renderRehearsal(release: string, rehearsal: Rehearsal | undefined): string {
  if (rehearsal === undefined)
    return `<h2 id="rehearsal">Rehearsal</h2><p>None was given. <code>ksplice rehearse --json UPDATE &gt; FILE</code> tries it in a virtual machine with Linux ${escapeHtml(release)}; <code>ksplice review --rehearsal FILE</code> shows the outcome here.</p>`;
  const { ok, failures, problems, verification, stopNs, matching } = rehearsal;
  const facts = [
    `${matching.functions} functions matched, ${matching.skippedBytes} bytes skipped`,
    `the machine stood still for ${milliseconds(stopNs.apply)} to apply and ${milliseconds(stopNs.undo)} to undo (emulated: a real one is faster)`,
    `verify compared ${verification.units} objects and found ${verification.findings.length === 0 ? "nothing" : `${verification.findings.length} differences`}`,
  ];
  return [
    `<h2 id="rehearsal">Rehearsal</h2><p>${ok ? "Applied, verified and undone: all as it should be." : "<strong>It failed.</strong>"}</p>`,
    renderList("Why", failures.map(escapeHtml), 3),
    renderList("What the kernel complained of", problems.map(escapeHtml), 3),
    `<ul>${facts.map((fact) => `<li>${escapeHtml(fact)}</li>`).join("")}</ul>`,
  ].join("");
}

function milliseconds(ns: number): string {
  return `${(ns / 1e6).toFixed(2)} ms`;
}

function byFile(hunks: readonly PatchHunk[]): [string, PatchHunk[]][] {
  const files = new Map<string, PatchHunk[]>();
  for (const hunk of hunks) files.set(hunk.file, [...(files.get(hunk.file) ?? []), hunk]);
  return [...files];
}

function renderFile(file: string, hunks: readonly PatchHunk[]): string {
  return `<details open><summary>${escapeHtml(file)}</summary>${hunks.map((hunk) => renderHunk(hunk)).join("")}</details>`;
}

function renderHunk({ file, header, lines }: PatchHunk): string {
  return renderMarkedLines([header, ...lines], `${file} ${header}`);
}

function renderUnit({ path, target, functions, writes }: ReviewedUnit): string {
  const where = target === "vmlinux" ? "" : ` <small>in module ${escapeHtml(target)}</small>`;
  return `<section><h3>${escapeHtml(path)}${where}</h3>${functions.map(renderFunction).join("\n")}${renderWrites(writes)}</section>`;
}

function renderFunction({ name, fate, place, reasons, remarks, hunks, rows }: ReviewedFunction): string {
  const why = reasons.length === 0 ? "" : `: ${reasons.join(", ")}`;
  const size = `${rows.filter(({ isSame }) => !isSame).length} of ${rows.length} lines differ`;
  return `<details class="function" data-name="${escapeHtml(`${name} ${place}`)}"><summary><code>${escapeHtml(name)}</code> ${escapeHtml(`${fate}${why}`)} <small>${escapeHtml(place)}; ${size}</small></summary>
${remarks.length === 0 ? "" : `<p>${escapeHtml(remarks.join("; "))}</p>`}
${hunks.map((hunk) => renderHunk(hunk)).join("")}
${renderRows(name, rows)}</details>`;
}

/** Where a side has nothing its cell is empty; a sign tells what differs to whoever does not see colours. */
function renderRows(name: string, rows: readonly Row[]): string {
  if (rows.length === 0) return "<p>No object of the update has its code.</p>";
  const cell = (text: string | undefined, side: "pre" | "post", isSame: boolean): string =>
    text === undefined
      ? "<td></td>"
      : `<td${isSame ? "" : ` class="${side}-back"`}>${isSame ? " " : side === "pre" ? "-" : "+"} ${escapeHtml(text)}</td>`;
  const lines = rows.map(({ pre, post, isSame }) => `<tr>${cell(pre, "pre", isSame)}${cell(post, "post", isSame)}</tr>`).join("\n");
  return `<table class="code"><caption>${escapeHtml(name)}, instructions before and after</caption><thead><tr><th scope="col">before</th><th scope="col">after</th></tr></thead><tbody>
${lines}</tbody></table>`;
}

function renderWrites(writes: readonly ReviewedWrite[]): string {
  if (writes.length === 0) return "";
  const lines = writes.map(
    ({ name, offset, size, pre, post }) =>
      `<tr><td><code>${escapeHtml(name)}</code><td class="n">${offset}<td class="n">${size}<td><code>${escapeHtml(pre ?? "?")}</code><td><code>${escapeHtml(post ?? "?")}</code></tr>`,
  );
  return `<table><caption>Data that is overwritten</caption><thead><tr><th scope="col">object</th><th scope="col">byte</th><th scope="col">bytes</th><th scope="col">before</th><th scope="col">after</th></tr></thead><tbody>${lines.join("\n")}</tbody></table>`;
}

/** Those that stay as they are need no listing: that all do is what was proved. */
function renderTypes(layouts: readonly AllowedLayout[]): string {
  if (layouts.length === 0)
    return `<h2 id="types">Types</h2><p>Every struct, union and enum that the new code uses is laid out as the running kernel has it, or is new.</p>`;
  const told = "New code sees these differently from how the running kernel has them; the update's author has let them through.";
  return `<h2 id="types">Types</h2><p>${told}</p>${layouts.map(renderLayout).join("\n")}`;
}

function renderLayout({ label, place, units, reasons, holders, vouched, picture }: AllowedLayout): string {
  const where = [...(place === undefined ? [] : [place]), `seen by ${units.join(", ")}`].join("; ");
  const facts = [...reasons, ...(holders.length === 0 ? [] : [`so does what holds it by value: ${holders.join(", ")}`]), vouched];
  return `<details open><summary><code>${escapeHtml(label)}</code> <small>${escapeHtml(where)}</small></summary>
<ul>${facts.map((fact) => `<li>${escapeHtml(fact)}</li>`).join("")}</ul>
${renderMarkedLines(picture, `${label} before and after`)}</details>`;
}

function renderFiles({ manifest }: Review): string {
  const rows = Object.entries(manifest.files).map(([path, hash]) => `<tr><td>${escapeHtml(path)}<td><code>${hash}</code></tr>`);
  return `<h2 id="files">Its files</h2><details><summary>${rows.length} files, with their SHA-256</summary><table><thead><tr><th scope="col">file</th><th scope="col">SHA-256</th></tr></thead><tbody>${rows.join("\n")}</tbody></table></details>`;
}

/** Where no script runs, what is folded is printed all the same; browsers that do not know how leave the rule out. */
const STYLE = `
.description { white-space: pre-wrap; font-size: 1.1em; }
nav { display: flex; flex-wrap: wrap; gap: .2em 1.2em; }
caption { text-align: left; color: var(--faint); padding: .3em 0; }
table.code { font: 12.5px/1.35 ui-monospace, monospace; width: 100%; table-layout: fixed; }
table.code td { white-space: pre-wrap; overflow-wrap: anywhere; border-bottom: 0; padding: 0 .4em; }
.pre-back { background: var(--gone-back); } .post-back { background: var(--come-back); }
details.function { border-top: 1px solid var(--line); }
@media print { table.code { font-size: 9.5px; } .pre-back, .post-back { print-color-adjust: exact; } }
@media print { details.function[hidden] { display: block; } details::details-content { content-visibility: visible; block-size: auto; } }
`;

/** Paper has all of it: what is folded, or not among what is searched for, is there while the page is printed, and then as it was. */
const SCRIPT = `
const all = [...document.querySelectorAll("details.function")];
document.querySelector("#filter").addEventListener("input", ({ target }) => {
  const words = target.value.toLowerCase();
  for (const entry of all) entry.hidden = !entry.dataset.name.toLowerCase().includes(words);
  document.querySelector("#shown").textContent = words === "" ? "" : all.filter((entry) => !entry.hidden).length + " of " + all.length + " functions";
});
document.querySelector("#unfold").addEventListener("click", () => { for (const entry of all) entry.open = true; });
document.querySelector("#fold").addEventListener("click", () => { for (const entry of all) entry.open = false; });
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const entry of folded) entry.open = true;
});
addEventListener("afterprint", () => {
  for (const entry of folded) entry.open = false;
  folded = [];
});
`;
