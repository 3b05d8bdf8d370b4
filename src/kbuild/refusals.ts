import { EXIT_NO_CHANGE, Refusal } from "../diagnostics.js";

/** Everything that this layer refuses, a factory a message. */

export function noSuchTree(path: string): Refusal {
  return new Refusal({ code: "no-such-tree", message: `there is no kernel source tree at ${path}`, location: path });
}

export function notAKernelTree(path: string): Refusal {
  return new Refusal({
    code: "not-a-kernel-tree",
    message: `${path} is not a Linux kernel source tree: it lacks a kernel's Makefile or scripts/Makefile.build`,
    location: path,
  });
}

export function noConfigDirectory(path: string, isDefault: boolean): Refusal {
  return new Refusal({
    code: "no-config-directory",
    message: `there is no configuration directory at ${path}`,
    location: path,
    hint: isDefault
      ? "`ksplice prepare` makes a tree of a distribution kernel with this directory; --config=DIR names another one"
      : "it holds the kernel's .config, and `build`: the headers that modules for it are compiled against",
  });
}

export function noConfigFile(configDir: string): Refusal {
  return new Refusal({
    code: "no-config",
    message: `the configuration directory ${configDir} holds no .config`,
    location: configDir,
    hint: "copy the running kernel's configuration there, for example from /boot/config-RELEASE",
  });
}

export function noBuildDirectory(configDir: string, missing: string): Refusal {
  return new Refusal({
    code: "no-build-directory",
    message: `${configDir}/build lacks ${missing}`,
    location: configDir,
    hint: "put the kernel's headers package or build directory there: Module.symvers, include/config and include/generated",
  });
}

export function treeNotClean(source: string, found: string): Refusal {
  return new Refusal({
    code: "tree-not-clean",
    message: `${source} has been built in: it holds ${found}, which kbuild would mistake for its own output`,
    location: source,
    hint: "copy .config to the configuration directory and run `make mrproper` in the tree, or use a separate copy of the source",
  });
}

export function otherSourceVersion(sourceVersion: string, configVersion: string, release: string): Refusal {
  return new Refusal({
    code: "other-source-version",
    message: `the source is of Linux ${sourceVersion}, but the configuration of ${release} is of Linux ${configVersion}`,
    location: "Makefile",
    hint: "use the source that the running kernel was built from",
    abortCause: "no_match",
  });
}

export function otherCompiler(wanted: string, found: readonly string[]): Refusal {
  const program = wanted.split(" ")[0] ?? wanted;
  return new Refusal({
    code: "other-compiler",
    message: `the kernel was built with ${wanted}; here is ${found.length === 0 ? `no ${program}` : found.join(", ")}`,
    hint: `install that compiler: Debian's package is ${program.replace(/^x86_64-linux-gnu-/, "")}`,
  });
}

export function missingTools(tools: readonly { readonly tool: string; readonly package: string }[]): Refusal {
  const packages = tools.map((tool) => tool.package);
  return new Refusal({
    code: "missing-tools",
    message: `needed to compile kernel code and not installed: ${tools.map((tool) => tool.tool).join(", ")}`,
    hint: `apt-get install ${[...new Set(packages)].join(" ")}`,
  });
}

export function requireProgram(tool: string, debianPackage: string): Refusal {
  return missingTools([{ tool, package: debianPackage }]);
}

export function cannotPrepare(release: string, words: string): Refusal {
  return new Refusal({
    code: "cannot-prepare",
    message: `kbuild could not prepare a build for ${release}:\n${words}`,
    hint: "the lines above are make's own",
  });
}

export function configurationDiffers(release: string, differences: readonly string[]): Refusal {
  const shown = differences.slice(0, 8);
  const more = differences.length > shown.length ? [`and ${differences.length - shown.length} more`] : [];
  return new Refusal({
    code: "configuration-differs",
    message: `with the tools of this machine the configuration of ${release} comes out otherwise:\n${[...shown, ...more].join("\n")}`,
    hint: "install the compiler, binutils and pahole that the kernel was built with",
  });
}

/** A signal ended it: Ctrl-C, or the kernel for want of memory. */
export function compilerEnded(path: string): Refusal {
  return new Refusal({
    code: "compiler-ended",
    message: `the compiler was stopped by a signal before it was through with ${path}`,
    location: path,
    hint: "run the same command again: what is compiled already is in the cache",
  });
}

