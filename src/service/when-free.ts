import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "../diagnostics.js";

type TakeLock = <T>(action: () => Promise<T>) => Promise<T>;

/**
 * Runs `action` with a lock, and waits for it where another command has it.
 * @throws Refusal `locked` once the patience is over
 */
export async function whenFree<T>(take: TakeLock, action: () => Promise<T>, patienceMs: number, pauseMs = 100): Promise<T> {
  for (let waited = 0; ; waited += pauseMs) {
    // What `action` itself refuses is not about this lock.
    const lock = { wasFree: false };
    try {
      return await take(async () => {
        lock.wasFree = true;
        return await action();
      });
    } catch (error) {
      const isTaken = !lock.wasFree && error instanceof Refusal && error.code === "locked";
      if (!isTaken || waited >= patienceMs) throw error;
    }
    await sleep(pauseMs);
  }
}
