#!/usr/bin/env node
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { positiveInteger, runProgram, usage } from "../src/cli/common.js";
import { debian } from "../src/distro/debian/debian.js";
import type { EventKind } from "../src/events.js";
import { defaultCacheDir } from "../src/host/cache-dir.js";
import { globPattern } from "../src/host/glob.js";
import { packageRoot } from "../src/host/package-root.js";
import { chooseRows } from "./choose-rows.js";
import { mergeFigures, parseFigures, type KernelFigures } from "./figures.js";
import { measureKernel } from "./measure-kernel.js";
import { renderMarkdown } from "./render-markdown.js";

interface MatrixOptions {
  readonly only?: readonly string[];
  readonly fixes: number;
  readonly units: number;
  readonly seed: number;
  readonly jobs: number;
  readonly list?: true;
  readonly json?: string;
  readonly write?: true;
}

/** Where the figures stand, and the page that has them between two marks. */
const FIGURES = "matrix/figures.json";
const PAGE = "docs/kernels.md";
const BETWEEN_MARKS = /(?<=<!-- figures -->\n)[^]*(?=<!-- end of the figures -->)/;

const program = new Command("matrix")
  .description(
    "for each kernel that Debian has: prepare it, match a sample of its units, and make, apply, verify and undo updates of real fixes",
  )
  .option("--only <globs...>", "only kernels of these releases; * stands for anything")
  .option("--fixes <n>", "fixes of the next version for each, of those that something is built of", positiveInteger, 30)
  .option("--units <n>", "units that are matched for each", positiveInteger, 200)
  .option("--seed <n>", "decides what is chosen at random", positiveInteger, 1)
  .option("-j, --jobs <n>", "compilers and machines at once", positiveInteger, availableParallelism())
  .option("--list", "print the kernels, and measure nothing")
  .option("--json <file>", "write the figures there, as JSON")
  .option("--write", `put the figures into ${FIGURES} and ${PAGE}, in place of those of the same kernels`)
  .exitOverride()
  .action(async (options: MatrixOptions) => {
    const cacheDir = defaultCacheDir(process.env);
    const patterns = options.only?.map(globPattern);
    const rows = (await chooseRows(debian, { cacheDir, tell })).filter(
      ({ release }) => patterns?.some((pattern) => pattern.test(release)) ?? true,
    );
    if (rows.length === 0) throw usage(`--only ${options.only?.join(" ") ?? ""}: there is no such kernel; --list prints them`);
    if (options.list === true) {
      for (const { suite, release, version, next } of rows)
        process.stdout.write(`${release} (${suite}): ${version}, then ${next ?? "none yet"}\n`);
      return;
    }
    const measured: KernelFigures[] = [];
    for (const row of rows) {
      tell("stage", `${row.release} of ${row.suite}`);
      measured.push(await measureKernel(row, { ...options, distribution: debian, cacheDir, tell }));
      // A run may be ended at any time: what is measured is kept.
      if (options.write === true) await writeFigures(measured);
    }
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(measured, undefined, 2)}\n`);
    process.stdout.write(renderMarkdown(measured));
    if (measured.some(({ fixes }) => fixes !== undefined && fixes.failed.length + fixes.wrong.length > 0)) process.exitCode = 1;
  });

async function writeFigures(measured: readonly KernelFigures[]): Promise<void> {
  const [figures, page] = [FIGURES, PAGE].map((path) => join(packageRoot(), path)) as [string, string];
  const merged = mergeFigures(parseFigures(await readFile(figures, "utf8")), measured);
  await writeFile(figures, `${JSON.stringify(merged, undefined, 2)}\n`);
  await writeFile(
    page,
    (await readFile(page, "utf8")).replace(BETWEEN_MARKS, () => `\n${renderMarkdown(merged)}\n`),
  );
}

function tell(_: EventKind, message: string): void {
  process.stderr.write(`${message}\n`);
}

await runProgram(program, process.argv);
