import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SAMPLE, SAMPLE_SET } from "../../corpus/sample.js";
import type { CorpusReport } from "../../corpus/summary.js";
import { packageRoot } from "../../src/host/package-root.js";

/** The measure by real fixes, on a fixed sample. */

const dir = mkdtempSync(join(tmpdir(), "ksplice-corpus-"));
let report: CorpusReport;
let html: string;
let exitCode: number | undefined;

beforeAll(async () => {
  const json = join(dir, "report.json");
  const page = join(dir, "report.html");
  const args = [
    "--from",
    SAMPLE_SET.from,
    "--to",
    SAMPLE_SET.to,
    "--only",
    ...SAMPLE.map(([fix]) => fix),
    "--rehearse",
    "2",
    "--json",
    json,
    "--html",
    page,
  ];
  const result = await execa(process.execPath, [join(packageRoot(), "dist/corpus/run-corpus.js"), ...args], { reject: false });
  exitCode = result.exitCode;
  if (exitCode !== 0) process.stderr.write(`${result.stderr.slice(-4000)}\n${result.stdout.slice(-4000)}\n`);
  report = JSON.parse(readFileSync(json, "utf8")) as CorpusReport;
  html = readFileSync(page, "utf8");
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

describe("a sample of the fixes in a point release of Debian's", () => {
  it("is judged as it should be, fix by fix", () => {
    const verdicts = report.results.map(({ fix, verdict, code }) => `${fix}: ${verdict}${verdict === "failed" ? ` (${code ?? ""})` : ""}`);
    expect(verdicts).toEqual(SAMPLE.map(([fix, verdict]) => `${fix}: ${verdict}`));
    expect(exitCode).toBe(0);
  });

  it("matches every function of what it updates, and names what changes", () => {
    for (const { fix, changed, added, data, matched } of report.results.filter(({ verdict }) => verdict === "update")) {
      expect(matched, fix).toBeGreaterThan(0);
      expect(changed.length + added.length + data.length, fix).toBeGreaterThan(0);
    }
  });

  it("says why it refuses, by symbol and place", () => {
    const refused = report.results.filter(({ verdict }) => verdict === "refused");
    expect(refused.length).toBeGreaterThan(0);
    for (const { fix, refused: items = [] } of refused) {
      expect(items.length, fix).toBeGreaterThan(0);
      for (const { symbol, place, message } of items)
        expect(
          [symbol, place, message].every((text) => text !== ""),
          fix,
        ).toBe(true);
    }
  });

  it("tries out as many of the updates as it is told to, in one machine, and each is as it should be", () => {
    const rehearsals = report.results.flatMap(({ rehearsal }) => rehearsal ?? []);
    expect(rehearsals.map(({ ok, problems }) => ({ ok, problems }))).toEqual([
      { ok: true, problems: [] },
      { ok: true, problems: [] },
    ]);
  });

  it("shows both disassemblies of a function on the page", () => {
    expect(html).toContain('<span class="pre">');
    expect(html).toContain("raw_sendmsg");
  });
});
