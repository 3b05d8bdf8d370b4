import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";

/**
 * Directories that are to be gone when the work is done, also if Ctrl-C or a signal ends it: `finally` does not run then.
 */
const directories = new Set<string>();

/** Those that end a program unless it says otherwise. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** @param prefix the path's beginning, as for mkdtemp */
export async function makeTemporary(prefix: string): Promise<string> {
  const directory = await mkdtemp(prefix);
  if (directories.size === 0) for (const signal of SIGNALS) process.on(signal, endBySignal);
  directories.add(directory);
  return directory;
}

/** Deletes a directory that {@link makeTemporary} made. Links are not followed. */
export async function removeTemporary(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  if (directories.delete(directory) && directories.size === 0) for (const signal of SIGNALS) process.off(signal, endBySignal);
}

function endBySignal(signal: NodeJS.Signals): void {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  for (const other of SIGNALS) process.off(other, endBySignal);
  // The exit status is to say what ended us; with another listener left, the signal would end nobody.
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
