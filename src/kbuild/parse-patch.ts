import { unsafePatchPath } from "./refusals.js";

/** The names one file section of a patch mentions, after stripping; `/dev/null` is left out. */
export interface PatchedFile {
  readonly names: readonly string[];
}

/**
 * Finds which files a patch touches. Understands unified and context diffs and git's extended headers (renames, new and deleted files).
 * @param strip how many leading components `patch -pN` takes off
 * @throws Refusal for a path that leaves the tree
 */
export function parsePatchedFiles(patch: string, strip: number): PatchedFile[] {
  const files: string[][] = [];
  let inHunk = { old: 0, new: 0 };
  let header: string[] | undefined;
  for (const line of patch.split("\n")) {
    if (inHunk.old > 0 || inHunk.new > 0) {
      inHunk = countHunkLine(inHunk, line);
      continue;
    }
    const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line);
    if (hunk !== null) {
      inHunk = { old: Number(hunk[1] ?? 1), new: Number(hunk[2] ?? 1) };
      header = undefined;
      continue;
    }
    if (line.startsWith("diff --git ")) {
      header = [];
      files.push(header);
      continue;
    }
    const named = /^(---|\+\+\+|\*\*\*|rename from|rename to|copy from|copy to) (.*)$/.exec(line);
    if (named === null) continue;
    const [, kind = "", rest = ""] = named;
    // In a context diff these open a hunk and name no file.
    if (/^\d+(,\d+)? (----|\*\*\*\*)$/.test(rest)) continue;
    if (header === undefined) {
      header = [];
      files.push(header);
    }
    const name = nameOf(rest, /^(rename|copy)/.test(kind) ? 0 : strip);
    if (name !== undefined && !header.includes(name)) header.push(name);
  }
  return files.filter((names) => names.length > 0).map((names) => ({ names }));
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
