#!/usr/bin/env node
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { Command } from "commander";
import { positiveInteger, runProgram, usage } from "../src/cli/common.js";
import { globPattern } from "../src/glob.js";
import { defaultCacheDir } from "../src/kbuild/cache-dir.js";
import { IncludeGraph } from "../src/kbuild/include-graph.js";
import { openKernelTree } from "../src/kbuild/open-tree.js";
import { prepareBuild } from "../src/kbuild/prepare-build.js";
import type { PreparedBuild } from "../src/kbuild/types.js";
import { findUnitCommands } from "../src/kbuild/unit-command.js";
import { judgeTouchedFile } from "../src/kbuild/touched-files.js";
import { openSnapshot } from "../src/kernel/open-snapshot.js";
import { mapLimited } from "../src/update/map-limited.js";
import { compareTrees } from "./changed-files.js";
import { CompanionFinder } from "./companions.js";
import { judgeFile, type JudgeContext } from "./judge-file.js";
import { openSet } from "./open-set.js";
import { renderHtml } from "./report-html.js";
import { renderMarkdown } from "./report-markdown.js";
import { renderText } from "./report-text.js";
import { ResultStore } from "./result-store.js";
import { sampleOf } from "./sample.js";
import { takeSnapshot } from "./snapshot-of-set.js";
import type { FileResult } from "./types.js";

interface CorpusOptions {
  readonly from: string;
  readonly to: string;
  readonly only?: string;
  readonly limit?: number;
  readonly jobs: number;
  readonly sample?: true;
  readonly json?: string;
  readonly html?: string;
  readonly markdown?: string;
}

const program = new Command("corpus")
  .description("make an update of each file that a distribution's release changes, match it, and say what became of it")
  .requiredOption("--from <version>", "Debian version of the source that runs: 6.1.170-3")
  .requiredOption("--to <version>", "Debian version of the source with the changes: 6.1.176-1")
  .option("--only <glob>", "only these files; * stands for anything")
  .option("--limit <n>", "only so many files of the configuration", positiveInteger)
  .option("--sample", "only the fixed sample that the tests use")
  .option("-j, --jobs <n>", "files at once", positiveInteger, availableParallelism())
  .option("--json <file>", "write the results there, as JSON")
  .option("--html <file>", "write the report there, as a page that opens from disk")
  .option("--markdown <file>", "write the tables there, as docs/coverage.md has them")
  .exitOverride()
  .action(async (options: CorpusOptions) => {
    const started = performance.now();
    const results = await runCorpus(options, say);
    const report = { from: options.from, to: options.to, seconds: Math.round((performance.now() - started) / 1000), results };
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, undefined, 1)}\n`);
    if (options.html !== undefined) await writeFile(options.html, renderHtml(report));
    if (options.markdown !== undefined) await writeFile(options.markdown, renderMarkdown(report));
    process.stdout.write(renderText(report));
    if (results.some(({ verdict }) => verdict === "failed")) process.exitCode = 1;
  });

function say(message: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${message.slice(0, process.stderr.columns - 1)}`);
  else process.stderr.write(`${message}\n`);
}

async function runCorpus(options: CorpusOptions, progress: (message: string) => void): Promise<FileResult[]> {
  const cacheDir = defaultCacheDir();
  if (options.from === options.to) throw usage("--from and --to name the same version");
  const set = await openSet({ ...options, cacheDir, progress });
  progress("comparing the two sources");
  const difference = await compareTrees(set.fromTree, set.toTree);
  const build = await prepareBuild(await openKernelTree(set.fromTree), { cacheDir, progress, jobs: options.jobs });

  const isChosen = globFilter(options.only);
  let files = difference.changed.filter((path) => path.endsWith(".c") && isChosen(path));
  if (options.sample === true) files = sampleOf(files);
  const targets = await findTargets(build, files, progress);
  if (options.limit !== undefined) files = [...files].filter((file) => targets.has(file)).slice(0, options.limit);

  // Every module of the set, whatever part of it is asked for: so that all runs share one snapshot.
  const snapshot = await takeSnapshot(
    set.fromTree,
    [...new Set(files.flatMap((file) => targets.get(file) ?? []))].filter((name) => name !== "vmlinux"),
    cacheDir,
    progress,
  );
  for (const [name, words] of snapshot.notLoaded) progress(`module ${name} could not be loaded: ${words}`);
  const kernel = openSnapshot(snapshot.path);
  try {
    let graph: Promise<IncludeGraph> | undefined;
    const includeGraph = (): Promise<IncludeGraph> => (graph ??= IncludeGraph.ofTree(set.fromTree));
    const context: JudgeContext = { set, build, cacheDir, companions: new CompanionFinder(set, difference), includeGraph, kernel };
    const store = await ResultStore.open(set, cacheDir);
    let done = 0;
    return await mapLimited(files, options.jobs, async (file) => {
      const result = (await store.find(file)) ?? (await judgeFile(context, file));
      await store.store(result);
      done++;
      progress(`${done} of ${files.length}: ${file}: ${result.verdict}${result.code === undefined ? "" : ` (${result.code})`}`);
      return result;
    });
  } finally {
    kernel.close();
  }
}

/** Objects that kbuild is asked for at once. */
const CHUNK = 200;

/** What each file is part of in this configuration: `vmlinux` or modules. Files that it is not made of are absent. */
async function findTargets(
  build: PreparedBuild,
  files: readonly string[],
  progress: (message: string) => void,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const objects = files.filter((file) => judgeTouchedFile(file).kind === "compile").map((file) => file.replace(/\.c$/, ".o"));
  const targets = new Map<string, string[]>();
  for (let start = 0; start < objects.length; start += CHUNK) {
    progress(`asking kbuild for the objects of the release: ${start} of ${objects.length}`);
    const commands = await findUnitCommands(build, objects.slice(start, start + CHUNK));
    for (const { source, target } of [...commands.values()].flatMap(({ units }) => units))
      targets.set(source, [...(targets.get(source) ?? []), target]);
  }
  return targets;
}

function globFilter(glob: string | undefined): (path: string) => boolean {
  if (glob === undefined) return () => true;
  const pattern = globPattern(glob);
  return (path) => pattern.test(path);
}

await runProgram(program, process.argv);
