import type { Verification } from "../update/verify/verify-update.js";

export interface ProbeResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface StageTime {
  readonly stage: string;
  readonly milliseconds: number;
}

export interface Rehearsal {
  readonly id: string;
  readonly release: string;
  readonly functions: readonly { readonly target: string; readonly name: string }[];
  /** Existing objects that were overwritten. */
  readonly data: readonly { readonly target: string; readonly name: string }[];
  readonly probes: { readonly before: ProbeResult; readonly applied: ProbeResult; readonly undone: ProbeResult } | undefined;
  /** Ids that `ksplice-view` listed while the update was applied. */
  readonly viewed: readonly string[];
  readonly stopNs: { readonly apply: number; readonly undo: number };
  readonly matching: { readonly functions: number; readonly skippedBytes: number; readonly milliseconds: number };
  readonly stages: readonly StageTime[];
  /** Modules and sysfs entries of ours that were still there after the undo. */
  readonly leftovers: readonly string[];
  /** Oopses, warnings and call traces. */
  readonly problems: readonly string[];
  /** What `ksplice verify` said while the update was applied. */
  readonly verification: Verification;
  readonly consoleLog: string;
  /** Why the rehearsal failed, a line each: find-failures.ts has the list. */
  readonly failures: readonly string[];
  /** No failures. */
  readonly ok: boolean;
}
