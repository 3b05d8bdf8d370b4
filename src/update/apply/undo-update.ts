import type { Tell } from "../../events.js";
import { replacedByNewer } from "../../engine/core/refusals.js";
import { alreadyUndone, unknownUpdate } from "./refusals.js";
import { thisSystem, unloadUpdate, type RunningSystem } from "./running-system.js";
import { persistenceOf, switchStage, type Persistence } from "../../engine/core/switch-stage.js";

export interface UndoOptions extends Persistence {
  /** Unload it even where somebody may still have the address of something in it. */
  readonly unload?: boolean;
  /** How long threads are looked at while the machine is stopped, at most. Milliseconds; default 10. */
  readonly stopLimit?: number;
  readonly tell: Tell;
  /** Looked at between the tries. */
  readonly interruption?: AbortSignal;
}

export interface UndoResult {
  readonly id: string;
  /** Nanoseconds that the machine was stopped. */
  readonly stopNs: number;
  readonly attempts: number;
  /** Its code is still in memory: the old code runs, but the kernel may have kept addresses of the new. */
  readonly isResident: boolean;
}

/**
 * Takes an update out of the running kernel. Where none of its addresses can have left it, its modules are unloaded; with the last one, the core.
 * @throws Refusal `unknown-update`, `already-undone`, `replaced-by-newer`, `code-busy`, or the core's abort cause
 */
export async function undoUpdate(id: string, options: UndoOptions, system: RunningSystem = thisSystem()): Promise<UndoResult> {
  const { engine } = system;
  system.requireRoot();
  return await system.locked(async () => {
    const state = engine.readUpdate(id);
    if (state === undefined) throw unknownUpdate(id, engine.listIds());
    if (state.replacedBy.length > 0) throw replacedByNewer(id, state.replacedBy);
    if (state.stage === "resident" && options.unload !== true) throw alreadyUndone(id);
    if (options.stopLimit !== undefined) engine.writeStopLimit(options.stopLimit * 1000);
    let stopNs = 0;
    let attempts = 0;
    let { stage } = state;
    const request = async (what: "reversed" | "released"): Promise<void> => {
      ({
        stage,
        stopNs = 0,
        attempts = 0,
      } = await switchStage(engine, id, what, persistenceOf(options), options.tell, options.interruption));
      options.tell("detail", `${what} ${id} at try ${attempts}, stopped for ${stopNs} ns`);
    };
    if (stage === "applied") {
      options.tell("stage", `undoing ${id}`);
      await request("reversed");
    }
    const undone = { id, stopNs, attempts };
    if (stage === "resident" && options.unload !== true) return { ...undone, isResident: true };
    options.tell("stage", "unloading");
    if (stage === "resident") await request("released");
    await unloadUpdate(system, id);
    return { ...undone, isResident: false };
  });
}
