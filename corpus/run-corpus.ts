#!/usr/bin/env node
import type { EventKind } from "../src/events.js";
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { Command } from "commander";
import { positiveInteger, runProgram, usage } from "../src/cli/common.js";
import { defaultCacheDir } from "../src/host/cache-dir.js";
import { chooseFixes } from "./choose-fixes.js";
import { findFixes } from "./fixes/find-fixes.js";
import { patchOfFixes } from "./judge-fix.js";
import { judgeSet } from "./judge-set.js";
import { openSet } from "./open-set.js";
import { rehearseUpdates } from "./rehearse/rehearse-updates.js";
import { renderHtml } from "./report-html.js";
import { renderMarkdown } from "./report-markdown.js";
import { renderText } from "./report-text.js";
import type { CorpusReport } from "./summary.js";

interface CorpusOptions {
  readonly from: string;
  readonly to: string;
  readonly suite?: string;
  readonly only?: readonly string[];
  readonly sample?: number;
  readonly seed: number;
  readonly rehearse?: number;
  readonly mostUnits?: number;
  readonly minutes?: number;
  readonly jobs: number;
  readonly show?: true;
  readonly json?: string;
  readonly html?: string;
  readonly markdown?: string;
}

const program = new Command("corpus")
  .description("make an update of each fix that a distribution's release holds, match it, and say what became of it")
  .requiredOption("--from <version>", "Debian version of the source that runs: 6.1.170-3")
  .requiredOption("--to <version>", "Debian version of the source with the changes: 6.1.176-1")
  .option("--suite <name>", "the Debian release that has both, by code name (default: what this machine's package lists have)")
  .option("--only <globs...>", "only fixes of these names, or that change one of these files; * stands for anything")
  .option("--sample <n>", "only so many fixes, chosen at random", positiveInteger)
  .option("--rehearse <n>", "try so many of the updates out in a virtual machine, chosen at random", positiveInteger)
  .option("--seed <n>", "decides what is chosen at random", positiveInteger, 1)
  // A header that everything includes would have the whole kernel built, for one fix of a thousand.
  .option("--most-units <n>", "refuse a header that may come into more source files than this", positiveInteger, 400)
  .option("--minutes <n>", "begin no fix after this time; the next run goes on", positiveInteger)
  .option("-j, --jobs <n>", "fixes at once", positiveInteger, availableParallelism())
  .option("--show", "print the chosen fixes as patches, and judge nothing")
  .option("--json <file>", "write the results there, as JSON")
  .option("--html <file>", "write the report there, as a page that opens from disk")
  .option("--markdown <file>", "write the tables there, as docs/coverage.md has them")
  .exitOverride()
  .action(async (options: CorpusOptions) => {
    const started = performance.now();
    const cacheDir = defaultCacheDir(process.env);
    if (options.from === options.to) throw usage("--from and --to name the same version");
    const set = await openSet({ ...options, cacheDir, tell });
    const found = await findFixes(set, tell);
    const chosen = chooseFixes(found.fixes, options);
    if (options.show === true) {
      for (const fix of chosen) process.stdout.write(`fix ${fix.name}\n${await patchOfFixes(found, [fix])}\n`);
      return;
    }
    const { jobs, mostUnits, minutes } = options;
    const judged = await judgeSet(set, found, chosen, { jobs, mostUnits, minutes, cacheDir, tell });
    const { rehearse: count, seed } = options;
    const results =
      count === undefined ? judged.results : await rehearseUpdates(set, judged, chosen, { count, seed, jobs, cacheDir, tell });
    const seconds = Math.round((performance.now() - started) / 1000);
    const report: CorpusReport = { from: options.from, to: options.to, seconds, found: found.fixes.length, results };
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, undefined, 1)}\n`);
    if (options.html !== undefined) await writeFile(options.html, renderHtml(report));
    if (options.markdown !== undefined) await writeFile(options.markdown, renderMarkdown(report));
    process.stdout.write(renderText(report));
    if (results.some(({ verdict, rehearsal }) => verdict === "failed" || rehearsal?.ok === false)) process.exitCode = 1;
  });

function tell(_: EventKind, message: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${message.slice(0, process.stderr.columns - 1)}`);
  else process.stderr.write(`${message}\n`);
}

await runProgram(program, process.argv);
