import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { summarize, type CorpusReport } from "../../corpus/summary.js";
import { packageRoot } from "../../src/host/package-root.js";

/** The measure by real fixes, whole. */

const dir = mkdtempSync(join(tmpdir(), "ksplice-corpus-"));
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** Which updates are tried out. Others: KSPLICE_TEST_SEED=N. */
const SEED = Number(process.env["KSPLICE_TEST_SEED"] ?? 20261124);

describe.each([
  { from: "6.1.170-3", to: "6.1.176-1", fixes: 1500, rehearse: 100 },
  { from: "6.12.107-1~deb12u1", to: "6.12.117-1~deb12u1", fixes: 5000, rehearse: 0 },
])("all fixes that Debian took from $from to $to", ({ from, to, fixes, rehearse }) => {
  // The larger set takes hours where nothing of it is in the cache.
  it(
    "are judged without a bug of ours; at least 92 % become updates, and none that is tried out is wrong",
    { timeout: 28_800_000 },
    async () => {
      const json = join(dir, `${to}.json`);
      const args = ["--from", from, "--to", to, "--seed", String(SEED), "--json", json];
      if (rehearse > 0) args.push("--rehearse", String(rehearse));
      await execa(process.execPath, [join(packageRoot(), "dist/corpus/run-corpus.js"), ...args], { reject: false, stdout: "ignore" });
      const { results, found } = JSON.parse(readFileSync(json, "utf8")) as CorpusReport;
      expect(results.filter(({ verdict }) => verdict === "failed").map(({ fix, reason }) => `${fix}: ${reason}`)).toEqual([]);
      expect(results.length).toBe(found);
      expect(found).toBeGreaterThan(fixes);
      const { share, rehearsals } = summarize(results);
      expect(
        results.flatMap(({ fix, rehearsal }) => (rehearsal?.ok === false ? [`${fix}: ${rehearsal.problems.join("; ")}`] : [])),
      ).toEqual([]);
      expect(rehearsals.wrong).toBe(0);
      expect(rehearsals.rehearsed + rehearsals.unknown).toBe(rehearse);
      expect(share).toBeGreaterThanOrEqual(0.92);
    },
  );
});
