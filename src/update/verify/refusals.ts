import { Refusal } from "../../diagnostics.js";
import { renderFinding, type Finding } from "./findings.js";

export const notApplied = (id: string, stage: string | undefined): Refusal =>
  new Refusal({
    code: "not-applied",
    message: stage === undefined ? `update ${id} is not loaded into this kernel` : `update ${id} is ${stage}, not applied`,
    hint: "there is nothing to verify before ksplice-apply has applied it",
  });

/** @param stays why it could not be undone; undefined if it was */
export const notVerified = (id: string, findings: readonly Finding[], stays: string | undefined): Refusal =>
  new Refusal({
    code: "not-verified",
    message: [
      `update ${id} was applied, and the kernel is not what its patched source says:`,
      ...findings.map((finding) => `  ${renderFinding(finding)}`),
      stays === undefined ? "it was undone" : `it could NOT be undone, and is still applied: ${stays}`,
    ].join("\n"),
    hint: stays === undefined ? "this is a fault of the update: report it with its tarball" : `try ksplice-undo ${id}`,
    items: findings.map(({ unit, symbol, kind, message }) => ({ code: kind, symbol, message, place: unit })),
    abortCause: "unexpected",
  });
