#!/usr/bin/env node
import { cleanUpAtEnd } from "../src/cli/interruption.js";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { reportError } from "../src/cli/common.js";
import { showEvents, type Shown } from "../src/cli/show-events.js";
import { listSources } from "../src/distro/debian/debian-source.js";
import { currentSeries, usableKernels } from "../src/distro/debian/usable-kernels.js";
import { prepareDebianKernel } from "../src/distro/debian/prepare-kernel.js";
import { defaultCacheDir } from "../src/host/cache-dir.js";
import { rehearseUpdate } from "../src/rehearse/rehearse-update.js";
import { openUpdate } from "../src/update/file/update-file.js";
import { demoRows, renderRows } from "./demo-report.js";
import { chooseKernel } from "./choose-kernel.js";
import { archiveExamples, ownExample } from "./examples.js";
import { makeUpdate } from "./make-update.js";

/**
 * The main job, shown on a real kernel in an emulated machine: prepare, create, rehearse. Every line of the closing table says whether it is as it should be.
 * @returns the exit status
 */
async function runDemo(): Promise<number> {
  const shown = withClock(showEvents("demo", {}));
  const { tell } = shown;
  const cacheDir = defaultCacheDir(process.env);
  const workDir = join(cacheDir, "demo");
  await mkdir(workDir, { recursive: true });
  const stages: { stage: string; milliseconds: number }[] = [];
  const timed = async <T>(stage: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    stages.push({ stage, milliseconds: performance.now() - started });
    return result;
  };

  const place = { cacheDir, tell };
  const series = await currentSeries();
  const chosen = series && chooseKernel(await usableKernels(series, place), await listSources(series, place));
  if (!chosen) throw new Error(`the package lists have no kernel of ${series ?? "any series"} together with its source`);
  const { release } = chosen.kernel;
  const tree = join(cacheDir, "trees", release);
  const kernel = await timed("prepare", () => prepareDebianKernel({ release, dir: tree, ...place }));
  say(shown, `kernel: ${kernel.release}, built from ${kernel.version}`);

  const fixes = await timed("look for fixes", async () =>
    chosen.fixedIn === undefined ? [] : await archiveExamples(tree, kernel.version, chosen.fixedIn, place),
  );
  const { example, tarball } = await timed("ksplice-create", async () => {
    tell("stage", "ksplice-create: compiling before and after the patch");
    return await makeUpdate([...fixes, await ownExample(tree)], tree, workDir, ({ title }, reason) => {
      say(shown, `not shown: ${title}:\n    ${reason}`);
    });
  });
  say(shown, `change: ${example.title}\n${example.patch.replace(/^/gm, "    ").trimEnd()}`);
  say(shown, `update: ${tarball}`);

  const consoleLog = join(workDir, "console.log");
  const rehearsal = await rehearseUpdate(await openUpdate(tarball), {
    tree,
    probe: example.probe,
    expose: [workDir],
    cacheDir,
    directory: process.cwd(),
    consoleLog,
    tell,
  });
  shown.done();

  const rows = demoRows(rehearsal, example.expected, stages);
  process.stdout.write(`${renderRows(rows)}\nconsole of the machine: ${consoleLog}\n`);
  const ok = rows.every((row) => row.ok !== false);
  process.stdout.write(ok ? "All as it should be.\n" : "Something is not as it should be, see above.\n");
  return ok ? 0 : 1;
}

/** Repeats the latest stage with the seconds it has taken, so that nobody wonders whether anything still happens. */
function withClock(shown: Shown): Shown {
  let stage = "";
  let since = performance.now();
  const timer = setInterval(() => {
    if (stage !== "" && process.stderr.isTTY) shown.tell("stage", `${stage} (${((performance.now() - since) / 1000).toFixed(0)} s)`);
  }, 1000);
  timer.unref();
  return {
    ...shown,
    tell: (kind, message) => {
      if (kind === "stage") {
        stage = message;
        since = performance.now();
      }
      shown.tell(kind, message);
    },
    done: () => {
      stage = "";
      shown.done();
    },
  };
}

/** A line that stays, between the stages. */
function say(shown: Shown, text: string): void {
  shown.done();
  process.stdout.write(`${text}\n`);
}

cleanUpAtEnd();
process.exitCode = await runDemo().catch((error: unknown) => reportError("demo", error));
