import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { summarize, type CorpusReport } from "../../corpus/summary.js";
import { packageRoot } from "../../src/package-root.js";

/** The measure by real fixes, whole. */

const dir = mkdtempSync(join(tmpdir(), "ksplice-corpus-"));
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

describe.each([
  { from: "6.1.170-3", to: "6.1.176-1", files: 1109 },
  { from: "6.12.107-1~deb12u1", to: "6.12.117-1~deb12u1", files: 4102 },
])("all files that Debian changed from $from to $to", ({ from, to, files }) => {
  // The larger set takes hours where nothing of it is in the cache.
  it("are judged without a bug of ours, and at least 93 % of those that stand alone become updates", { timeout: 28_800_000 }, async () => {
    const json = join(dir, `${to}.json`);
    const args = ["--from", from, "--to", to, "--json", json];
    await execa(process.execPath, [join(packageRoot(), "dist/corpus/run-corpus.js"), ...args], { reject: false, stdout: "ignore" });
    const { results } = JSON.parse(readFileSync(json, "utf8")) as CorpusReport;
    expect(results.filter(({ verdict }) => verdict === "failed").map(({ file, reason }) => `${file}: ${reason}`)).toEqual([]);
    expect(results.length).toBe(files);
    expect(summarize(results).score).toBeGreaterThanOrEqual(0.93);
  });
});
