import { placeHunks } from "./locate-hunks.js";
import { hasGitPrefixes, stripNames, type FileSection, type PatchedFile } from "./parse-patch.js";
import { ambiguousStrip } from "./refusals.js";

/** How a patch's files are looked at before it is applied. */
export interface SourceFiles {
  /** As latin1; undefined where there is no such file. */
  readonly read: (path: string) => Promise<string | undefined>;
  readonly isDirectory: (path: string) => Promise<boolean>;
}

/** As `diff -r` and git name files. */
const USUAL = 1;

export interface FoundStrip {
  readonly strip: number;
  /** Whether the files that it names are there. Where none fits, the usual one stands for it: applying it says then what does not. */
  readonly fits: boolean;
}

/**
 * How many leading components of its file names a patch wants stripped (`patch -pN`): what fits the files, and where more than that does, what git's
 * prefixes say.
 * @param name of the patch, for messages
 * @throws Refusal `ambiguous-strip` where it fits in two ways
 */
export async function findStrip(name: string, sections: readonly FileSection[], files: SourceFiles): Promise<FoundStrip> {
  const depths = sections.flatMap(({ oldName, newName }) => [oldName, newName]).map((path) => path?.split("/").length ?? Infinity);
  const most = Math.min(...depths);
  const fits: number[] = [];
  for (let strip = 0; strip < most; strip++) if (await fitsWith(strip, sections, files)) fits.push(strip);
  const [only = USUAL] = fits;
  if (fits.length < 2) return { strip: only, fits: fits.length === 1 };
  if (!fits.includes(USUAL) || !hasGitPrefixes(sections)) throw ambiguousStrip(name, fits);
  return { strip: USUAL, fits: true };
}

async function fitsWith(strip: number, sections: readonly FileSection[], files: SourceFiles): Promise<boolean> {
  // Only the top of a path that nothing is stripped of may be empty.
  if (strip === 0 && sections.some(({ oldName, newName }) => (oldName ?? newName)?.startsWith("/"))) return false;
  const isTopNamed = strip === 0 || (strip === USUAL && hasGitPrefixes(sections));
  const seen = new Set<string>();
  for (const file of stripNames(sections, strip)) {
    // What an earlier section made of a file is not known here.
    const isFirst = file.names.every((path) => !seen.has(path));
    for (const path of file.names) seen.add(path);
    if (isFirst && !(await sectionFits(file, isTopNamed, files))) return false;
  }
  return true;
}

async function sectionFits({ fate, names, hunks = [] }: PatchedFile, isTopNamed: boolean, files: SourceFiles): Promise<boolean> {
  const texts = await Promise.all(names.map((path) => files.read(path)));
  if (fate === "add") {
    const [top = "", ...below] = names[0]?.split("/") ?? [];
    // Any path becomes one of the top, if enough is stripped.
    return texts[0] === undefined && (below.length === 0 ? isTopNamed : await files.isDirectory(top));
  }
  const text = fate === "change" ? texts.find((candidate) => candidate !== undefined) : texts[0];
  return text !== undefined && placeHunks("", text, hunks).kind !== "nowhere";
}
