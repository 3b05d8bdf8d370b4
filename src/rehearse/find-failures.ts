import { renderFinding } from "../update/verify/findings.js";
import type { ProbeResult, Rehearsal } from "./rehearsal.js";

/** Why a rehearsal failed, a line each; none if all is as it should be. */
export function findFailures({
  id,
  viewed,
  verification,
  probes,
  leftovers,
  problems,
}: Pick<Rehearsal, "id" | "viewed" | "verification" | "probes" | "leftovers" | "problems">): string[] {
  return [
    ...(viewed.includes(id) ? [] : [`ksplice-view did not list ${id} while it was applied`]),
    ...verification.findings.map((finding) => `not verified: ${renderFinding(finding)}`),
    ...(probes === undefined || sawTheSame(probes.before, probes.undone)
      ? []
      : [`the probe saw something else once the update was undone (${oneLine(probes.undone)}) than before (${oneLine(probes.before)})`]),
    ...leftovers.map((name) => `left behind: ${name}`),
    ...problems.map((line) => `kernel: ${line}`),
  ];
}

/** True if a probe printed the same twice, and ended alike. */
export function sawTheSame(a: ProbeResult, b: ProbeResult): boolean {
  return a.stdout === b.stdout && a.exitCode === b.exitCode;
}

/** What a probe printed, and its status, on one line. */
export function oneLine(probe: ProbeResult): string {
  const text = [probe.stdout, probe.stderr]
    .filter((part) => part !== "")
    .join(" / ")
    .replaceAll("\n", "; ");
  return `${text} (exit ${probe.exitCode})`;
}
