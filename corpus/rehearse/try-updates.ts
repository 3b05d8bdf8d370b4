import { tellNobody } from "../../src/events.js";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { applyUpdate, openLiveKernel, openUpdate, Refusal, renderFinding, undoUpdate, verifyUpdate, viewKernel } from "../../src/index.js";
import { namesIn } from "../../src/host/files.js";
import { findProblems } from "../../vm/console-log.js";
import type { RehearsalResult } from "../types.js";

/**
 * Runs in the virtual machine: each update that is named is applied, looked for, verified and undone, all in this one process, for what takes longest
 * in an emulated machine is starting a program and warming it up. A line of JSON tells of each. Behind one that made trouble the program ends: nothing that
 * follows in this kernel would tell anything.
 */

const TRIES = 5;

/** Milliseconds: an emulated machine takes long to look at its threads. */
const STOP_LIMIT = 1000;

async function tryOut(path: string): Promise<RehearsalResult> {
  const started = performance.now();
  const mark = `ksplice-rehearse: ${path} at ${Date.now()}`;
  writeFileSync("/dev/kmsg", mark);
  const problems: string[] = [];
  let verified: boolean | undefined;
  let isUnknown = false;
  const options = { tries: TRIES, stopLimit: STOP_LIMIT, tell: tellNobody };
  try {
    const update = await openUpdate(path);
    const { id } = update.manifest;
    await applyUpdate(update, { ...options, partial: false, verify: false });
    if (!viewKernel().some((loaded) => loaded.id === id && loaded.stage === "applied"))
      problems.push(`${id} is not listed while it is applied`);
    const kernel = openLiveKernel();
    try {
      const { findings } = verifyUpdate(update, kernel);
      verified = findings.length === 0;
      problems.push(...findings.map((finding) => `not verified: ${renderFinding(finding)}`));
    } finally {
      kernel.close();
    }
    const { isResident } = await undoUpdate(id, options);
    // All updates of the measure have one name, and the next one's modules take the place of these. Whoever kept an address of them is seen here.
    if (isResident) await undoUpdate(id, { ...options, unload: true });
    problems.push(...(await findLeftovers()).map((name) => `left behind: ${name}`));
  } catch (error) {
    // Somebody always is in that code of this machine: the update was kept out, and did nothing wrong.
    isUnknown = verified === undefined && error instanceof Refusal && error.code === "code-busy";
    problems.push(error instanceof Error ? error.message : String(error));
  }
  problems.push(...findProblems(kernelLogSince(mark)).map((line) => `kernel: ${line}`));
  const milliseconds = Math.round(performance.now() - started);
  return { ok: problems.length === 0, ...(verified === undefined ? {} : { verified }), problems, isUnknown, milliseconds };
}

/** All of the log where it has lost the mark. */
function kernelLogSince(mark: string): string {
  const log = execFileSync("dmesg", { encoding: "utf8", maxBuffer: 1 << 26 });
  return log.slice(Math.max(0, log.lastIndexOf(mark)));
}

/** Anything with our name that a finished undo should have taken away. */
async function findLeftovers(): Promise<string[]> {
  const modules = (await namesIn("/sys/module")).filter((name) => name.startsWith("ksplice"));
  const kernel = (await namesIn("/sys/kernel")).filter((name) => name === "ksplice");
  return [...modules, ...kernel];
}

for (const path of process.argv.slice(2)) {
  const result = await tryOut(path);
  process.stdout.write(`${JSON.stringify({ path, result })}\n`);
  if (!result.ok && !result.isUnknown) break;
}
