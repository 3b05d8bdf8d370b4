import { Refusal } from "../../diagnostics.js";

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

export function objectMadeTwice(path: string, first: string, second: string): Refusal {
  return new Refusal({
    code: "object-made-twice",
    message: `kbuild makes ${path} twice, as ${first} and as ${second}`,
    location: path,
    hint: "objects are told apart by the path of their source: such a kernel cannot be patched",
  });
}
