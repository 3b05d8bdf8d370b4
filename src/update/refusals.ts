import { EXIT_NO_CHANGE, EXIT_USAGE, Refusal, type AbortCause } from "../diagnostics.js";
import type { DiffRefusal, SourceLine } from "../diff/types.js";
import type { Unit } from "../kbuild/types.js";
import type { Mismatch } from "../match/types.js";
import { renderFinding, type Finding } from "./verify/findings.js";

/** Every refusal of the update layer, a factory each. */

export const badUpdate = (path: string, reason: string): Refusal =>
  new Refusal({
    code: "bad-update",
    message: `${path} is not a usable update: ${reason}`,
    location: path,
    hint: "make it again with ksplice-create, or copy it again",
  });

export const badId = (id: string): Refusal =>
  new Refusal({
    code: "bad-id",
    message: `"${id}" cannot be an update's id`,
    hint: "use 1 to 24 letters and digits (and not the word version)",
  });

export const noChange = (details: readonly string[]): Refusal =>
  new Refusal({
    code: "no-change",
    message: ["the patch changes no object code of this kernel", ...details].join("\n  "),
    exitCode: EXIT_NO_CHANGE,
  });

export const noSuchTarget = (pattern: string, units: readonly Unit[]): Refusal =>
  new Refusal({
    code: "no-such-target",
    message: `the change touches none of the targets ${pattern}`,
    hint: `it touches ${[...new Set(units.map((unit) => unit.target))].join(", ")}`,
  });

export const newGlobalElsewhere = (name: string, definer: Unit, user: Unit): Refusal =>
  new Refusal({
    code: "new-global-elsewhere",
    message: `${user.path} of ${user.target} uses ${name}, which the patch adds to ${definer.target}, and that uses new symbols of ${user.target}: neither can be loaded first`,
    location: definer.source,
    hint: "define it in each of the two, as static",
  });

export const notSafe = (refusals: readonly { unit: string; refusal: DiffRefusal; line: SourceLine | undefined }[]): Refusal => {
  const items = refusals.map(({ unit, refusal, line }) => ({
    code: refusal.code,
    symbol: refusal.symbol,
    message: refusal.message,
    place: line === undefined ? unit : `${line.file}:${line.line}`,
  }));
  return new Refusal({
    code: items[0]?.code ?? "refused",
    message: [
      "the patch makes changes that cannot be put into a running kernel:",
      ...items.map(({ code, symbol, message, place }) => `  ${place}: ${symbol}: ${message} [${code}]`),
    ].join("\n"),
    items,
  });
};

export const changedLayout = (types: readonly { label: string; place: string | undefined }[], details: readonly string[]): Refusal => {
  const [first] = types;
  const place = first?.place;
  return new Refusal({
    code: "changed-layout",
    message: ["the patch changes the layout of types that objects of the running kernel may have:", ...details].join("\n"),
    ...(place === undefined ? {} : { location: place }),
    items: types.map((type) => ({
      code: "changed-layout",
      symbol: type.label,
      message: "its layout changes, and objects of the running kernel may have the old one",
      place: type.place ?? "in a file that the patch does not touch",
    })),
    hint: `if it does no harm to the objects that exist, --allow-layout="${first?.label ?? ""}" lets it through; docs/types.md says what that vouches for`,
  });
};

export const unknownLayout = (type: string, labels: readonly string[]): Refusal =>
  new Refusal({
    code: "unknown-layout",
    message: `--allow-layout names ${type}, and the patch does not change the layout of that type`,
    hint: labels.length === 0 ? "it changes that of no type" : `it changes that of ${labels.join(", ")}`,
    exitCode: EXIT_USAGE,
  });

export const badBtf = (path: string, message: string): Refusal =>
  new Refusal({
    code: "bad-btf",
    message: `the running kernel's types cannot be read: ${message}`,
    location: path,
    hint: "copy them again from /sys/kernel/btf of that kernel: vmlinux and the modules' files belong together",
  });

export const wrongKernel = (what: string, update: string, running: string): Refusal =>
  new Refusal({
    code: "wrong-kernel",
    message: `this update is for another kernel: its ${what} is ${update}, the running kernel's is ${running}`,
    hint: `make an update for ${running}, or boot the kernel that this one is for`,
    abortCause: "no_match",
  });

export const notApplied = (id: string, stage: string | undefined): Refusal =>
  new Refusal({
    code: "not-applied",
    message: stage === undefined ? `update ${id} is not loaded into this kernel` : `update ${id} is ${stage}, not applied`,
    hint: "there is nothing to verify before ksplice-apply has applied it",
  });

/** @param stays why it could not be undone; undefined if it was */
export const notVerified = (id: string, findings: readonly Finding[], stays: string | undefined): Refusal =>
  new Refusal({
    code: "not-verified",
    message: [
      `update ${id} was applied, and the kernel is not what its patched source says:`,
      ...findings.map((finding) => `  ${renderFinding(finding)}`),
      stays === undefined ? "it was undone" : `it could NOT be undone, and is still applied: ${stays}`,
    ].join("\n"),
    hint: stays === undefined ? "this is a fault of the update: report it with its tarball" : `try ksplice-undo ${id}`,
    items: findings.map(({ unit, symbol, kind, message }) => ({ code: kind, symbol, message, place: unit })),
    abortCause: "unexpected",
  });

