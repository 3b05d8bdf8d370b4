import fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { hostileInputs } from "../support/hostile-inputs.js";

/** What the unit tests do with some hundred inputs, with many, and within bounded memory. */

const ALL = Number(process.env["KSPLICE_TEST_INPUTS"] ?? 50_000);
/** Another one: KSPLICE_TEST_SEED=N. A failure names the seed and the path to the input. */
const SEED = Number(process.env["KSPLICE_TEST_SEED"] ?? 20261127);
/** Far above what is needed, far below what sizes in the inputs claim. */
const MOST_MIB = 1024;

const workDir = mkdtempSync(join(tmpdir(), "ksplice-hostile-"));
afterAll(() => {
  rmSync(workDir, { recursive: true });
});
const inputs = await hostileInputs(workDir);
const runs = Math.ceil(ALL / inputs.length);

test.each(inputs)(
  `of $name, whatever is done to it ${runs} times, only refusals come`,
  async ({ name, property, useUnchanged, outcomes }) => {
    const before = process.resourceUsage().maxRSS;
    const started = performance.now();
    await useUnchanged();
    await fc.assert(property, { numRuns: runs, seed: SEED });
    const grown = (process.resourceUsage().maxRSS - before) / 1024;
    process.stdout.write(
      `      ${name}: ${runs} inputs, ${outcomes.refused} refused, ${((performance.now() - started) / 1000).toFixed(0)} s, ${grown.toFixed(0)} MiB more\n`,
    );
    expect(outcomes.taken + outcomes.refused).toBe(runs);
    expect(grown).toBeLessThan(MOST_MIB);
  },
);
