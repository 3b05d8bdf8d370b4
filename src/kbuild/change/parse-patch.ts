import { unsafePatchPath } from "./refusals.js";

/** One hunk of a unified diff. Lines are told with the newline that ends them. */
export interface Hunk {
  /** Number of its first line in the old file, from 1; where it has no line of the old file, of the line before it. */
  readonly oldStart: number;
  /** The same of the new file. */
  readonly newStart: number;
  readonly old: readonly string[];
  readonly new: readonly string[];
}

/** One file section of a patch. */
export interface PatchedFile {
  /** The names that it mentions, after stripping; `/dev/null` is left out. */
  readonly names: readonly string[];
  /** Of a unified diff; undefined for hunks of another format. */
  readonly hunks: readonly Hunk[] | undefined;
}

/** While a patch is read. */
interface Section {
  readonly names: string[];
  readonly hunks: OpenHunk[];
  isUnified: boolean;
}

interface OpenHunk extends Hunk {
  readonly old: string[];
  readonly new: string[];
  /** The sides that the line before belongs to. */
  last: string[][];
}

/**
 * Finds which files a patch touches, and where. Understands unified diffs, of context diffs the names, and git's extended headers (renames, new and
 * deleted files).
 * @param strip how many leading components `patch -pN` takes off
 * @throws Refusal for a path that leaves the tree
 */
export function parsePatchedFiles(patch: string, strip: number): PatchedFile[] {
  const files: Section[] = [];
  let inHunk = { old: 0, new: 0 };
  let section: Section | undefined;
  /** The same as long as no hunk of it was seen. */
  let header: Section | undefined;
  for (const line of patch.split("\n")) {
    if (inHunk.old > 0 || inHunk.new > 0) {
      inHunk = countHunkLine(inHunk, line);
      addHunkLine(section?.hunks.at(-1), line);
      continue;
    }
    // It belongs to the last line of the hunk before it.
    if (line.startsWith("\\")) addHunkLine(section?.hunks.at(-1), line);
    const hunk = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (hunk !== null) {
      inHunk = { old: Number(hunk[2] ?? 1), new: Number(hunk[4] ?? 1) };
      section?.hunks.push({ oldStart: Number(hunk[1]), newStart: Number(hunk[3]), old: [], new: [], last: [] });
      header = undefined;
      continue;
    }
    if (line.startsWith("diff --git ")) {
      section = header = openSection(files);
      continue;
    }
    const named = /^(---|\+\+\+|\*\*\*|rename from|rename to|copy from|copy to) (.*)$/.exec(line);
    if (named === null) continue;
    const [, kind = "", rest = ""] = named;
    // In a context diff these open a hunk and name no file.
    if (/^\d+(,\d+)? (----|\*\*\*\*)$/.test(rest)) continue;
    section = header ??= openSection(files);
    if (kind === "***") section.isUnified = false;
    const name = nameOf(rest, /^(rename|copy)/.test(kind) ? 0 : strip);
    if (name !== undefined && !section.names.includes(name)) section.names.push(name);
  }
  return files
    .filter(({ names }) => names.length > 0)
    .map(({ names, hunks, isUnified }) => ({ names, hunks: isUnified ? hunks.map(withoutState) : undefined }));
}

function openSection(files: Section[]): Section {
  const section: Section = { names: [], hunks: [], isUnified: true };
  files.push(section);
  return section;
}

const withoutState = ({ oldStart, newStart, old, new: post }: OpenHunk): Hunk => ({ oldStart, newStart, old, new: post });

function addHunkLine(hunk: OpenHunk | undefined, line: string): void {
  if (hunk === undefined) return;
  if (line.startsWith("\\")) {
    // "\ No newline at end of file" speaks of the line before it.
    for (const side of hunk.last) side.push((side.pop() ?? "").slice(0, -1));
    hunk.last = [];
    return;
  }
  hunk.last = line.startsWith("-") ? [hunk.old] : line.startsWith("+") ? [hunk.new] : [hunk.old, hunk.new];
  // Mail programs take the blank from an empty line of context, and `patch` does not mind.
  for (const side of hunk.last) side.push(`${line.slice(1)}\n`);
}

function countHunkLine(left: { old: number; new: number }, line: string): { old: number; new: number } {
  if (line.startsWith("\\")) return left;
  if (line.startsWith("-")) return { old: left.old - 1, new: left.new };
  if (line.startsWith("+")) return { old: left.old, new: left.new - 1 };
  return { old: left.old - 1, new: left.new - 1 };
}

function nameOf(rest: string, strip: number): string | undefined {
  // A time stamp follows a tab; git quotes unusual names, which no kernel file has.
  const name = rest.split("\t")[0]?.trimEnd() ?? "";
  if (name === "/dev/null" || name === "") return undefined;
  const parts = name.split(/\/+/);
  if (name.startsWith("/") && strip === 0) throw unsafePatchPath(name);
  const stripped = parts.slice(strip);
  if (parts.includes("..") || stripped.length === 0) throw unsafePatchPath(name);
  return stripped.filter((part) => part !== ".").join("/");
}

/** What `-pN`, `-p N`, `--strip=N` among the options of patch says; 1 where none of them is there. */
export function findStrip(options: readonly string[]): number {
  const [, value] = /(?:^| )(?:-p ?|--strip[= ])(\d+)/.exec(options.join(" ")) ?? [];
  return value === undefined ? 1 : Number(value);
}
