import { placeHunks } from "./locate-hunks.js";
import type { FileFate, Hunk, PatchedFile } from "./parse-patch.js";
import { ambiguousHunk, fileExists, hunkElsewhere, hunkPlaceUnknown } from "./refusals.js";

type Texts = ReadonlyMap<string, string | undefined>;

/**
 * Checks what the program `patch` has made of the files: each section is applied once more, and the outcome must be the same.
 * @param before all files that the patch names, and what they were
 * @param after what `patch` has made of them
 * @param words what `patch` has said
 * @returns a note for each hunk that is not where it says
 * @throws Refusal `ambiguous-hunk` where one may belong elsewhere too, or that cannot be told; `file-exists`
 */
export function checkPlaces(
  files: readonly PatchedFile[],
  options: readonly string[],
  before: Texts,
  after: Texts,
  words: string,
): string[] {
  const known = readOptions(options);
  const first = files[0]?.names[0] ?? "";
  if (known === undefined || files.some(({ hunks }) => hunks === undefined)) {
    // Other formats, other rules of what fits: then only what stands where it says is certain, if `patch` may say so.
    const isSilent = options.some((option) => /^(?:-[a-zA-Z]*s|--(?:quiet|silent)$)/.test(option));
    if (isSilent || /^Hunk #\d+ .*(?:\(offset |with fuzz )/m.test(words)) throw hunkPlaceUnknown(first);
    for (const { fate, names } of files) if (fate === "add") for (const name of names) refuseExisting(before, name);
    return [];
  }
  const texts = new Map(before);
  const notes: string[] = [];
  for (const file of files) notes.push(...applySection(known.reverse ? reversed(file) : file, before, texts));
  for (const [path, text] of texts) if (after.get(path) !== text) throw hunkElsewhere(path);
  return notes;
}

/** @param texts is changed */
function applySection({ fate, isGit, hunks = [], names }: PatchedFile, before: Texts, texts: Map<string, string | undefined>): string[] {
  const [from = "", to = from] = fate === "change" && !isGit ? findNames(names, texts) : names;
  const isTwo = fate === "rename" || fate === "copy";
  // What git renames or copies does so from what was there before the patch, in whatever order the sections stand.
  const text = isTwo ? before.get(from) : texts.get(from);
  if (fate === "add" || isTwo) refuseExisting(texts, to);
  const placement = placeHunks(from, text ?? "", hunks);
  if (placement.kind === "ambiguous") throw ambiguousHunk(from, placement.hunk, placement.lines);
  if (placement.kind === "nowhere") throw hunkElsewhere(from);
  if (fate === "delete" && placement.text !== "") throw hunkElsewhere(from);
  // A file that is not there is made by hunks only.
  const isMade = text !== undefined || fate === "add" || hunks.length > 0;
  if (fate === "rename" || fate === "delete") texts.set(from, undefined);
  if (fate !== "delete" && isMade) texts.set(to, placement.text);
  return [...placement.notes];
}

function refuseExisting(texts: Texts, path: string): void {
  if (texts.get(path) !== undefined) throw fileExists(path);
}

/** The file that a section is about, and what it becomes. Of two names, one is that of a copy that somebody made, or the file is renamed. */
function findNames(names: readonly string[], texts: Texts): readonly string[] {
  const there = names.filter((name) => texts.get(name) !== undefined);
  if (names.length < 2) return names;
  const [only] = there;
  return there.length === 1 && only !== undefined && only !== names[0] ? [only] : names;
}

/** A copy backwards is the end of it. */
const REVERSED: Readonly<Record<FileFate, FileFate>> = { change: "change", add: "delete", delete: "add", rename: "rename", copy: "delete" };

function reversed(file: PatchedFile): PatchedFile {
  const names = file.fate === "copy" ? file.names.slice(1) : [...file.names].reverse();
  return { ...file, fate: REVERSED[file.fate], names, hunks: file.hunks?.map(reversedHunk) };
}

const reversedHunk = (hunk: Hunk): Hunk => ({ oldStart: hunk.newStart, newStart: hunk.oldStart, old: hunk.new, new: hunk.old });

/** Undefined where an option changes what fits. */
function readOptions(options: readonly string[]): { reverse: boolean } | undefined {
  if (options.some((option) => option !== "-R" && option !== "--reverse")) return undefined;
  return { reverse: options.length > 0 };
}
