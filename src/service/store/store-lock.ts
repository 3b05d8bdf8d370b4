import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "../../diagnostics.js";
import { withKernelLock } from "../../host/lock.js";
import { storeDir, type Place } from "../place.js";

/** Changing the store takes milliseconds, so that whoever comes second waits. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 100;

/** Runs `action` while nobody else changes the store. @throws Refusal `locked` where somebody does for a long time */
export async function withStoreLock<T>(place: Place, action: () => Promise<T>): Promise<T> {
  for (let waited = 0; ; waited += PAUSE_MS) {
    const lock = { isHeld: false };
    try {
      return await withKernelLock(async () => {
        lock.isHeld = true;
        return await action();
      }, storeDir(place));
    } catch (error) {
      const isTaken = !lock.isHeld && error instanceof Refusal && error.code === "locked";
      if (!isTaken || waited >= PATIENCE_MS) throw error;
    }
    await sleep(PAUSE_MS);
  }
}