const MISMATCHES_SHOWN = 5;

export const noMatch = (unit: string, mismatches: readonly Mismatch[]): Refusal => {
  const shown = mismatches.slice(0, MISMATCHES_SHOWN).map((mismatch) => {
    const lines = [`  ${mismatch.function}+0x${mismatch.offset.toString(16)}: ${mismatch.reason}`];
    if (mismatch.pre !== "" || mismatch.run !== "") lines.push(`      expected: ${mismatch.pre}`, `      running:  ${mismatch.run}`);
    if (mismatch.likelyCause !== undefined) lines.push(`      likely cause: ${mismatch.likelyCause}`);
    return lines.join("\n");
  });
  const more = mismatches.length - shown.length;
  if (more > 0) shown.push(`  and ${more} more`);
  return new Refusal({
    code: "no-match",
    message: [`the running kernel is not what ${unit} was compiled from:`, ...shown].join("\n"),
    location: unit,
    hint: "make the update from the very source, configuration and compiler of the running kernel; nothing was changed",
    abortCause: "no_match",
  });
};

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
    message: `${name} cannot be redirected: at its beginning there is no room for a jump of 5 bytes that can be written at once, or the kernel itself rewrites the code there (a jump label, a static call, or a lock prefix on one processor)`,
    location: unit,
    abortCause: "unexpected",
  });

export const targetNotLoaded = (target: string): Refusal =>
  new Refusal({
    code: "target-not-loaded",
    message: `module ${target}, which this update patches, is not loaded`,
    hint: `load it first (modprobe ${target}), or use --partial to skip the modules that are not loaded`,
    abortCause: "target_not_loaded",
  });

export const nothingToApply = (): Refusal =>
  new Refusal({
    code: "target-not-loaded",
    message: "none of the modules that this update patches is loaded",
    abortCause: "target_not_loaded",
  });

export const alreadyApplied = (id: string): Refusal =>
  new Refusal({ code: "already-applied", message: `update ${id} is applied already`, hint: `ksplice-undo ${id} takes it out` });

export const unknownUpdate = (id: string, known: readonly string[]): Refusal =>
  new Refusal({
    code: "unknown-update",
    message: `there is no update ${id} in this kernel`,
    hint: known.length === 0 ? "no update is applied" : `applied are: ${known.join(", ")}`,
  });

export const replacedByNewer = (id: string, newer: readonly string[]): Refusal =>
  new Refusal({
    code: "replaced-by-newer",
    message: `update ${id} cannot be undone: ${newer.length === 1 ? "a newer update replaces or uses" : "newer updates replace or use"} its code: ${newer.join(", ")}`,
    hint: `undo ${newer.join(", ")} first`,
    abortCause: "module_busy",
  });

export interface Conflict {
  readonly task: string;
  readonly pid: number;
  readonly function: string;
}

export const codeBusy = (id: string, verb: "applied" | "undone", attempts: number, conflicts: readonly Conflict[]): Refusal =>
  new Refusal({
    code: "code-busy",
    message: [
      `update ${id} was not ${verb}: code that it ${verb === "applied" ? "replaces" : "brought"} was in use at each of ${attempts} tries`,
      ...conflicts.map((conflict) => `  ${conflict.task} (pid ${conflict.pid}) is inside ${conflict.function}`),
    ].join("\n"),
    hint: "stop or wake these tasks and try again, or give it more time with --tries",
    abortCause: "code_busy",
  });

const CORE_CAUSES = [
  "no_match",
  "code_busy",
  "module_busy",
  "out_of_memory",
  "failed_to_find",
  "already_reversed",
  "unexpected_running_task",
  "target_not_loaded",
  "call_failed",
  "unexpected",
] as const satisfies readonly AbortCause[];

export const coreRefused = (id: string, verb: "applied" | "undone", abortCause: string, detail: string): Refusal =>
  new Refusal({
    code: abortCause.replaceAll("_", "-"),
    message: `update ${id} was not ${verb}: the kernel part says ${abortCause}${detail === "" ? "" : ` (${detail})`}`,
    hint: "the kernel log may say more",
    abortCause: CORE_CAUSES.find((cause) => cause === abortCause) ?? "unexpected",
  });

export const locked = (path: string): Refusal =>
  new Refusal({
    code: "locked",
    message: "another ksplice command is at work on this kernel",
    location: path,
    hint: "wait until it is done",
  });

export const coreOfAnotherVersion = (loaded: string, wanted: string): Refusal =>
  new Refusal({
    code: "core-version",
    message: `the kernel part that is loaded has interface version ${loaded}; this update needs ${wanted}`,
    hint: "undo the updates that are applied, so that it is unloaded, and apply them again",
  });
