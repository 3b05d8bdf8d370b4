import { isGitPrefixed, readGitNames, readName, stripName, type RawName } from "./patch-names.js";

/** One hunk of a unified diff. Lines are told with the newline that ends them. */
export interface Hunk {
  /** Number of its first line in the old file, from 1; where it has no line of the old file, of the line before it. */
  readonly oldStart: number;
  /** The same of the new file. */
  readonly newStart: number;
  readonly old: readonly string[];
  readonly new: readonly string[];
}

/** What becomes of a file. `change` is also what a header says that names a file and no more. */
export type FileFate = "change" | "add" | "delete" | "rename" | "copy";

/** What a section may hold that is no text, and so cannot be applied here. */
export type NotText = "binary" | "symbolic link" | "submodule";

/** One file section of a patch, names as they stand there. */
export interface FileSection {
  readonly fate: FileFate;
  /** Undefined where the file is new. */
  readonly oldName: string | undefined;
  /** Undefined where it goes. */
  readonly newName: string | undefined;
  /** It begins with `diff --git`, and goes by git's rules: what is renamed or copied is so as it was before the whole patch. */
  readonly isGit: boolean;
  readonly notText: NotText | undefined;
  /** Of a unified diff; undefined for hunks of another format. */
  readonly hunks: readonly Hunk[] | undefined;
}

/** One file section of a patch, with paths from the top of the tree. */
export interface PatchedFile extends Pick<FileSection, "fate" | "isGit" | "notText" | "hunks"> {
  /** The paths that it mentions: the old one first. */
  readonly names: readonly string[];
}

/**
 * Finds which files a patch touches, and where. Understands unified diffs, of context diffs the names, and git's extended headers (renames, copies, modes,
 * new and deleted files, quoted names). What a mail or `git show` puts around it is passed over.
 */
export function parsePatch(patch: string): FileSection[] {
  const reader = new PatchReader();
  for (const line of patch.split("\n")) reader.add(line);
  return reader.sections();
}

/** @throws Refusal for a path that leaves the tree */
export function stripNames(sections: readonly FileSection[], strip: number): PatchedFile[] {
  return sections.map(({ fate, oldName, newName, isGit, notText, hunks }) => {
    const names = [oldName, newName].filter((name) => name !== undefined).map((name) => stripName(name, strip));
    return { fate, isGit, notText, hunks, names: [...new Set(names)] };
  });
}

/** Whether each name stands below git's `a/` and `b/`, or what it writes for these: then one component is to be stripped. */
export function hasGitPrefixes(sections: readonly FileSection[]): boolean {
  return sections.every(({ oldName, newName }) => isGitPrefixed(oldName, newName));
}

/** While a patch is read. */
interface OpenSection {
  /** Of `diff --git`. */
  readonly gitNames: string | undefined;
  old: RawName | undefined;
  new: RawName | undefined;
  fate: FileFate | undefined;
  renamedFrom: string;
  renamedTo: string;
  notText: NotText | undefined;
  isUnified: boolean;
  readonly hunks: OpenHunk[];
}

interface OpenHunk extends Hunk {
  readonly old: string[];
  readonly new: string[];
  /** The sides that the line before belongs to. */
  last: string[][];
}

class PatchReader {
  readonly #sections: OpenSection[] = [];
  #left = { old: 0, new: 0 };
  /** The last section, as long as no hunk of it was seen. */
  #header: OpenSection | undefined;

