import { rmSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Directories that are to be gone when the work is done, also if a signal ends it: `finally` does not run then. The process has one set of them, as it has one
 * end; whoever listens to signals, the command, empties it.
 */
// eslint-disable-next-line no-restricted-syntax -- of the process, see above
const directories = new Set<string>();

/** The system's place for temporary files, without links. */
export async function temporaryPlace(): Promise<string> {
  return await realpath(tmpdir());
}

/**
 * @param prefix how the directory's name begins
 * @param parent default: the system's place for temporary files
 * @returns its path, without links where it is in the system's place
 */
export async function makeTemporary(prefix: string, parent?: string): Promise<string> {
  const directory = await mkdtemp(join(parent ?? (await temporaryPlace()), prefix));
  directories.add(directory);
  return directory;
}

/** The same, under a name that nobody else uses at this time: what somebody left there who was killed goes first. Its parent must be ours alone. */
export async function makeTemporaryAt(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  directories.add(directory);
}

/** Deletes a directory that {@link makeTemporary} or {@link makeTemporaryAt} made. Links are not followed. */
export async function removeTemporary(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  directories.delete(directory);
}

/** Deletes all that they made, before the process ends. */
export function removeAllTemporary(): void {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  directories.clear();
}
