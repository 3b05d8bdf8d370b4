import fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { hostileInputs } from "../support/hostile-inputs.js";

/** By night 50,000: test/nightly/hostile-inputs.nightly.test.ts. */
const RUNS = 60;
const SEED = 20261127;

const workDir = mkdtempSync(join(tmpdir(), "ksplice-hostile-"));
afterAll(() => {
  rmSync(workDir, { recursive: true });
});
const inputs = await hostileInputs(workDir);

test.each(inputs)("of $name, whatever is done to it, only refusals come", async ({ property, useUnchanged, outcomes }) => {
  await useUnchanged();
  await fc.assert(property, { numRuns: RUNS, seed: SEED });
  expect(outcomes.taken + outcomes.refused).toBe(RUNS);
});
