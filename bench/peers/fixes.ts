import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { unifiedDiff } from "../../src/kbuild/change/diff-texts.js";

/** A change of one C file, told by what is found there: so no line of the kernel's stands here. */
export interface Fix {
  /** Names the patch, and what is made of it. */
  readonly name: string;
  readonly file: string;
  readonly at: RegExp;
  readonly to: string;
}

/**
 * Each changes one constant, so that the new code costs what the old one did: what a call costs more is what leads it there. The first is a system call's that
 * ends early, so that a program can call it often: `getrlimit` of a limit that does not exist fails in another way.
 */
export const FIRST: Fix = {
  name: "peersfirst",
  file: "kernel/sys.c",
  at: /(?<=^static int do_prlimit\([^}]*?>= RLIM_NLIMITS\)\s+return -)EINVAL/m,
  to: "ERANGE",
};

export const SECOND: Fix = {
  name: "peerssecond",
  file: "kernel/time/itimer.c",
  at: /(?<=^static int do_getitimer\([^]*?default:\s+return\s*\(?-)EINVAL/m,
  to: "ERANGE",
};

/** @returns the fix as `patch -p1` takes it @throws Error where the source does not have what it changes */
export async function patchOf({ file, at, to }: Fix, source: string): Promise<string> {
  const before = await readFile(join(source, file), "latin1");
  const after = before.replace(at, to);
  if (after === before) throw new Error(`${file} has nothing that ${at.source} matches`);
  return await unifiedDiff(file, before, after);
}
