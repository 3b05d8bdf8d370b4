import { spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const PREFIX = "ksplice-test-";
/** Where files lie in memory. */
const MEMORY = "/dev/shm";
/** What it must have room for. Bytes. */
const ROOM = 4 * 1024 ** 3;

/** A place for all that a run puts into the temporary folder, tests, compilers and ksplice itself: it goes as a whole. */
export default function setUp(): () => void {
  const before = process.env["TMPDIR"];
  // Each project of a run calls this; one place is enough for all of them.
  if (before !== undefined && basename(before).startsWith(PREFIX)) return () => undefined;
  const directory = mkdtempSync(join(realpathSync(tmpdir()), PREFIX));
  const inMemory = makeInMemory();
  process.env["TMPDIR"] = directory;
  if (inMemory !== undefined) process.env["KSPLICE_TEST_MEMORY"] = inMemory;
  return () => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    delete process.env["KSPLICE_TEST_MEMORY"];
    for (const place of [directory, inMemory]) if (place !== undefined) rmSync(place, { recursive: true, force: true });
  };
}

/** A place in memory, where that has room and lets programs run: the unit tests make tens of thousands of small files. test/support/use-memory.ts has them use it. */
function makeInMemory(): string | undefined {
  let directory: string | undefined;
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    if (bavail * bsize < ROOM) return undefined;
    directory = mkdtempSync(join(MEMORY, PREFIX));
    const program = join(directory, "program");
    writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
    if (spawnSync(program).status === 0) return directory;
  } catch {
    // There is none, or it is not ours to write to.
  }
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  return undefined;
}
