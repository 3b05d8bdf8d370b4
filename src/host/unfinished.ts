import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * Makes a directory to put something together in that takes its own name once it is whole. It bears the number of this process, and what processes left
 * under the same prefix that were killed is deleted.
 * @param parent exists
 */
export async function makeUnfinished(parent: string, prefix: string): Promise<string> {
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (!Number.isNaN(pid) && !isAlive(pid)) await rm(join(parent, name), { recursive: true, force: true });
  }
  return await mkdtemp(join(parent, `${prefix}${process.pid}-`));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user's is alive too.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
