import { describe, expect, it } from "vitest";
import { findFailures } from "../../../src/rehearse/find-failures.js";
import type { ProbeResult } from "../../../src/rehearse/rehearsal.js";

const saw = (stdout: string, exitCode = 0): ProbeResult => ({ stdout, stderr: "", exitCode });
const good: Parameters<typeof findFailures>[0] = {
  id: "fix",
  viewed: ["fix"],
  verification: { id: "fix", units: 1, functions: 2, symbols: 3, skippedTargets: [], skippedFunctions: [], milliseconds: 4, findings: [] },
  probes: { before: saw("old"), applied: saw("new"), undone: saw("old") },
  leftovers: [],
  problems: [],
};

describe("a rehearsal", () => {
  it("has no failures where all is well, with a probe and without", () => {
    expect(findFailures(good)).toEqual([]);
    expect(findFailures({ ...good, probes: undefined })).toEqual([]);
  });

  it.each<[string, Partial<typeof good>, string]>([
    ["that did not list the update", { viewed: [] }, "ksplice-view did not list fix while it was applied"],
    [
      "whose update was not verified",
      {
        verification: {
          ...good.verification,
          findings: [{ unit: "a.o", symbol: "foo", kind: "not-redirected", message: "nothing leads there" }],
        },
      },
      "not verified: a.o: foo: nothing leads there [not-redirected]",
    ],
    [
      "whose probe saw something else afterwards",
      { probes: { before: saw("old"), applied: saw("new"), undone: saw("new\nworse", 3) } },
      "the probe saw something else once the update was undone (new; worse (exit 3)) than before (old (exit 0))",
    ],
    [
      "whose probe ended otherwise",
      { probes: { before: saw("old"), applied: saw("new"), undone: saw("old", 1) } },
      "the probe saw something else once the update was undone (old (exit 1)) than before (old (exit 0))",
    ],
    ["that left something behind", { leftovers: ["ksplice_fix_vmlinux"] }, "left behind: ksplice_fix_vmlinux"],
    ["about which the kernel complained", { problems: ["BUG: at"] }, "kernel: BUG: at"],
  ])("%s says so", (_, change, failure) => {
    expect(findFailures({ ...good, ...change })).toEqual([failure]);
  });
});
