import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isDirectory, isFile, readLatin1 } from "../../host/files.js";
import { requireProgram } from "../../host/refusals.js";
import { runTool } from "../../host/run-tool.js";
import { makeTemporary, removeTemporary } from "../../host/temporary.js";
import { checkPlaces } from "./check-places.js";
import { findStrip, type FoundStrip, type SourceFiles } from "./find-strip.js";
import { parsePatch, stripNames, type FileSection, type PatchedFile } from "./parse-patch.js";
import { emptyPatch, hunkElsewhere, notAPatch, notText, patchDoesNotApply, unknownStrip } from "./refusals.js";
import type { FileChanges } from "./shadow-tree.js";

/** A patch, and how to apply it. */
export interface NamedPatch {
  /** For messages: its file, or its commit. */
  readonly name: string;
  /** As latin1, so bytes survive. */
  readonly text: string;
  /** How many leading components of its file names to strip; undefined: as its files say. */
  readonly strip?: number | undefined;
  /** Further options for the program `patch`. */
  readonly options?: readonly string[];
}

/** A source tree with what the patches before have changed in it. Nothing is written into the tree. */
export class PatchedFiles implements SourceFiles {
  readonly #changed = new Map<string, string | undefined>();

  /** @param held files that are not what they are in the tree */
  constructor(
    readonly source: string,
    readonly held: FileChanges = new Map(),
  ) {}

  async read(path: string): Promise<string | undefined> {
    for (const changed of [this.#changed, this.held]) if (changed.has(path)) return changed.get(path);
    return (await isFile(join(this.source, path))) ? await readLatin1(join(this.source, path)) : undefined;
  }

  async isDirectory(path: string): Promise<boolean> {
    return (
      [...this.held.keys(), ...this.#changed.keys()].some((changed) => changed.startsWith(`${path}/`)) ||
      (await isDirectory(join(this.source, path)))
    );
  }

  set(path: string, text: string | undefined): void {
    this.#changed.set(path, text);
  }

  /** What differs from how it was. */
  async changes(): Promise<FileChanges> {
    const original = new PatchedFiles(this.source, this.held);
    const changes = new Map<string, string | undefined>();
    for (const [path, text] of this.#changed) if (text !== (await original.read(path))) changes.set(path, text);
    return changes;
  }
}

/**
 * Applies a patch to the files, by the program `patch` and once more without it: both must come to the same.
 * @returns what the user should know of how it applies
 * @throws Refusal if it is empty, no patch, does not apply, or may apply in more than one way
 */
export async function applyPatch(files: PatchedFiles, patch: NamedPatch): Promise<string[]> {
  const { name, options = [] } = patch;
  const text = withoutCarriageReturns(patch.text);
  if (text.trim() === "") throw emptyPatch(name);
  const sections = parsePatch(text);
  if (sections.length === 0) throw notAPatch(name);
  for (const section of sections)
    if (section.notText !== undefined) throw notText(name, section.newName ?? section.oldName ?? "", section.notText);
  const { strip, fits } = await chooseStrip(patch, sections, files);
  const patched = stripNames(sections, strip);
  const before = new Map<string, string | undefined>();
  for (const path of patched.flatMap(({ names }) => names)) before.set(path, await files.read(path));

  const { after, words } = await runPatch({ name, text, before, options: [`-p${strip}`, ...formatOption(sections), ...options] });
  // Then it has made files where nothing tells that they belong.
  if (!fits) throw unknownStrip(name);
  const notes = checkPlaces(patched, options, before, after, words);
  for (const [path, content] of after) files.set(path, content);
  return notes;
}

/** With options that turn it round, or change what fits, files do not tell. */
async function chooseStrip(
  { name, strip, options = [] }: NamedPatch,
  sections: readonly FileSection[],
  files: SourceFiles,
): Promise<FoundStrip> {
  if (strip !== undefined || options.length > 0) return { strip: strip ?? 1, fits: true };
  return await findStrip(name, sections, files);
}

/** Mail programs that end all lines of a patch with CR LF do so with its headers too. `patch` sees it so. */
function withoutCarriageReturns(text: string): string {
  return /^(?:--- |diff --git ).*\r$/m.test(text) ? text.replaceAll("\r\n", "\n") : text;
}

/** Tells `patch` not to look for any other format in the text: scripts for ed would be run. */
function formatOption(sections: readonly Pick<PatchedFile, "hunks">[]): string[] {
  const isUnified = (section: Pick<FileSection, "hunks">): boolean => section.hunks !== undefined;
  if (sections.every(isUnified)) return ["-u"];
  return sections.some(isUnified) ? [] : ["-c"];
}

interface PatchRun extends Required<Pick<NamedPatch, "name" | "text" | "options">> {
  readonly before: ReadonlyMap<string, string | undefined>;
}

/** Runs the program `patch` on copies of the files. */
async function runPatch({ name, text, options, before }: PatchRun): Promise<{ after: Map<string, string | undefined>; words: string }> {
  const directory = await makeTemporary("ksplice-patch-");
  try {
    for (const [path, content] of before) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      if (content !== undefined) await writeFile(join(directory, path), content, "latin1");
    }
    // A hunk must find its context unchanged: fuzz would put it where only part of it fits.
    const args = ["-f", "--no-backup-if-mismatch", "-F0", "-r", "-", ...options, "-d", directory];
    const result = await runTool("patch", args, { input: Buffer.from(text, "latin1") });
    if (result.notFound) throw requireProgram("patch", "patch");
    const words = result.stdout + result.stderr;
    if (result.exitCode !== 0) throw patchDoesNotApply(name, words.replaceAll(`${directory}/`, "").trimEnd());
    const after = new Map<string, string | undefined>();
    for (const path of before.keys()) after.set(path, await readLatin1(join(directory, path)));
    for (const path of await filesBelow(directory)) if (!before.has(path)) throw hunkElsewhere(path);
    return { after, words: result.stdout };
  } finally {
    await removeTemporary(directory);
  }
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}
