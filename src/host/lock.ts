import { spawn, type ChildProcess } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { cannotLock, locked } from "./refusals.js";

/** tmpfs, so that nothing survives a reboot. */
const LOCK_DIR = "/run/ksplice";

/** The exit status by which we have flock(1) say that somebody else holds the lock. */
const HELD = 75;

/**
 * Runs `action` while no other ksplice command changes this kernel. The lock is the kernel's own (flock), held by a child that ends when we
 * do, however that happens: it cannot be left behind, and is not lost while we are busy.
 * @throws Refusal `locked` if another command holds it, `cannot-lock`
 */
export async function withKernelLock<T>(action: () => Promise<T>, dir = LOCK_DIR): Promise<T> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const holder = await takeLock(join(dir, "lock"));
  try {
    return await action();
  } finally {
    await releaseLock(holder);
  }
}

async function takeLock(path: string): Promise<ChildProcess> {
  // In a session of its own, so that Ctrl-C on the terminal does not reach it. `cat` ends with its input, and that with us.
  const holder = spawn("flock", ["--nonblock", "--conflict-exit-code", String(HELD), path, "sh", "-c", "echo held; exec cat >/dev/null"], {
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let words = "";
  holder.stderr.on("data", (chunk: Buffer) => (words += chunk.toString()));
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once("data", () => {
      resolve();
    });
    holder.once("error", reject);
    holder.once("close", (status) => {
      reject(status === HELD ? locked(path) : cannotLock(path, words.trim()));
    });
  });
  return holder;
}

async function releaseLock(holder: ChildProcess): Promise<void> {
  await new Promise<void>((resolve) => {
    holder.once("close", () => {
      resolve();
    });
    holder.stdin?.end();
  });
}
