import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readSourceFiles } from "../src/distro/debian/debian-source.js";
import type { ArchivePlace } from "../src/distro/distro.js";
import { isFile } from "../src/host/files.js";
import { unifiedDiff } from "../src/kbuild/change/diff-texts.js";
import { CORE_FILES } from "./core-files.js";
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

/** So many changes are looked at, the smallest first: what a live patch must not change is refused. */
const MOST_FIXES = 8;

/**
 * Debian's own changes of single files, each with a line of ours in /proc/version by which a program sees that the update is in. Smallest first.
 * @param tree a prepared tree
 * @param fixedIn version of the source that has the changes
 */
export async function archiveExamples(tree: string, from: string, fixedIn: string, place: ArchivePlace): Promise<Example[]> {
  const files: string[] = [];
  for (const file of CORE_FILES) if (await isFile(join(tree, file))) files.push(file);
  const fixed = await readSourceFiles(fixedIn, files, place);
  const fixes: { file: string; patch: string }[] = [];
  for (const [file, content] of fixed) {
    const before = await readFile(join(tree, file), "latin1");
    const patch = await unifiedDiff(file, before, Buffer.from(content).toString("latin1"));
    if (patch !== "") fixes.push({ file, patch });
  }
  fixes.sort((a, b) => a.patch.length - b.patch.length);
  return await Promise.all(
    fixes.slice(0, MOST_FIXES).map(async ({ file, patch }) => {
      const line = await versionLine(tree, `${file} of ${fixedIn}`);
      const title = `Debian's change to ${file} between ${from} and ${fixedIn}, and a line more in /proc/version that names it`;
      return { ...line, title, patch: `${patch}${line.patch}` };
    }),
  );
}

/** An example of our own for when the archive has no fix: a line more in /proc/version. */
export async function ownExample(tree: string): Promise<Example> {
  return await versionLine(tree, "an example");
}

/** @param what goes into a C string as it is */
async function versionLine(tree: string, what: string): Promise<Example> {
  const file = "fs/proc/version.c";
  const line = `patched while it ran: ${what}`;
  const before = await readFile(join(tree, file), "latin1");
  const after = before.replace(/(version_proc_show\(.*?)(\n\treturn 0;)/s, `$1\n\tseq_puts(m, "${line}\\n");$2`);
  if (after === before) throw new Error(`${file} does not look as this example expects`);
  return {
    title: "this project's own example: a line more in /proc/version",
    patch: await unifiedDiff(file, before, after),
    probe: "sed -n 2p /proc/version",
    expected: { unpatched: "", patched: line },
  };
}
