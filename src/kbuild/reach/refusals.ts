import { EXIT_NO_CHANGE, Refusal } from "../../diagnostics.js";

export function notInConfig(file: string): Refusal {
  return new Refusal({
    code: "not-in-config",
    message: `${file} is not compiled in this kernel's configuration`,
    location: file,
    hint: "the running kernel holds no code of it, so there is nothing to patch",
  });
}

/** @param object one that kbuild makes of the file */
export function sourceRemoved(file: string, object: string): Refusal {
  return new Refusal({
    code: "source-removed",
    message: `the patch removes ${file}, and the running kernel has what ${object} is made of it`,
    location: file,
    hint: "an update changes functions, and takes none out of the kernel; leave this file out of the patch",
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

/** What is known of a change's effect on an object that it comes into: that it is another one, or nothing, as the compiler does not get through it here. */
export type Effect = "is-another" | "unread";

const EFFECTS: Readonly<Record<Effect, (what: string) => string>> = {
  "is-another": (what) => `the change makes another ${what} of it`,
  unread: (what) =>
    `whether the change makes another ${what} of it cannot be told, for it does not compile by itself here: it includes what kbuild makes of other objects`,
};

export function imageReached(files: readonly string[], object: string, effect: Effect): Refusal {
  return new Refusal({
    code: "not-kernel-text",
    message: `${files.join(", ")} comes into ${object}, which is part of an image of its own (vdso, real mode or the like), and ${EFFECTS[effect]("image")}`,
    location: files[0] ?? object,
  });
}

export function startCodeReached(files: readonly string[], object: string): Refusal {
  return new Refusal({
    code: "not-kernel-text",
    message: `${files.join(", ")} comes into ${object}, of which a part goes on being called when the kernel has started, and the change makes another of it: such code has names of its own, and cannot be patched`,
    location: files[0] ?? object,
  });
}

export function assemblyReached(files: readonly string[], source: string, effect: Effect): Refusal {
  return new Refusal({
    code: "assembly",
    message: `${files.join(", ")} comes into the assembly source ${source}, and ${EFFECTS[effect]("object")}: only C can be patched`,
    location: files[0] ?? source,
  });
}

export function linkerScriptReached(files: readonly string[], source: string, effect: Effect): Refusal {
  return new Refusal({
    code: "linker-script",
    message: `${files.join(", ")} comes into the linker script ${source}, which a running kernel is past, and ${EFFECTS[effect]("script")}`,
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

/** @param header of the kernel's Rust code; @param declaration what is another with the change */
export function rustBindingsReached(files: readonly string[], header: string, declaration: string): Refusal {
  return new Refusal({
    code: "rust-bindings",
    message: `${files.join(", ")} comes into ${header}, by which the kernel's Rust code knows what C declares, and the change makes another of:\n  ${declaration.slice(0, 200)}`,
    location: files[0] ?? header,
    hint: "Rust code is not compiled again for an update, and would go on with what was declared before; what a patch adds, and bodies of functions, may change",
  });
}

export function tooManyUnits(headers: readonly string[], limit: number): Refusal {
  return new Refusal({
    code: "too-many-units",
    message: `what changes in ${headers.join(", ")} may come into more objects than the ${limit} that were allowed`,
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

/** @param ignored a line for each touched file; empty where no text changes */
export function nothingTouched(ignored: string): Refusal {
  return new Refusal({
    code: "nothing-to-compile",
    message:
      ignored === ""
        ? "the patch leaves the text of every file as it was: it changes modes only, or one part of it undoes what another does"
        : `the patch touches no file that is compiled into this kernel:\n${ignored}`,
    exitCode: EXIT_NO_CHANGE,
  });
}

export const treeNotSearched = (words: string): Refusal =>
  new Refusal({ code: "tree-not-searched", message: `the source tree cannot be searched for other uses of what changes:\n${words}` });
