import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Progress } from "../src/diagnostics.js";
import type { KernelRecord } from "../src/tree/kernel-record.js";
import { unifiedDiff } from "../src/kbuild/change/diff-texts.js";
import { fixFromNextSource } from "../examples/archive-fix.js";
import { compileProbe } from "../examples/compile-probe.js";
import type { ExpectedProbes } from "./demo-report.js";

/** A change whose effect a program can see. */
export interface Example {
  readonly title: string;
  /** As `patch -p1` takes it. */
  readonly patch: string;
  /** Shell text for the virtual machine. */
  readonly probe: string;
  readonly expected: ExpectedProbes;
}

export interface ExampleOptions {
  readonly cacheDir: string;
  /** Where the probe program is compiled to. */
  readonly workDir: string;
  readonly progress: Progress;
}

const RAW_SOURCE = "net/ipv4/raw.c";

/**
 * Debian's own fix of raw IP packets whose header claims less than five words.
 * @returns undefined if the archive does not hold that change any more
 */
export async function rawSocketFix(tree: string, kernel: KernelRecord, options: ExampleOptions): Promise<Example | undefined> {
  const fix = await fixFromNextSource(tree, kernel.version, RAW_SOURCE, options);
  // The archive moves on: another change of that file is not what the probe looks at.
  if (fix === undefined || !/^\+.*iphlen < sizeof/m.test(fix.patch)) return undefined;
  return {
    title: `Debian's change to ${RAW_SOURCE} between ${fix.from} and ${fix.to}: a raw packet with a header of less than 5 words`,
    patch: fix.patch,
    probe: await compileProbe("raw-hdrincl", options.workDir),
    expected: { unpatched: "accepted", patched: "EINVAL" },
  };
}

/** An example of our own for when the archive has no such fix: a line more in /proc/version. */
export async function versionLine(tree: string): Promise<Example> {
  const file = "fs/proc/version.c";
  const before = await readFile(join(tree, file), "latin1");
  const after = before.replace(/(version_proc_show\(.*?)(\n\treturn 0;)/s, '$1\n\tseq_puts(m, "patched while it ran\\n");$2');
  if (after === before) throw new Error(`${file} does not look as this example expects`);
  return {
    title: "this project's own example: a line more in /proc/version",
    patch: await unifiedDiff(file, before, after),
    probe: "sed -n 2p /proc/version",
    expected: { unpatched: "", patched: "patched while it ran" },
  };
}