export function doesNotCompile(unit: string, patched: boolean, words: string): Refusal {
  return new Refusal({
    code: "does-not-compile",
    message: patched ? `${unit} does not compile with the patch:\n${words}` : `${unit} does not compile even without the patch:\n${words}`,
    location: unit,
    hint: patched
      ? "line numbers are the patched file's up to the first hunk, the unpatched file's after each"
      : "the source tree or its configuration is at fault, not the patch",
  });
}

export function noTypeInformation(unit: string, words: string): Refusal {
  return new Refusal({
    code: "no-type-information",
    message: `pahole cannot read the types of ${unit}:\n${words}`,
    location: unit,
    hint: "install the pahole that the kernel was built with (Debian's package is dwarves)",
  });
}

export function objtoolFailed(unit: string, words: string): Refusal {
  return new Refusal({ code: "objtool-failed", message: `objtool rejects ${unit}:\n${words}`, location: unit });
}

export function cannotBuildModules(release: string, words: string): Refusal {
  return new Refusal({ code: "cannot-build-core", message: `the kernel core does not build for ${release}:\n${words}` });
}

export function cannotLink(target: string, words: string): Refusal {
  return new Refusal({ code: "cannot-link", message: `the new code for ${target} does not link:\n${words}`, location: target });
}

export function moduleNameTooLong(name: string, limit: number): Refusal {
  return new Refusal({
    code: "module-name-too-long",
    message: `the module name ${name} is longer than ${limit} characters`,
    location: name,
  });
}

export function notInConfig(file: string): Refusal {
  return new Refusal({
    code: "not-in-config",
    message: `${file} is not compiled in this kernel's configuration`,
    location: file,
    hint: "the running kernel holds no code of it, so there is nothing to patch",
  });
}

export function codeInImage(file: string, holder: string, functions: readonly string[]): Refusal {
  const more = functions.length > 3 ? ` and ${functions.length - 3} more` : "";
  return new Refusal({
    code: "code-in-image",
    message: `kbuild makes nothing of ${file}, but ${holder} holds its ${functions.slice(0, 3).join(", ")}${more}`,
    location: file,
    hint: "the source tree, its makefiles or its configuration are not those that the kernel was built with",
  });
}

export function objectMadeTwice(path: string, first: string, second: string): Refusal {
  return new Refusal({
    code: "object-made-twice",
    message: `kbuild makes ${path} twice, as ${first} and as ${second}`,
    location: path,
    hint: "objects are told apart by the path of their source: such a kernel cannot be patched",
  });
}

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

export function kconfigTouched(path: string): Refusal {
  return new Refusal({
    code: "kconfig",
    message: `the patch changes the kernel's configuration options in ${path}`,
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

export function imageReached(files: readonly string[], object: string): Refusal {
  return new Refusal({
    code: "not-kernel-text",
    message: `${files.join(", ")} comes into ${object}, which is part of an image of its own (vdso, real mode or the like), and the change makes another of it`,
    location: files[0] ?? object,
  });
}

export function assemblyReached(files: readonly string[], source: string): Refusal {
  return new Refusal({
    code: "assembly",
    message: `${files.join(", ")} comes into the assembly source ${source}, and the change makes another object of it: only C can be patched`,
    location: files[0] ?? source,
  });
}

export function linkerScriptReached(files: readonly string[], source: string): Refusal {
  return new Refusal({
    code: "linker-script",
    message: `${files.join(", ")} comes into the linker script ${source}, which a running kernel is past, and the change makes another of it`,
    location: files[0] ?? source,
  });
}

export function generatedHeaderReached(files: readonly string[], source: string): Refusal {
  return new Refusal({
    code: "generated-header",
    message: `${files.join(", ")} comes into ${source}, from which kbuild generates a source file or constants, and the change may make others of them`,
    location: files[0] ?? source,
    hint: "what is compiled with the patch has what was generated without it",
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

export function tooManyUnits(headers: readonly string[], count: number, limit: number): Refusal {
  return new Refusal({
    code: "too-many-units",
    message: `what changes in ${headers.join(", ")} may be used by ${count} source files, more than the ${limit} that were allowed`,
    location: headers[0] ?? "",
    hint: "allow more (--most-units), or put the change into the C files that need it; what a header gets anew comes only into those that use it",
  });
}

export function nothingReached(headers: readonly string[]): Refusal {
  return new Refusal({
    code: "nothing-to-compile",
    message: `nothing that is compiled into this kernel uses what the patch changes in ${headers.join(", ")}`,
    exitCode: EXIT_NO_CHANGE,
  });
}

export function nothingTouched(name: string): Refusal {
  return new Refusal({
    code: "nothing-to-compile",
    message: `the patch touches no file that is compiled into this kernel:\n${name}`,
    exitCode: EXIT_NO_CHANGE,
  });
}
