import { closeSync, openSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { whatOfFile } from "./file-errors.js";
import { cannotLock, locked, toolsAtWork } from "./refusals.js";
import { runWithDescriptor } from "./run-with-descriptor.js";

/** tmpfs, so that nothing survives a reboot. */
const KERNEL_LOCK_DIR = "/run/ksplice";

/** The exit status by which we have flock(1) say that somebody else holds the lock. */
const HELD = 75;

/** How long a module may be about to come or go before we say so. Seconds. */
const TOOLS_PATIENCE_S = 60;

/**
 * Runs `action` while nobody else holds the lock of a directory, which is made where it is missing. The lock is the kernel's own (flock): it goes with this
 * process, however that ends, and cannot be left behind.
 * @throws Refusal `locked` if another command holds it, `cannot-lock`
 */
export async function withLock<T>(action: () => Promise<T>, dir: string): Promise<T> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, "lock");
  return await withOpenFile(path, async (descriptor) => {
    if (!(await lockFile(descriptor, ["--nonblock"], path))) throw locked(path);
    return await action();
  });
}

/**
 * Runs `action` while no other ksplice command changes this kernel, nor a program that one started which was killed.
 * @throws Refusal `locked`, `cannot-lock`
 */
export async function withKernelLock<T>(action: () => Promise<T>, dir = KERNEL_LOCK_DIR, patience = TOOLS_PATIENCE_S): Promise<T> {
  return await withLock(async () => {
    const path = toolLock(dir);
    const ended = await withOpenFile(path, (descriptor) => lockFile(descriptor, ["--timeout", String(patience)], path));
    if (!ended) throw toolsAtWork(path);
    return await action();
  }, dir);
}

/**
 * Runs `action`, which gives the descriptor to a program that changes the kernel: as long as that has it open, {@link withKernelLock} waits, even if this process
 * was killed meanwhile. Only under the kernel's lock.
 * @throws Refusal `cannot-lock`
 */
export async function withToolLock<T>(action: (descriptor: number) => Promise<T>, dir = KERNEL_LOCK_DIR): Promise<T> {
  const path = toolLock(dir);
  return await withOpenFile(path, async (descriptor) => {
    if (!(await lockFile(descriptor, ["--nonblock"], path))) throw toolsAtWork(path);
    return await action(descriptor);
  });
}

function toolLock(dir: string): string {
  return join(dir, "tools.lock");
}

/** Programs that we start do not have it, but for those that it is given to. */
async function withOpenFile<T>(path: string, action: (descriptor: number) => Promise<T>): Promise<T> {
  let descriptor: number;
  try {
    descriptor = openSync(path, "a", 0o600);
  } catch (error) {
    const reason = whatOfFile(error)?.reason;
    throw reason === undefined ? error : cannotLock(path, reason);
  }
  try {
    return await action(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Locks an open file. The lock is that of the open file, which flock(1) shares with us, and stays when that ends.
 * @param how whether it waits
 * @returns false if somebody else holds it
 * @throws Refusal `cannot-lock`
 */
async function lockFile(descriptor: number, how: readonly string[], path: string): Promise<boolean> {
  const { exitCode, words } = await runWithDescriptor("flock", [...how, "--conflict-exit-code", String(HELD), "3"], descriptor);
  if (exitCode === 0) return true;
  if (exitCode === HELD) return false;
  throw cannotLock(path, words);
}
