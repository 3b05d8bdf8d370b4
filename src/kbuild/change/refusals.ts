import { Refusal } from "../../diagnostics.js";

export function noSuchPatch(path: string): Refusal {
  return new Refusal({ code: "no-such-patch", message: `there is no patch at ${path}`, location: path });
}

export function emptyPatch(name: string): Refusal {
  return new Refusal({ code: "empty-patch", message: `${name} is empty`, location: name });
}

export function notAPatch(name: string): Refusal {
  return new Refusal({
    code: "not-a-patch",
    message: `${name} holds no patch: no line in it names a file to change`,
    location: name,
    hint: "a unified diff is wanted, as `diff -u` and `git diff` write it",
  });
}

export function unsafePatchPath(path: string): Refusal {
  return new Refusal({
    code: "unsafe-patch-path",
    message: `the patch names ${path}, which is not inside the source tree`,
    location: path,
  });
}

export function patchDoesNotApply(name: string, words: string): Refusal {
  return new Refusal({
    code: "patch-does-not-apply",
    message: `${name} does not apply to the source tree:\n${words}`,
    location: name,
    hint: "it must be made against this very source; --strip=N says how many leading directories of its file names to strip",
  });
}

/** @param name of the module whose tree it is */
export function notOfModule({ code, message, location }: Refusal, name: string): Refusal {
  const where = `this is the tree of the module ${name}: a patch names files as the module's own source has them`;
  const hint = `${where}; of the kernel's files updates are made from the kernel's tree`;
  return new Refusal({ code, message, hint, ...(location === undefined ? {} : { location }) });
}

export function ambiguousStrip(name: string, strips: readonly number[]): Refusal {
  return new Refusal({
    code: "ambiguous-strip",
    message: `${name} fits the source tree with ${strips.join(" and with ")} leading directories of its file names stripped`,
    location: name,
    hint: "--strip=N says which it is",
  });
}

export function unknownStrip(name: string): Refusal {
  return new Refusal({
    code: "unknown-strip",
    message: `${name} names no file or directory that is there, however many leading directories are stripped`,
    location: name,
    hint: "--strip=N says how many are to be stripped",
  });
}

export function fileExists(path: string): Refusal {
  return new Refusal({
    code: "file-exists",
    message: `the patch makes the file ${path}, which is there already`,
    location: path,
    hint: "the source may hold the patch, or a part of it, already",
  });
}

/** @param what it is instead: "binary" */
export function notText(name: string, path: string, what: string): Refusal {
  return new Refusal({
    code: "not-a-text-patch",
    message: what === "binary" ? `${name} changes the binary file ${path}` : `${name} changes ${path}, which is a ${what}`,
    location: path,
    hint: "objects are made of text: leave that file out of the patch, if the rest does without it",
  });
}

export function patchInAttachment(name: string): Refusal {
  return new Refusal({
    code: "patch-in-attachment",
    message: `a mail in ${name} has several parts, and which of them is the patch is not looked for`,
    location: name,
    hint: "save the attachment, and give that with --patch",
  });
}

export function noSeries(path: string): Refusal {
  return new Refusal({
    code: "no-series",
    message: `there is no list of patches at ${path}`,
    location: path,
    hint: "a file is wanted that names a patch a line, as quilt's `series` does",
  });
}

export function badSeriesLine(place: string, line: string): Refusal {
  return new Refusal({
    code: "bad-series-line",
    message: `${place}: "${line}" is no patch with -pN or -R behind it`,
    location: place,
  });
}

export function emptySeries(path: string): Refusal {
  return new Refusal({ code: "empty-series", message: `${path} names no patch`, location: path });
}

export function gitFailed(place: string, words: string): Refusal {
  return new Refusal({
    code: "git-failed",
    message: `git cannot read the repository of ${place}:\n${words}`,
    location: place,
    hint: "--git takes a source tree in a git work tree, or --git-dir=DIR with it",
  });
}

export function noSuchCommit(name: string): Refusal {
  return new Refusal({ code: "no-such-commit", message: `the repository has no commit ${name}`, location: name });
}

export function notARange(words: string): Refusal {
  return new Refusal({
    code: "not-a-range",
    message: `${words} is neither a commit nor a range A..B`,
    location: words,
  });
}

export function emptyRange(words: string): Refusal {
  return new Refusal({ code: "empty-range", message: `there is no commit in ${words}`, location: words });
}

export function noParent(name: string): Refusal {
  return new Refusal({
    code: "no-parent",
    message: `${name} has no parent in this repository, so what it changed cannot be told`,
    location: name,
    hint: "it may be where a shallow clone ends: git fetch --deepen=1",
  });
}

export function mergeCommit(name: string): Refusal {
  return new Refusal({
    code: "merge-commit",
    message: `${name} is a merge, and what is to be applied of it cannot be told`,
    location: name,
    hint: "name the commits that it merges, or make a patch with `git diff` and give it with --patch",
  });
}

