import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { summarize, type CorpusReport } from "../../corpus/summary.js";
import { SAMPLE_SET } from "../../corpus/sample.js";
import { packageRoot } from "../../src/package-root.js";

/** The measure by real fixes, whole. */

const dir = mkdtempSync(join(tmpdir(), "ksplice-corpus-"));
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

describe("all files that Debian changed in a point release", () => {
  it("are judged without a bug of ours, and at least 93 % of those that stand alone become updates", async () => {
    const json = join(dir, "report.json");
    const args = ["--from", SAMPLE_SET.from, "--to", SAMPLE_SET.to, "--json", json];
    await execa(process.execPath, [join(packageRoot(), "dist/corpus/run-corpus.js"), ...args], { reject: false, stdout: "ignore" });
    const { results } = JSON.parse(readFileSync(json, "utf8")) as CorpusReport;
    expect(results.filter(({ verdict }) => verdict === "failed").map(({ file, reason }) => `${file}: ${reason}`)).toEqual([]);
    expect(results.length).toBeGreaterThan(1000);
    expect(summarize(results).score).toBeGreaterThanOrEqual(0.93);
  });
});
