import { Refusal } from "../../diagnostics.js";

/** Of a weak definition that has lost against another, or a copy that the linker left out. */
export const notInKernel = (symbol: string, unit: string): Refusal =>
  new Refusal({
    code: "not-in-kernel",
    message: `the patch changes ${symbol}, and the running kernel has another definition in its place: a strong one beside this weak one, or another unit's`,
    location: unit,
    items: [{ code: "not-in-kernel", symbol, message: "the running kernel has another definition in its place", place: unit }],
    hint: "leave it out of the patch, or change the one that runs",
    abortCause: "failed_to_find",
  });

export const unresolvedSymbol = (symbol: string, unit: string, reason: string): Refusal =>
  new Refusal({
    code: "unresolved-symbol",
    message: `${unit} uses ${symbol}, and ${reason}`,
    location: unit,
    items: [{ code: "unresolved-symbol", symbol, message: reason, place: unit }],
    abortCause: "failed_to_find",
  });

export const stillReferred = (name: string, unit: string, why: "removed" | "changed", who: string): Refusal =>
  new Refusal({
    code: "still-referred",
    message:
      why === "removed"
        ? `the patch removes ${name}, but ${who} of the running kernel still refers to it, and is not replaced`
        : `the patch changes what ${name} takes or returns, but ${who} of the running kernel calls it in the old way, and is not replaced`,
    location: unit,
    items: [{ code: "still-referred", symbol: name, message: `${who} refers to it`, place: unit }],
    hint: "a file that has to change with it is missing from the patch, or is not compiled from this source",
    abortCause: "no_match",
  });

export const nameTaken = (name: string, target: string, unit: string): Refusal =>
  new Refusal({
    code: "name-taken",
    message: `the patch defines ${name} in ${unit} for the first time, but ${target} of the running kernel has a symbol of that name already: its callers would go on with that`,
    location: unit,
    items: [{ code: "name-taken", symbol: name, message: "the running kernel has a symbol of that name", place: unit }],
    hint: "where a weak definition is to give way to a strong one, the file with the weak one has to be in the patch too",
    abortCause: "no_match",
  });

export const refersToFreedMemory = (name: string, unit: string): Refusal =>
  new Refusal({
    code: "freed-memory",
    message: `${unit} uses ${name}, which is initialization code or data in the running kernel: it is gone from memory`,
    location: unit,
    items: [{ code: "freed-memory", symbol: name, message: "it is gone from memory", place: unit }],
    abortCause: "failed_to_find",
  });

/** Of a processor that checks where indirect branches lead (IBT), and a kernel that has forbidden it for functions whose address nobody took. */
export const sealedFunction = (name: string, target: string): Refusal =>
  new Refusal({
    code: "sealed-function",
    message: `the new code takes the address of ${name}, and ${target} of the running kernel is sealed against that: nobody took it before, so an indirect call of it stops a processor that checks them`,
    location: target,
    items: [{ code: "sealed-function", symbol: name, message: "the running kernel is sealed against indirect calls of it", place: target }],
    hint: `hand out a new function that calls ${name}`,
    abortCause: "no_match",
  });

export const unitsDisagree = (name: string, unit: string, addrs: readonly bigint[]): Refusal =>
  new Refusal({
    code: "unresolved-symbol",
    message: `${unit} uses ${name}, and the touched files refer to several things by that name: ${addrs.map((addr) => `0x${addr.toString(16)}`).join(", ")}`,
    location: unit,
    items: [{ code: "unresolved-symbol", symbol: name, message: "the touched files refer to several things by that name", place: unit }],
    abortCause: "failed_to_find",
  });

export const unknownRuntimeConstant = (variable: string, unit: string, reason: string): Refusal =>
  new Refusal({
    code: "runtime-constant",
    message: `${unit} uses ${variable}, a constant that the kernel set in its code at boot, and ${reason}`,
    location: unit,
    abortCause: "failed_to_find",
  });

export const noTrampolineSite = (name: string, unit: string): Refusal =>
  new Refusal({
    code: "no-trampoline-site",
    message: `${name} cannot be redirected: at its beginning there is no room for a jump of 5 bytes that can be written at once, or the kernel itself rewrites the code there (a jump label, a static call, or a lock prefix on one processor); and ftrace, which could do it, does not reach the function`,
    location: unit,
    abortCause: "unexpected",
  });

export const heldByLivepatch = (name: string, unit: string, patch: string): Refusal =>
  new Refusal({
    code: "livepatched",
    message: `${name} is replaced by the kernel livepatch ${patch}, whose code would go on running`,
    location: unit,
    hint: `take the livepatch out first (echo 0 >/sys/kernel/livepatch/${patch}/enabled; rmmod ${patch}), or make an update of the source that it was made of`,
    abortCause: "no_match",
  });
