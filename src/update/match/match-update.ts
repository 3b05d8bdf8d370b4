import type { Tell } from "../../events.js";
import type { Refusal } from "../../diagnostics.js";
import { parseObject } from "../../elf/parse-object.js";
import { unitKey } from "../../kbuild/types.js";
import type { KernelIdentity } from "../../kernel/live/kernel-facts.js";
import type { LiveKernel } from "../../kernel/live/live-kernel.js";
import type { DataRequest } from "../../match/find-data.js";
import { matchUnit } from "../../match/match-unit.js";
import type { Mismatch, UnitMatch } from "../../match/types.js";
import { mayBePartial, type ManifestTarget, type ManifestUnit } from "../file/manifest.js";
import type { UnitMatches } from "./unit-matches.js";
import { readingObjects } from "../file/reading-objects.js";
import { alreadyApplied, noMatch, nothingToApply, targetNotLoaded, wrongKernel } from "./refusals.js";
import { requireFile, type Update } from "../file/update-file.js";

export interface MatchUpdateOptions {
  /** Leave out targets that are not loaded. */
  readonly partial: boolean;
  readonly tell: Tell;
  /** Takes what matching does, step by step. */
  readonly trace?: ((line: string) => void) | undefined;
}

/** One unit, and what became of it. */
export interface UnitResult {
  readonly path: string;
  readonly target: string;
  readonly match: UnitMatch;
}

export interface MatchedUpdate {
  readonly kind: "matched";
  /** Those that are loaded. */
  readonly targets: readonly ManifestTarget[];
  readonly skippedTargets: readonly string[];
  readonly units: readonly UnitResult[];
  readonly matches: UnitMatches;
  readonly matching: { readonly functions: number; readonly skippedBytes: number; readonly milliseconds: number };
}

/** Why an update does not fit a kernel. */
export type UpdateMismatch =
  | { readonly kind: "wrong-kernel"; readonly what: string; readonly update: string; readonly running: string }
  | { readonly kind: "already-applied"; readonly id: string }
  /** `target` is undefined if none is loaded, and that is not what was asked for. */
  | {
      readonly kind: "target-not-loaded";
      readonly target: string | undefined;
      readonly skippedTargets: readonly string[];
      /** It must not be applied without one of them. */
      readonly isWhole: boolean;
    }
  /** `unit` is the first that is not what runs; `units` has them all. */
  | {
      readonly kind: "mismatch";
      readonly unit: string;
      readonly mismatches: readonly Mismatch[];
      readonly units: readonly UnitResult[];
      readonly skippedTargets: readonly string[];
    };

/**
 * Matches every unit of an update with a kernel, running or saved. Changes nothing. That it does not fit is a value.
 * @throws Refusal `bad-update` for an object of it that is none
 */
export function matchUpdate(update: Update, kernel: LiveKernel, options: MatchUpdateOptions): MatchedUpdate | UpdateMismatch {
  const { manifest } = update;
  const wrong = findWrongKernel(update, kernel);
  if (wrong !== undefined) return wrong;
  if (kernel.updates.some(({ id, stage }) => id === manifest.id && stage === "applied"))
    return { kind: "already-applied", id: manifest.id };
  const targets = manifest.targets.filter((target) => isLoaded(target.name, kernel));
  const skippedTargets = manifest.targets.filter((target) => !targets.includes(target)).map(({ name }) => name);
  if (skippedTargets.length > 0 && (targets.length === 0 || !options.partial))
    return {
      kind: "target-not-loaded",
      target: options.partial ? undefined : skippedTargets[0],
      skippedTargets,
      isWhole: !mayBePartial(manifest),
    };

  const started = performance.now();
  const units = targets.flatMap((target) =>
    target.units.map((unit): UnitResult => {
      const match = readingObjects(manifest.id, () =>
        matchUnit(parseObject(requireFile(update, unit.pre), unit.pre), { path: unit.path, target: target.name }, kernel, {
          data: dataToFind(unit),
          trace: options.trace,
        }),
      );
      logMatch(unit.path, match, options.tell);
      return { path: unit.path, target: target.name, match };
    }),
  );
  for (const { path, match } of units) {
    if (match.kind === "mismatch") return { kind: "mismatch", unit: path, mismatches: match.mismatches, units, skippedTargets };
  }
  const sum = (count: (match: UnitMatch) => number): number => units.reduce((total, { match }) => total + count(match), 0);
  return {
    kind: "matched",
    targets,
    skippedTargets,
    units,
    matches: new Map(units.flatMap((unit) => (unit.match.kind === "matched" ? [[unitKey(unit), unit.match]] : []))),
    matching: {
      functions: sum(({ statistics }) => statistics.matched),
      skippedBytes: sum(({ statistics }) => statistics.skippedBytes),
      milliseconds: Math.round(performance.now() - started),
    },
  };
}

/** The objects that a unit's writes are in: constants whole, of others only the bytes that are overwritten. */
function dataToFind(unit: ManifestUnit): DataRequest[] {
  return [...new Set(unit.writes.map((entry) => entry.preSymbol))].map((symbol) => {
    const writes = unit.writes.filter((entry) => entry.preSymbol === symbol);
    return writes.some((entry) => entry.isConstant) ? { symbol } : { symbol, fields: writes };
  });
}

/** What the user is told. */
export function refusalOf(mismatch: UpdateMismatch): Refusal {
  switch (mismatch.kind) {
    case "wrong-kernel":
      return wrongKernel(mismatch.what, mismatch.update, mismatch.running);
    case "already-applied":
      return alreadyApplied(mismatch.id);
    case "target-not-loaded":
      return mismatch.target === undefined ? nothingToApply() : targetNotLoaded(mismatch.target, mismatch.isWhole);
    case "mismatch":
      return noMatch(mismatch.unit, mismatch.mismatches);
  }
}

/** @param target `vmlinux` or the name of a module */
export function isLoaded(target: string, kernel: LiveKernel): boolean {
  return target === "vmlinux" || kernel.moduleSections(target) !== undefined;
}

/** @throws Refusal `wrong-kernel` */
export function requireItsKernel(update: Update, running: KernelIdentity): void {
  const mismatch = findWrongKernel(update, running);
  if (mismatch !== undefined) throw refusalOf(mismatch);
}

function findWrongKernel({ manifest }: Update, kernel: KernelIdentity): Extract<UpdateMismatch, { kind: "wrong-kernel" }> | undefined {
  const { release, machine, buildId } = manifest.kernel;
  const kind = "wrong-kernel";
  if (kernel.machine !== machine) return { kind, what: "architecture", update: machine, running: kernel.machine };
  if (kernel.release !== release) return { kind, what: "release", update: release, running: kernel.release };
  if (buildId !== undefined && kernel.buildId !== buildId)
    return { kind, what: "build id", update: buildId, running: kernel.buildId ?? "unknown" };
  return undefined;
}

function logMatch(path: string, match: UnitMatch, tell: Tell): void {
  const { matched, functions, skipped, skippedBytes } = match.statistics;
  tell(
    "detail",
    `${path}: ${matched} of ${functions} functions match, ${skipped.length} skipped (${skipped.join(", ")}), ${skippedBytes} bytes not compared`,
  );
  if (match.kind === "mismatch") return;
  for (const [name, value] of [...match.symbols, ...match.runtimeConstants]) tell("detail", `  ${name} = 0x${value.toString(16)}`);
}
