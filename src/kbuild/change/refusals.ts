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
    hint: "--patch-opt=-pN says how many leading directories of its file names to strip",
  });
}

export function ambiguousHunk(file: string, hunk: number, lines: readonly number[]): Refusal {
  return new Refusal({
    code: "ambiguous-hunk",
    message: `hunk ${hunk} of ${file} fits at lines ${lines.slice(0, -1).join(", ")} and ${lines.at(-1) ?? 0}, and its own line number is of neither, or behind hunks that are shifted`,
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
    hint: "objects cannot be added to or taken out of a running kernel: leave that file out of the patch, if the rest does without it",
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
    hint: "objects cannot be added to or taken out of a running kernel: leave that file out of the patch, if the rest does without it",
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

export function unknownFileKind(path: string): Refusal {
  return new Refusal({
    code: "unknown-file-kind",
    message: `the patch changes ${path}, and what objects are made from it is not known`,
    location: path,
    hint: "C sources and headers can be patched",
  });
}
