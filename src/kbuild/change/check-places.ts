import { placeHunks } from "./locate-hunks.js";
import type { Hunk, PatchedFile } from "./parse-patch.js";
import { ambiguousHunk, hunkElsewhere, hunkPlaceUnknown } from "./refusals.js";

type Texts = ReadonlyMap<string, string | undefined>;

/**
 * Checks what the program `patch` has made of the files: each hunk is placed once more, and the outcome must be the same.
 * @param before all files that the patch names, and what they were
 * @param after what `patch` has made of them
 * @param words what `patch` has said
 * @returns a note for each hunk that is not where it says
 * @throws Refusal `ambiguous-hunk` where one may belong elsewhere too, or that cannot be told
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
    return [];
  }
  const texts = new Map(before);
  const notes: string[] = [];
  for (const { names, hunks = [] } of files) {
    const [from = "", to = from] = findNames(names, texts, known.reverse);
    const text = texts.get(from);
    const placement = placeHunks(from, text ?? "", known.reverse ? hunks.map(reversed) : hunks);
    if (placement.kind === "ambiguous") throw ambiguousHunk(from, placement.hunk, placement.lines);
    if (placement.kind === "nowhere") throw hunkElsewhere(from);
    notes.push(...placement.notes);
    texts.set(to, placement.text);
  }
  for (const [path, text] of texts) {
    const made = after.get(path);
    // A file that is gone, or was renamed, is `patch`'s to say.
    if (made !== undefined && made !== text) throw hunkElsewhere(path);
  }
  return notes;
}

/** The file that a section is about, and what it becomes. Of two names, one is that of a copy that somebody made, or the file is renamed. */
function findNames(names: readonly string[], texts: Texts, reverse: boolean): readonly string[] {
  const there = names.filter((name) => texts.get(name) !== undefined);
  if (names.length < 2) return names;
  const ordered = reverse ? [...names].reverse() : names;
  const [only] = there;
  return there.length === 1 && only !== undefined && only !== ordered[0] ? [only] : ordered;
}

const reversed = (hunk: Hunk): Hunk => ({ oldStart: hunk.newStart, newStart: hunk.oldStart, old: hunk.new, new: hunk.old });

/** Undefined where an option changes what fits. */
function readOptions(options: readonly string[]): { reverse: boolean } | undefined {
  let reverse = false;
  for (const [index, option] of options.entries()) {
    if (/^(?:-p\d+|--strip=\d+|-p|--strip)$/.test(option) || (/^\d+$/.test(option) && /^(?:-p|--strip)$/.test(options[index - 1] ?? "")))
      continue;
    if (option !== "-R" && option !== "--reverse") return undefined;
    reverse = true;
  }
  return { reverse };
}