export function commitChangesNothing(words: string, source: string): Refusal {
  return new Refusal({
    code: "commit-changes-nothing",
    message: `${words} changes nothing below ${source}`,
    location: words,
  });
}

/** @param lines none where the hunk has no line of the file, and so fits everywhere */
export function ambiguousHunk(file: string, hunk: number, lines: readonly number[]): Refusal {
  const places = `fits at lines ${lines.slice(0, -1).join(", ")} and ${lines.at(-1) ?? 0}, and its own line number is of neither, or behind hunks that are shifted`;
  return new Refusal({
    code: "ambiguous-hunk",
    message: `hunk ${hunk} of ${file} ${lines.length === 0 ? "adds lines and has none of the file's beside them: nothing but its line number tells where they belong" : places}`,
    location: file,
    hint: "make the patch against this very source, or with more lines of context (diff -U10)",
  });
}

export function hunkPlaceUnknown(file: string): Refusal {
  return new Refusal({
    code: "ambiguous-hunk",
    message: `a hunk of ${file} does not apply where it says, and in a patch of this form it cannot be told whether it may belong elsewhere`,
    location: file,
    hint: "a unified diff against this very source is wanted, as `diff -u` and `git diff` write it, without options for patch(1) but -pN",
  });
}

export function hunkElsewhere(file: string): Refusal {
  return new Refusal({
    code: "ambiguous-hunk",
    message: `patch(1) makes something else of ${file} than its hunks say`,
    location: file,
    hint: "a unified diff against this very source is wanted, as `diff -u` and `git diff` write it",
  });
}

export function diffextFindsNothing(source: string, extension: string): Refusal {
  return new Refusal({
    code: "diffext-finds-nothing",
    message: `no file in ${source} ends in ${extension}`,
    location: source,
    hint: "copy each file you change to its name followed by the extension, and change the copy",
  });
}

/** @param option one that gets another value; undefined where that was not found out */
export function kconfigTouched(path: string, option?: string): Refusal {
  return new Refusal({
    code: "kconfig",
    message: `the patch changes the kernel's configuration options in ${path}${option === undefined ? "" : ` (${option})`}`,
    location: path,
    hint: "a running kernel keeps its configuration: leave that file out of the patch, if the rest does without it",
  });
}

export function buildRulesTouched(path: string): Refusal {
  return new Refusal({
    code: "makefile",
    message: `the patch changes how the kernel is built in ${path}`,
    location: path,
    hint: "of a running kernel no object can be taken out, or made in another way, and only C files that the patch brings can be added: leave that file out of the patch, if the rest does without it",
  });
}

export function makefileChanges(path: string, line: string): Refusal {
  return new Refusal({
    code: "makefile",
    message: `the patch changes how the kernel is built in ${path}, by more than lists of objects and flags for compiling them: ${line.trim()}`,
    location: path,
    hint: "what a recipe would make with it cannot be told: leave that file out of the patch, if the rest does without it",
  });
}

const OBJECTS_SHOWN = 3;

export function objectsMadeOtherwise(paths: readonly string[], differing: readonly string[]): Refusal {
  const more = differing.length > OBJECTS_SHOWN ? ` and ${differing.length - OBJECTS_SHOWN} more` : "";
  return new Refusal({
    code: "makefile",
    message: `the patch changes how the kernel is built in ${paths.join(", ")}: ${differing.slice(0, OBJECTS_SHOWN).join(", ")}${more}`,
    location: paths[0] ?? "",
    hint: "of a running kernel no object can be taken out, or made in another way, and only C files that the patch brings can be added: leave that file out of the patch, if the rest does without it",
  });
}

export function rulesNotRead(paths: readonly string[], words: string): Refusal {
  return new Refusal({
    code: "makefile",
    message: `kbuild does not get along with the patch's ${paths.join(", ")}:\n${words}`,
    location: paths[0] ?? "",
  });
}

export function assemblyTouched(path: string): Refusal {
  return new Refusal({
    code: "assembly",
    message: `the patch changes the assembly source ${path}, and only C can be patched`,
    location: path,
  });
}

export function linkerScriptTouched(path: string): Refusal {
  return new Refusal({
    code: "linker-script",
    message: `the patch changes the linker script ${path}, which a running kernel is past`,
    location: path,
  });
}

export function notKernelText(path: string): Refusal {
  return new Refusal({
    code: "not-kernel-text",
    message: `${path} is compiled into an image of its own (boot code, vdso or the like), not into the running kernel's text`,
    location: path,
  });
}

export function startCodeTouched(path: string): Refusal {
  return new Refusal({
    code: "not-kernel-text",
    message: `${path} is code that starts the kernel, compiled to run wherever it lies, under names of its own: it cannot be patched`,
    location: path,
  });
}

export function unknownFileKind(path: string): Refusal {
  return new Refusal({
    code: "unknown-file-kind",
    message: `the patch changes ${path}, and what objects are made from it is not known`,
    location: path,
    hint: "C sources and headers can be patched",
  });
}
