import { join } from "node:path";
import type { Tell } from "../../src/events.js";
import type { BuildRoot } from "../../src/host/build-root.js";
import { readTextIfThere } from "../../src/host/files.js";
import { runTool } from "../../src/host/run-tool.js";
import type { PatchedKernel } from "./small-kernel.js";

/** What a tool works with. */
export interface Workplace {
  readonly kernel: PatchedKernel;
  /** In which all tools run. */
  readonly root: BuildRoot;
  /** The tool's own: all that it leaves is there. */
  readonly directory: string;
  /** What all programs that ran in it have taken of processors. */
  readonly spent: { seconds: number };
  readonly tell: Tell;
}

/** A tool that makes updates of patches. */
export interface Peer {
  readonly name: PeerName;
  /** What the first update is made from, and what of it the second finds; ends a sentence of the documentation. */
  readonly means: string;
  version(place: Workplace): Promise<string>;
  /** What a user of the tool has before: source and configuration. Not counted. */
  prepare(place: Workplace): Promise<void>;
  /**
   * @param patch a file
   * @param name what the update is called
   * @param second an update was made here before
   * @returns the file that is handed to a machine
   * @throws ToolFailed
   */
  build(place: Workplace, patch: string, name: string, second: boolean): Promise<string>;
  /** The directories that hold what the tool wants for itself: its copy of the source where it takes none that others use, what it has built, and what it keeps. */
  disk(place: Workplace): readonly string[];
}

export const PEER_NAMES = ["kpatch-build", "klp-build", "ksplice"] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** The tool could not make the update. */
export class ToolFailed extends Error {
  override readonly name = "ToolFailed";
}

/** $1 gets what the program and all that it waited for have taken (`times` in POSIX: user and system, the shell's own, then its children's). */
const COUNTED = 'out=$1; shift; "$@"; status=$?; times >"$out"; exit $status';

/** Runs a program in the workplace's root, and counts what it takes. @returns what it prints @throws ToolFailed with what it said */
export async function run(
  place: Workplace,
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const times = join(place.directory, "times");
  const { exitCode, stdout, stderr } = await runTool("sh", ["-c", COUNTED, "sh", times, program, ...args], {
    root: place.root,
    cwd: place.directory,
    ...options,
  });
  place.spent.seconds += secondsOf((await readTextIfThere(times)) ?? "");
  if (exitCode !== 0) throw new ToolFailed(`${stdout}${stderr}`.trim());
  return stdout;
}

/** All that `times` says: `0m0.010s 1m2.500s`, two lines of it. */
export function secondsOf(times: string): number {
  return Array.from(times.matchAll(/(\d+)m([\d.]+)s/g)).reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  );
}