  add(line: string): void {
    const hunk = this.#sections.at(-1)?.hunks.at(-1);
    if (this.#left.old > 0 || this.#left.new > 0) {
      this.#left = countHunkLine(this.#left, line);
      if (hunk !== undefined) addHunkLine(hunk, line);
      return;
    }
    // It belongs to the last line of the hunk before it.
    if (line.startsWith("\\") && hunk !== undefined) addHunkLine(hunk, line);
    else if (!this.#addHunk(line)) this.#addHeader(line);
  }

  sections(): FileSection[] {
    // Lines of a message may look like a header.
    const real = this.#sections.filter(({ gitNames, hunks, isUnified }) => gitNames !== undefined || hunks.length > 0 || !isUnified);
    return real.map(finish).filter(({ oldName, newName }) => oldName !== undefined || newName !== undefined);
  }

  #addHunk(line: string): boolean {
    const [, oldStart, oldCount, newStart, newCount] = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line) ?? [];
    if (oldStart === undefined) return false;
    this.#left = { old: Number(oldCount ?? 1), new: Number(newCount ?? 1) };
    this.#sections.at(-1)?.hunks.push({ oldStart: Number(oldStart), newStart: Number(newStart), old: [], new: [], last: [] });
    this.#header = undefined;
    return true;
  }

  #addHeader(line: string): void {
    const [, gitNames] = /^diff --git (.*)$/.exec(line) ?? [];
    if (gitNames !== undefined) {
      this.#header = this.#open(gitNames);
      return;
    }
    // Where the hunks of a context diff begin.
    if (line.startsWith("***************")) this.#header = undefined;
    const [, side, rest = ""] = /^(---|\+\+\+|\*\*\*) (.*)$/.exec(line) ?? [];
    if (side === undefined) {
      const section = this.#header;
      if (section?.gitNames !== undefined) addGitHeader(section, line);
      return;
    }
    // In a context diff these open a hunk and name no file.
    if (/^\d+(,\d+)? (----|\*\*\*\*)$/.test(rest)) return;
    const opensNext = side === "***" || (side === "---" && this.#header?.isUnified === true);
    if (opensNext && this.#header?.old !== undefined) this.#header = undefined;
    const section = (this.#header ??= this.#open(undefined));
    if (side === "***") section.isUnified = false;
    // A context diff's old name stands behind `***`, its new one behind `---`.
    if (side === "+++" || (side === "---" && !section.isUnified)) section.new = readName(rest);
    else section.old = readName(rest);
  }

  #open(gitNames: string | undefined): OpenSection {
    const section: OpenSection = {
      gitNames,
      old: undefined,
      new: undefined,
      fate: undefined,
      renamedFrom: "",
      renamedTo: "",
      notText: undefined,
      isUnified: true,
      hunks: [],
    };
    this.#sections.push(section);
    return section;
  }
}

/** git's extended headers: diff-format.txt, "Generating patch text with -p" (git 2.39). */
function addGitHeader(section: OpenSection, line: string): void {
  const [, action, end, path = ""] = /^(rename|copy) (from|to) (.*)$/.exec(line) ?? [];
  if (action !== undefined) {
    section.fate = action === "copy" ? "copy" : "rename";
    if (end === "from") section.renamedFrom = path;
    else section.renamedTo = path;
  }
  const [, fate] = /^(new|deleted) file mode /.exec(line) ?? [];
  if (fate !== undefined) section.fate = fate === "new" ? "add" : "delete";
  const [, mode] = /^(?:new file mode|deleted file mode|old mode|new mode|index \w+\.\.\w+) (\d{6})$/.exec(line) ?? [];
  if (mode?.startsWith("12") === true) section.notText = "symbolic link";
  if (mode?.startsWith("16") === true) section.notText = "submodule";
  if (line === "GIT binary patch" || /^Binary files .* differ$/.test(line)) section.notText ??= "binary";
}

function finish(section: OpenSection): FileSection {
  const { gitNames, hunks, isUnified, notText } = section;
  const fromGit = gitNames === undefined ? undefined : readGitNames(gitNames, section.renamedFrom, section.renamedTo);
  const fate = section.fate ?? fateOf(section);
  return {
    fate,
    oldName: fate === "add" ? undefined : (section.old?.path ?? fromGit?.old),
    newName: fate === "delete" ? undefined : (section.new?.path ?? fromGit?.new),
    isGit: gitNames !== undefined,
    notText,
    hunks: isUnified ? hunks.map(({ oldStart, newStart, old, new: post }) => ({ oldStart, newStart, old, new: post })) : undefined,
  };
}

/** As the names say it, where git says nothing: `diff -N` gives a file that is not there the first second of all, as `patch` knows it. */
function fateOf({ old, new: post }: OpenSection): FileFate {
  if (old?.isNone === true) return "add";
  return post?.isNone === true ? "delete" : "change";
}

function addHunkLine(hunk: OpenHunk, line: string): void {
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
