import { setTimeout as sleep } from "node:timers/promises";
import type { Tell } from "../../events.js";
import type { Engine } from "../engine.js";
import type { LoadedUpdate, RequestedStage, StageOptions } from "./ksplice-sysfs.js";
import { stopIfInterrupted } from "../../host/interruption.js";
import { codeBusy, coreRefused, replacedByNewer, type Conflict } from "./refusals.js";

/** Abort causes that pass by themselves: some thread was inside the code, or ran where none should, or there were too many to look at in time. */
const WORTH_ANOTHER_TRY: ReadonlySet<string> = new Set(["code_busy", "unexpected_running_task", "timed_out"]);

/** Between tries that are counted. */
const PAUSE_MS = 1000;
/** Between tries until a time is over: the next is twice as long, up to the last. A try that finds somebody asleep costs no stop. */
const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 2000;

const VERBS = { applied: "applied", reversed: "undone", released: "unloaded" } as const;

/** The stages that a request leads to. */
const RESULTS: Readonly<Record<RequestedStage, readonly string[]>> = {
  applied: ["applied"],
  reversed: ["reversed", "resident"],
  released: ["reversed"],
};

/** How often, and how, a stage is asked for while the code is in use. */
export interface Persistence {
  /** At least 1; a second apart. */
  readonly tries: number;
  /** Try until this time is over instead. Seconds. */
  readonly wait?: number;
  /** Wake threads that sleep in the code. */
  readonly nudge?: boolean;
}

/** Without what else the options hold. */
export function persistenceOf({ tries, wait, nudge }: Persistence): Persistence {
  return { tries, ...(wait === undefined ? {} : { wait }), ...(nudge === undefined ? {} : { nudge }) };
}

/**
 * Asks the core to apply an update, to reverse it or to let a reversed one go, and again while its code is in use.
 * @param interruption looked at between the tries
 * @throws Refusal with the core's abort cause, and for busy code with the tasks and functions
 */
export async function switchStage(
  engine: Engine,
  id: string,
  stage: RequestedStage,
  persistence: Persistence & Pick<StageOptions, "replace">,
  tell: Tell,
  interruption: AbortSignal | undefined,
): Promise<LoadedUpdate> {
  const verb = VERBS[stage];
  const pauses = pausesOf(persistence);
  for (let attempt = 1; ; attempt++) {
    const pause = pauses.next();
    const stay = mayStay(stage, persistence, attempt, pause.done === true);
    const done = requestStage(engine, id, stage, { ...persistence, stay });
    const state = engine.readUpdate(id);
    if (state === undefined) throw coreRefused(id, verb, "unexpected", "the update is gone from the kernel");
    if (done && RESULTS[stage].includes(state.stage)) return state;
    if (state.replacedBy.length > 0 && stage === "reversed") throw replacedByNewer(id, state.replacedBy);
    if (!WORTH_ANOTHER_TRY.has(state.abortCause)) throw coreRefused(id, verb, state.abortCause, "");
    if (pause.done === true) throw refuseBusy(engine, state, verb, attempt, persistence);
    tell("stage", `code is in use${inWords(state)}, ${pause.value.left}`);
    // Ends early when it is aborted; the next line says so.
    await sleep(pause.value.ms, undefined, interruption === undefined ? {} : { signal: interruption }).catch(() => undefined);
    stopIfInterrupted(interruption);
  }
}

/** Where a time is given: the first try of an undo that may leave the code in memory. Else only the last may. */
const FIRST_TO_STAY = 5;

/** A thread may sleep for days with something on its stack that looks like a pointer: then the old code shall run all the same. */
function mayStay(
  stage: RequestedStage,
  { replace, wait }: Pick<StageOptions, "replace"> & Persistence,
  attempt: number,
  isLast: boolean,
): boolean {
  if (stage === "applied") return replace !== undefined;
  return stage === "reversed" && (isLast || (wait !== undefined && attempt >= FIRST_TO_STAY));
}

interface Pause {
  readonly ms: number;
  /** What is left of the patience, in words. */
  readonly left: string;
}

/** The pauses behind each try but the last. */
export function* pausesOf({ tries, wait }: Persistence, now: () => number = () => performance.now()): Generator<Pause, undefined> {
  if (wait === undefined) {
    for (let attempt = 1; attempt < tries; attempt++) yield { ms: PAUSE_MS, left: `try ${attempt} of ${tries}` };
    return;
  }
  const end = now() + wait * 1000;
  for (let pause = FIRST_PAUSE_MS, left = end - now(); left > 0; pause = Math.min(pause * 2, LAST_PAUSE_MS), left = end - now())
    yield { ms: Math.min(pause, left), left: `trying for another ${Math.ceil(left / 1000)} s` };
}

function inWords({ conflicts: [first] }: LoadedUpdate): string {
  return first === undefined ? "" : ` (${first.task}, pid ${first.pid}, is inside ${first.function})`;
}

function refuseBusy(
  engine: Engine,
  state: LoadedUpdate,
  verb: (typeof VERBS)[RequestedStage],
  attempts: number,
  { nudge }: Persistence,
): Error {
  if (state.abortCause !== "code_busy")
    return coreRefused(
      state.id,
      verb,
      state.abortCause,
      state.conflicts.map((conflict) => `${conflict.task} (pid ${conflict.pid})`).join(", "),
    );
  const conflicts = state.conflicts.map((conflict): Conflict => ({
    ...conflict,
    ...engine.describeTask(conflict.pid),
  }));
  return codeBusy(state.id, verb, attempts, conflicts, nudge === true);
}

/** @returns whether the core did it; the abort cause tells why not */
function requestStage(engine: Engine, id: string, stage: RequestedStage, how: StageOptions): boolean {
  try {
    engine.writeStage(id, stage, how);
    return true;
  } catch {
    return false;
  }
}
