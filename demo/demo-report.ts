import Table from "cli-table3";
import { renderFinding } from "../src/update/verify/findings.js";
import type { ProbeResult, Rehearsal } from "../src/rehearse/rehearsal.js";

/** What the demo found out, as a table; and whether each line is as it should be. */

export interface DemoRow {
  readonly what: string;
  readonly found: string;
  /** Undefined: a figure, neither right nor wrong. */
  readonly ok?: boolean;
}

export interface ExpectedProbes {
  readonly unpatched: string;
  readonly patched: string;
}

/** @param stages times of what came before the rehearsal, milliseconds */
export function demoRows(
  rehearsal: Rehearsal,
  expected: ExpectedProbes,
  stages: readonly { stage: string; milliseconds: number }[],
): DemoRow[] {
  const names = rehearsal.functions.map((entry) => entry.name);
  const ms = (ns: number): string => `${(ns / 1e6).toFixed(3)} ms`;
  return [
    ...[...stages, ...rehearsal.stages].map(({ stage, milliseconds }) => ({
      what: `time: ${stage}`,
      found: `${(milliseconds / 1000).toFixed(1)} s`,
    })),
    { what: "functions replaced", found: names.join(", "), ok: names.length > 0 },
    {
      what: "functions matched",
      found: `${rehearsal.matching.functions} in ${rehearsal.matching.milliseconds} ms (emulated), ${rehearsal.matching.skippedBytes} bytes not compared`,
    },
    { what: "machine stopped, apply", found: ms(rehearsal.stopNs.apply), ok: rehearsal.stopNs.apply > 0 },
    { what: "machine stopped, undo", found: ms(rehearsal.stopNs.undo), ok: rehearsal.stopNs.undo > 0 },
    probeRow("probe before", rehearsal.probes?.before, expected.unpatched),
    probeRow("probe with the update", rehearsal.probes?.applied, expected.patched),
    probeRow("probe once undone", rehearsal.probes?.undone, expected.unpatched),
    { what: "ksplice-view lists it", found: rehearsal.viewed.join(", "), ok: rehearsal.viewed.includes(rehearsal.id) },
    {
      what: "verified with the update",
      found: rehearsal.verification.findings.map(renderFinding).join("\n") || `${rehearsal.verification.functions} functions`,
      ok: rehearsal.verification.findings.length === 0,
    },
    { what: "left behind", found: rehearsal.leftovers.join(", ") || "nothing", ok: rehearsal.leftovers.length === 0 },
    { what: "oopses and warnings", found: rehearsal.problems.join("\n") || "none", ok: rehearsal.problems.length === 0 },
  ];
}

function probeRow(what: string, probe: ProbeResult | undefined, expected: string): DemoRow {
  const found = probe === undefined ? "did not run" : `${probe.stdout}${probe.stderr}`;
  const ok = probe?.exitCode === 0 && probe.stdout === expected;
  return { what, found: ok ? found : `${found} (should be: ${expected})`, ok };
}

export function renderRows(rows: readonly DemoRow[]): string {
  const table = new Table({ style: { head: [], border: [] }, wordWrap: true });
  for (const row of rows) table.push([row.what, row.found, row.ok === undefined ? "" : row.ok ? "ok" : "WRONG"]);
  return table.toString();
}
