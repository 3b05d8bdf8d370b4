import { withLock } from "../../host/lock.js";
import { storeDir, type Place } from "../place.js";
import { whenFree } from "../when-free.js";

/** Changing the store takes milliseconds, so that whoever comes second waits. */
const PATIENCE_MS = 10_000;

/** Runs `action` while nobody else changes the store. @throws Refusal `locked` where somebody does for a long time */
export async function withStoreLock<T>(place: Place, action: () => Promise<T>): Promise<T> {
  return await whenFree(async (inside) => await withLock(inside, storeDir(place)), action, PATIENCE_MS);
}
