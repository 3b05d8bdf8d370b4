import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isMissing } from "../../host/files.js";
import { findStrip, parsePatchedFiles } from "./parse-patch.js";
import { requireProgram } from "../../host/refusals.js";
import { diffextFindsNothing, emptyPatch, noSuchPatch, notAPatch, patchDoesNotApply } from "./refusals.js";
import { checkPlaces } from "./check-places.js";
import { runTool } from "../../host/run-tool.js";
import type { FileChanges } from "./shadow-tree.js";
import { makeTemporary, removeTemporary } from "../../host/temporary.js";
import { readLatin1 } from "../../host/files.js";

/** What the user wants changed. */
export type Change =
  | {
      readonly patchFile: string;
      /** Options for the program `patch`; default `-p1`. */
      readonly patchOptions?: readonly string[];
    }
  | { readonly patch: string; readonly patchOptions?: readonly string[] }
  /** Every file that ends in it holds the changed version of the file without it. */
  | { readonly diffext: string };

/** What a change makes of the files that it touches. */
export interface ReadChange {
  /** New contents as latin1, so bytes survive. Files that stay as they are are left out. */
  readonly files: FileChanges;
  /** What the user should know of how the patch applies. */
  readonly notes: readonly string[];
}

/**
 * Reads a change and applies it to copies of the files that it names.
 * @throws Refusal if the patch is missing, empty, no patch, does not apply, or may apply at more than one place
 */
export async function readChange(source: string, change: Change): Promise<ReadChange> {
  if ("diffext" in change) return { files: await readDiffext(source, change.diffext), notes: [] };
  const name = "patchFile" in change ? change.patchFile : "the patch";
  const patch = "patchFile" in change ? await readPatchFile(change.patchFile) : change.patch;
  return await applyPatch(source, name, patch, change.patchOptions ?? ["-p1"]);
}

async function readPatchFile(path: string): Promise<string> {
  try {
    return await readFile(path, "latin1");
  } catch (error) {
    if (isMissing(error)) throw noSuchPatch(path);
    throw error;
  }
}

async function applyPatch(source: string, name: string, patch: string, options: readonly string[]): Promise<ReadChange> {
  if (patch.trim() === "") throw emptyPatch(name);
  const files = parsePatchedFiles(patch, findStrip(options));
  if (files.length === 0) throw notAPatch(name);
  const paths = [...new Set(files.flatMap((file) => file.names))];

  const directory = await makeTemporary(join(tmpdir(), "ksplice-patch-"));
  try {
    const before = new Map<string, string | undefined>();
    for (const path of paths) {
      const content = await readLatin1(join(source, path));
      before.set(path, content);
      await mkdir(dirname(join(directory, path)), { recursive: true });
      if (content !== undefined) await writeFile(join(directory, path), content, "latin1");
    }
    // A hunk must find its context unchanged: fuzz would put it where only part of it fits.
    const args = ["-f", "--no-backup-if-mismatch", "-F0", "-r", "-", ...options, "-d", directory];
    const result = await runTool("patch", args, { input: Buffer.from(patch, "latin1") });
    if (result.notFound) throw requireProgram("patch", "patch");
    if (result.exitCode !== 0) throw patchDoesNotApply(name, (result.stdout + result.stderr).replaceAll(`${directory}/`, "").trimEnd());
    const changes = new Map<string, string | undefined>();
    const after = new Map<string, string | undefined>();
    for (const path of paths) {
      const content = await readLatin1(join(directory, path));
      if (content !== before.get(path)) changes.set(path, content);
      after.set(path, content);
    }
    return { files: changes, notes: checkPlaces(files, options, before, after, result.stdout) };
  } finally {
    await removeTemporary(directory);
  }
}

async function readDiffext(source: string, extension: string): Promise<FileChanges> {
  const changes = new Map<string, string | undefined>();
  let found = 0;
  for await (const path of walk(source, "")) {
    if (!path.endsWith(extension) || path.length === extension.length) continue;
    found++;
    const changed = path.slice(0, -extension.length);
    const content = await readLatin1(join(source, path));
    if (content !== (await readLatin1(join(source, changed)))) changes.set(changed, content);
  }
  if (found === 0) throw diffextFindsNothing(source, extension);
  return changes;
}

/** Directories that are no part of the source. */
const NOT_WALKED: ReadonlySet<string> = new Set([".git", "ksplice", "Documentation"]);

async function* walk(source: string, directory: string): AsyncGenerator<string> {
  for (const entry of await readdir(join(source, directory), { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && !(directory === "" && NOT_WALKED.has(entry.name))) yield* walk(source, path);
    else if (entry.isFile()) yield path;
  }
}
