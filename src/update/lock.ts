import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import lockfile from "proper-lockfile";
import { locked } from "./refusals.js";

/** tmpfs, so that a lock never survives a reboot. */
const LOCK_DIR = "/run/ksplice";

/**
 * Runs `action` while no other ksplice command changes this kernel. A lock whose holder died is taken over after ten seconds.
 * @throws Refusal `locked` if another command holds it
 */
export async function withKernelLock<T>(action: () => Promise<T>, dir = LOCK_DIR): Promise<T> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const lockPath = join(dir, "lock");
  let release: () => Promise<void>;
  try {
    release = await lockfile.lock(dir, {
      lockfilePath: lockPath,
      stale: 10_000,
      retries: { retries: 5, minTimeout: 200, maxTimeout: 1000 },
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ELOCKED") throw locked(lockPath);
    throw error;
  }
  try {
    return await action();
  } finally {
    await release();
  }
}
