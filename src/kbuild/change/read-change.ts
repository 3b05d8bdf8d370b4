import { readFile, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { isMissing, readLatin1 } from "../../host/files.js";
import { applyPatch, PatchedFiles, type NamedPatch } from "./apply-patch.js";
import { describeChange } from "./describe-change.js";
import { findCves } from "./find-cves.js";
import { readCommits, type CommitChoice } from "./read-commits.js";
import { newestTime, readSeries } from "./read-series.js";
import { diffextFindsNothing, noSuchPatch } from "./refusals.js";
import type { FileChanges } from "./shadow-tree.js";
import { splitMails } from "./split-mails.js";

/** How the program `patch` is to take a patch. */
interface PatchHow {
  /** How many leading components of its file names to strip. Default: as its files say. */
  readonly strip?: number | undefined;
  /** Options for the program `patch`; one of them may be `-pN`. */
  readonly patchOptions?: readonly string[] | undefined;
}

/** What the user wants changed. Several patches are applied one after the other. */
export type Change =
  /** Each file is a patch, or a mailbox of patches. */
  | ({ readonly patchFile: string | readonly string[] } & PatchHow)
  | ({ readonly patch: string } & PatchHow)
  /** A list of patches as quilt keeps it, or its directory. */
  | ({ readonly series: string } & PatchHow)
  | CommitChoice
  /** Every file that ends in it holds the changed version of the file without it. */
  | { readonly diffext: string };

/** What a change makes of the files that it touches. */
export interface ReadChange {
  /** New contents as latin1, so bytes survive. Files that stay as they are are left out. */
  readonly files: FileChanges;
  /** What the user should know of how the patch applies. */
  readonly notes: readonly string[];
  /** What it says of itself, on one line: messages of commits and mails, else what it is called. */
  readonly description: string;
  /** What it says that it fixes: CVE ids in messages and patches. */
  readonly cves: readonly string[];
  /** When it was made. */
  readonly made: Date;
}

/**
 * Reads a change and applies it to copies of the files that it names.
 * @param held files that are not what they are in the source
 * @throws Refusal if a patch is missing, empty, no patch, does not apply, or may apply in more than one way
 */
export async function readChange(source: string, change: Change, held: FileChanges = new Map()): Promise<ReadChange> {
  const files = new PatchedFiles(source, held);
  if ("diffext" in change) return await readDiffext(files, change.diffext);
  const { patches, messages, name, made } = await readPatches(source, change);
  const notes: string[] = [];
  for (const patch of patches) {
    const found = await applyPatch(files, patch);
    notes.push(...found.map((note) => (patches.length === 1 ? note : `${patch.name}: ${note}`)));
  }
  return {
    files: await files.changes(),
    notes,
    description: describeChange(messages, name),
    cves: findCves([...messages, ...patches.map(aboutPatch)]),
    made,
  };
}

/** What stands before a patch's first file, which tools leave alone: changed lines may name a CVE that was fixed long ago. */
function aboutPatch({ text }: NamedPatch): string {
  return /^(?:diff -|Index: |--- \S)/m.test(text) ? (text.split(/^(?:diff -|Index: |--- \S)/m)[0] ?? "") : "";
}

interface Patches {
  readonly patches: readonly NamedPatch[];
  readonly messages: readonly (string | undefined)[];
  /** What they are called, for those that say nothing of themselves. */
  readonly name: string;
  readonly made: Date;
}

async function readPatches(source: string, change: Exclude<Change, { readonly diffext: string }>): Promise<Patches> {
  if ("git" in change) {
    const commits = await readCommits(source, change);
    const made = new Date(Math.max(...commits.map(({ committed }) => committed.getTime())));
    return { patches: commits, messages: commits.map(({ message }) => message), name: change.git, made };
  }
  const { strip, rest } = readPatchOptions(change.patchOptions ?? []);
  const how = { strip: change.strip ?? strip, options: rest };
  if ("patch" in change) return collect([mailsOf("the patch", change.patch, how)], "the patch", new Date(0));
  if ("series" in change) {
    const entries = await readSeries(change.series);
    const read = entries.map(async (entry) => {
      const options = entry.isReversed ? [...rest, "-R"] : rest;
      return mailsOf(entry.path, await readPatchFile(entry.path), { strip: entry.strip ?? how.strip, options });
    });
    const groups = await Promise.all(read);
    return collect(groups, basename(change.series), await newestTime(entries.map(({ path }) => path)));
  }
  const paths = typeof change.patchFile === "string" ? [change.patchFile] : change.patchFile;
  const groups = await Promise.all(paths.map(async (path) => mailsOf(path, await readPatchFile(path), how)));
  return collect(groups, paths.map((path) => basename(path)).join(", "), await newestTime(paths));
}

interface Mailed {
  readonly patch: NamedPatch;
  readonly message: string | undefined;
}

/** The patches of one file. A series that goes backwards goes from the last. */
function mailsOf(name: string, text: string, how: Pick<NamedPatch, "strip" | "options">): Mailed[] {
  const mails = splitMails(name, text);
  const named = mails.map((mail, index) => ({
    patch: { name: mails.length === 1 ? name : `${name}, mail ${index + 1}`, text: mail.text, ...how },
    message: mail.message,
  }));
  return how.options?.some((option) => option === "-R" || option === "--reverse") === true ? named.reverse() : named;
}

function collect(groups: readonly (readonly Mailed[])[], name: string, made: Date): Patches {
  const all = groups.flat();
  return { patches: all.map(({ patch }) => patch), messages: all.map(({ message }) => message), name, made };
}

/** Takes `-pN`, `-p N`, `--strip=N` out of the options of patch. */
export function readPatchOptions(options: readonly string[]): { strip: number | undefined; rest: string[] } {
  const rest: string[] = [];
  let strip: number | undefined;
  for (let index = 0; index < options.length; index++) {
    const option = options[index] ?? "";
    const isApart = /^(?:-p|--strip)$/.test(option) && /^\d+$/.test(options[index + 1] ?? "");
    const [, value] = isApart ? [option, options[++index]] : (/^(?:-p ?|--strip[= ])(\d+)$/.exec(option) ?? []);
    if (value === undefined) rest.push(option);
    else strip = Number(value);
  }
  return { strip, rest };
}

async function readPatchFile(path: string): Promise<string> {
  try {
    return await readFile(path, "latin1");
  } catch (error) {
    if (isMissing(error)) throw noSuchPatch(path);
    throw error;
  }
}

async function readDiffext(files: PatchedFiles, extension: string): Promise<ReadChange> {
  const { source } = files;
  const changes = new Map<string, string | undefined>();
  let found = 0;
  for await (const path of walk(source, "")) {
    if (!path.endsWith(extension) || path.length === extension.length) continue;
    found++;
    const changed = path.slice(0, -extension.length);
    const content = await readLatin1(join(source, path));
    if (content !== (await files.read(changed))) changes.set(changed, content);
  }
  if (found === 0) throw diffextFindsNothing(source, extension);
  return { files: changes, notes: [], description: `changes in *${extension}`, cves: [], made: (await stat(source)).mtime };
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
