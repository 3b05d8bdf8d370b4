import { EXIT_USAGE, Refusal } from "../../diagnostics.js";
import type { LeftBehind } from "../prelink/left-behind.js";

export const unknownUpdate = (id: string, known: readonly string[]): Refusal =>
  new Refusal({
    code: "unknown-update",
    message: `there is no update ${id} in this kernel`,
    hint: known.length === 0 ? "no update is applied" : `it has: ${known.join(", ")}`,
  });

export const alreadyUndone = (id: string): Refusal =>
  new Refusal({
    code: "already-undone",
    message: `update ${id} is undone already; its code stays in memory, as the kernel may have kept addresses of it`,
    hint: `ksplice undo --unload ${id} takes it out of memory, at the risk of a crash if anything still refers to it`,
  });

export const notApplied = (id: string, stage: string): Refusal =>
  new Refusal({
    code: "not-applied",
    message: `update ${id} cannot be replaced: it is not applied, but ${stage}`,
    hint: "apply without --replace",
  });

/** @param missing updates that it was made after */
export const needsApplied = (id: string, missing: readonly string[]): Refusal => {
  const [is, first] = missing.length === 1 ? ["is", "it"] : ["are", "them"];
  return new Refusal({
    code: "needs-missing",
    message: `${id} was made after ${missing.join(", ")}, which ${is} not applied: this kernel is not what its source says`,
    hint: `apply ${first} first, or make the update from the source that runs`,
  });
};

/** A sentence about what the new update brings anew. */
export function whatStays({ former, variables, held }: LeftBehind): string {
  return [
    ...(variables.length === 0 ? [] : [`what ${former} keeps in ${variables.join(", ")} stays behind`]),
    ...(held.length === 0 ? [] : [`objects of the kernel may hold the address of ${held.join(", ")}, and go on with that of ${former}`]),
  ].join("; ");
}

export const leftBehind = (id: string, found: LeftBehind): Refusal =>
  new Refusal({
    code: "left-behind",
    message: `${id} cannot come in place of ${found.former}, as it brings anew what that has brought: ${whatStays(found)}`,
    hint: `make the update on top of ${found.former} (ksplice create --after, from the source that holds it), and apply it without --replace; or, where nothing of that matters, say so: --leave-behind ${[...found.variables, ...found.held].join(",")}`,
  });

export const replacesItself = (id: string): Refusal =>
  new Refusal({
    code: "usage",
    message: `--replace names ${id}, which is the update itself`,
    hint: "an update has a name of its own: ksplice create --id",
    exitCode: EXIT_USAGE,
  });

export const residentDiffers = (id: string): Refusal =>
  new Refusal({
    code: "resident-differs",
    message: `code of an update ${id} that was undone is still in memory, and it is not what this one would load`,
    hint: `it is another update of that name, or the kernel has changed since (other updates, modules): give this one another name (ksplice create --id), or reboot`,
  });
