import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Progress } from "../../diagnostics.js";
import { KspliceSysfs, type LoadedUpdate, type RequestedStage } from "./ksplice-sysfs.js";
import { stopIfInterrupted } from "../../host/lock.js";
import { codeBusy, coreRefused, replacedByNewer } from "./refusals.js";

/** Abort causes that pass by themselves: some thread was inside the code, or ran where none should, or there were too many to look at in time. */
const WORTH_ANOTHER_TRY: ReadonlySet<string> = new Set(["code_busy", "unexpected_running_task", "timed_out"]);

const PAUSE_MS = 1000;

const VERBS = { applied: "applied", reversed: "undone", released: "unloaded" } as const;

/** The stages that a request leads to. */
const RESULTS: Readonly<Record<RequestedStage, readonly string[]>> = {
  applied: ["applied"],
  reversed: ["reversed", "resident"],
  released: ["reversed"],
};

/**
 * Asks the core to apply an update, to reverse it or to let a reversed one go, again a second later while its code is in use.
 * @param tries at least 1
 * @param interruption looked at between the tries
 * @throws Refusal with the core's abort cause, and for busy code with the tasks and functions
 */
export async function switchStage(
  id: string,
  stage: RequestedStage,
  tries: number,
  progress: Progress,
  interruption: AbortSignal,
): Promise<LoadedUpdate> {
  const verb = VERBS[stage];
  const sysfs = new KspliceSysfs();
  for (let attempt = 1; ; attempt++) {
    const done = requestStage(sysfs, id, stage);
    const state = sysfs.readUpdate(id);
    if (state === undefined) throw coreRefused(id, verb, "unexpected", "the update is gone from the kernel");
    if (done && RESULTS[stage].includes(state.stage)) return state;
    if (state.replacedBy.length > 0 && stage === "reversed") throw replacedByNewer(id, state.replacedBy);
    if (!WORTH_ANOTHER_TRY.has(state.abortCause)) throw coreRefused(id, verb, state.abortCause, "");
    if (attempt >= tries) {
      if (state.abortCause === "code_busy")
        throw codeBusy(
          id,
          verb,
          attempt,
          state.conflicts.map((conflict) => ({ ...conflict, waitChannel: readWaitChannel(conflict.pid) })),
        );
      throw coreRefused(id, verb, state.abortCause, state.conflicts.map((conflict) => `${conflict.task} (pid ${conflict.pid})`).join(", "));
    }
    progress(`code is in use, try ${attempt} of ${tries}`);
    // Ends early when it is aborted; the next line says so.
    await sleep(PAUSE_MS, undefined, { signal: interruption }).catch(() => undefined);
    stopIfInterrupted(interruption);
  }
}

/** @returns whether the core did it; the abort cause tells why not */
function requestStage(sysfs: KspliceSysfs, id: string, stage: RequestedStage): boolean {
  try {
    sysfs.writeStage(id, stage);
    return true;
  } catch {
    return false;
  }
}

/** The function that a thread sleeps in, by /proc/PID/wchan; undefined for one that runs, that is gone, or where the kernel does not tell. */
function readWaitChannel(pid: number): string | undefined {
  try {
    const words = readFileSync(`/proc/${pid}/wchan`, "latin1").trim();
    return words === "" || words === "0" ? undefined : words;
  } catch {
    return undefined;
  }
}
