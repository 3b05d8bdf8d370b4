#!/usr/bin/env node
import { execa } from "execa";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stderrProgress, reportError } from "../src/cli/common.js";
import { usableKernels } from "../src/distro/debian/usable-kernels.js";
import { prepareDebianKernel } from "../src/distro/debian/prepare-kernel.js";
import { defaultCacheDir } from "../src/host/cache-dir.js";
import { commandLine } from "../src/rehearse/program-paths.js";
import { rehearseUpdate } from "../src/rehearse/rehearse-update.js";
import { openUpdate } from "../src/update/file/update-file.js";
import { demoRows, renderRows } from "./demo-report.js";
import { rawSocketFix, versionLine } from "./examples.js";

/**
 * The main job, shown on a real kernel in an emulated machine: prepare, create, rehearse. Every line of the closing table says whether it is as it should be.
 * @returns the exit status
 */
async function runDemo(): Promise<number> {
  const progress = withClock(stderrProgress({}));
  const cacheDir = defaultCacheDir();
  const workDir = join(cacheDir, "demo");
  await mkdir(workDir, { recursive: true });
  const stages: { stage: string; milliseconds: number }[] = [];
  const timed = async <T>(stage: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    stages.push({ stage, milliseconds: performance.now() - started });
    return result;
  };

  const [oldest] = await usableKernels("6.1", { cacheDir });
  if (oldest === undefined) throw new Error("the Debian archive has no 6.1 kernel together with its source");
  const tree = join(cacheDir, "trees", oldest.release);
  const kernel = await timed("prepare", () => prepareDebianKernel({ release: oldest.release, dir: tree, cacheDir, progress }));
  say(progress, `kernel: ${kernel.release}, built from ${kernel.version}`);

  const example = await timed("take the fix", async () => {
    const fix = await rawSocketFix(tree, kernel, { cacheDir, workDir, progress });
    if (fix === undefined)
      say(progress, "the archive has moved on, and that fix is gone from it: showing an example of this project's own instead");
    return fix ?? (await versionLine(tree));
  });
  say(progress, `change: ${example.title}\n${example.patch.replace(/^/gm, "    ").trimEnd()}`);

  const patchFile = join(workDir, "example.patch");
  const tarball = join(workDir, "ksplice-demo.tar.gz");
  await writeFile(patchFile, example.patch, "latin1");
  const [node, create] = commandLine("create");
  const created = await timed("ksplice-create", () => {
    progress("ksplice-create: compiling before and after the patch");
    return execa(node, [create, "--id=demo", `--patch=${patchFile}`, `--output=${tarball}`, tree], { reject: false });
  });
  if (created.exitCode !== 0) throw new Error(`ksplice-create failed:\n${created.stderr}`);
  say(progress, `update: ${created.stdout}`);

  const consoleLog = join(workDir, "console.log");
  const rehearsal = await rehearseUpdate(await openUpdate(tarball), {
    tree,
    probe: example.probe,
    expose: [workDir],
    consoleLog,
    progress,
  });
  progress.done();

  const rows = demoRows(rehearsal, example.expected, stages);
  process.stdout.write(`${renderRows(rows)}\nconsole of the machine: ${consoleLog}\n`);
  const ok = rows.every((row) => row.ok !== false);
  process.stdout.write(ok ? "All as it should be.\n" : "Something is not as it should be, see above.\n");
  return ok ? 0 : 1;
}

type DemoProgress = ReturnType<typeof stderrProgress>;

/** Repeats the latest message with the seconds it has taken, so that nobody wonders whether anything still happens. */
function withClock(progress: DemoProgress): DemoProgress {
  let message = "";
  let since = performance.now();
  const timer = setInterval(() => {
    if (message !== "" && process.stderr.isTTY) progress(`${message} (${((performance.now() - since) / 1000).toFixed(0)} s)`);
  }, 1000);
  timer.unref();
  const show = (next: string): void => {
    message = next;
    since = performance.now();
    progress(next);
  };
  return Object.assign(show, {
    done: () => {
      message = "";
      progress.done();
    },
  });
}

/** A line that stays, between lines of progress. */
function say(progress: DemoProgress, text: string): void {
  progress.done();
  process.stdout.write(`${text}\n`);
}

process.exitCode = await runDemo().catch((error: unknown) => reportError("demo", error));
