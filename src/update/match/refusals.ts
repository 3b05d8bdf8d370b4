import { Refusal } from "../../diagnostics.js";
import type { Mismatch } from "../../match/types.js";

export const wrongKernel = (what: string, update: string, running: string): Refusal =>
  new Refusal({
    code: "wrong-kernel",
    message: `this update is for another kernel: its ${what} is ${update}, the running kernel's is ${running}`,
    hint: `make an update for ${running}, or boot the kernel that this one is for`,
    abortCause: "no_match",
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

/** @param isWhole true of an update that must not be applied without one of its targets */
export const targetNotLoaded = (target: string, isWhole = false): Refusal =>
  new Refusal({
    code: "target-not-loaded",
    message: `module ${target}, which this update patches, is not loaded`,
    hint: isWhole
      ? `load it first (modprobe ${target}): callbacks change with this update, so that it cannot be applied without one of its modules (--partial)`
      : `load it first (modprobe ${target}), or use --partial to skip the modules that are not loaded`,
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

export const coreOfAnotherVersion = (loaded: string, wanted: string): Refusal =>
  new Refusal({
    code: "core-version",
    message: `the kernel part that is loaded has interface version ${loaded}; this update needs ${wanted}`,
    hint: "undo the updates that are applied, so that it is unloaded, and apply them again",
  });

export const marksDiffer = (name: string, id: string, unit: string): Refusal =>
  new Refusal({
    code: "marked-module-differs",
    message: `${name} was loaded with a mark of update ${id}, and the code of ${unit} in memory is not that of its patched source`,
    location: name,
    hint: "another update of that id was on the disk when the module was loaded: unload it and load it again, or reboot",
    abortCause: "no_match",
  });
