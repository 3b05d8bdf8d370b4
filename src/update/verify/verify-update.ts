import type { ElfObject } from "../../elf/model.js";
import { parseObject } from "../../elf/parse-object.js";
import type { UpdateFacts } from "../../kernel/live/kernel-facts.js";
import type { LiveKernel } from "../../kernel/live/live-kernel.js";
import { matchUnit } from "../../match/match-unit.js";
import { PreObject } from "../../match/pre-object.js";
import type { RunKernel } from "../../run-kernel.js";
import type { Mismatch } from "../../match/types.js";
import type { ManifestTarget } from "../file/manifest.js";
import { readingObjects } from "../file/reading-objects.js";
import { notApplied } from "./refusals.js";
import { requireFile, type Update } from "../file/update-file.js";
import { AppliedKernel } from "./applied-kernel.js";
import { checkPointers } from "./check-pointers.js";
import { checkFreed } from "./check-freed.js";
import { checkReached, checkRedirections } from "./check-redirections.js";
import { checkSymbols } from "./check-symbols.js";
import { checkVariables } from "./check-variables.js";
import type { Finding } from "./findings.js";
import { constantsOf, unitsByPath, type PatchedUnit } from "./patched-unit.js";

export interface Verification {
  readonly id: string;
  /** Units of the patched source that were compared. */
  readonly units: number;
  /** Functions of them that are what the patched source says. */
  readonly functions: number;
  /** Names that units share, and that were followed through all of them. */
  readonly symbols: number;
  /** Targets that are not loaded: nothing is said of them. */
  readonly skippedTargets: readonly string[];
  /** Functions of the patched source that were left alone: in memory that is freed after boot, or a weak definition that is not the one that runs. */
  readonly skippedFunctions: readonly string[];
  readonly milliseconds: number;
  /** What is wrong; none if the running kernel does what the patched source says. */
  readonly findings: readonly Finding[];
}

/**
 * Run-post matching: compares the patched source's objects with a kernel, running or saved, that the update is applied to, through the
 * trampolines. It is a second opinion on the update, and knows nothing of how that was made. Changes nothing.
 * @throws Refusal `not-applied`; `bad-update` for an object of it that is none
 */
export function verifyUpdate(update: Update, kernel: LiveKernel): Verification {
  return readingObjects(update.manifest.id, () => compareWithKernel(update, kernel));
}

function compareWithKernel(update: Update, kernel: LiveKernel): Verification {
  const started = performance.now();
  const { manifest } = update;
  const state = requireApplied(manifest.id, kernel.updates);
  const loaded = new Set(["vmlinux", ...kernel.modules.map(({ name }) => name)]);
  const targets = manifest.targets.filter(({ name }) => loaded.has(name));
  const inForce = targets.filter(({ module }) => loaded.has(module));
  const missing = targets.filter((target) => !inForce.includes(target));

  const matching = new Matching(update, withNewModules(kernel, inForce));
  for (const target of inForce) for (const { path, pre, post } of target.units) matching.add({ path, target: target.name, pre, post });
  for (const { path, target, post } of manifest.checked.filter((unit) => loaded.has(unit.target)))
    matching.add({ path, target, pre: post, post });

  const { units } = matching;
  const applied = new AppliedKernel(kernel, new Set(manifest.targets.map(({ module }) => module)));
  const all = kernel.updates.filter(({ stage }) => stage === "applied").flatMap(({ functions }) => functions);
  const symbols = checkSymbols(units, applied);
  const findings = [
    ...missing.map(missingPart),
    ...matching.findings,
    ...inForce.flatMap((target) => checkRedirections(target, state.functions, unitsByPath(units, target.name), applied)),
    ...units.flatMap((unit) => checkReached(unit, applied, all)),
    ...symbols.findings,
    ...units.flatMap((unit) => [...checkVariables(unit, applied), ...checkFreed(unit, applied), ...checkPointers(unit, applied)]),
  ];
  const targetsOf = new Set([...manifest.targets.map(({ name }) => name), ...manifest.checked.map(({ target }) => target)]);
  return {
    id: manifest.id,
    units: matching.units.length + matching.failed,
    functions: matching.functions,
    symbols: symbols.names,
    skippedTargets: [...targetsOf].filter((name) => !loaded.has(name)),
    skippedFunctions: matching.skipped,
    milliseconds: Math.round(performance.now() - started),
    findings,
  };
}

function requireApplied(id: string, updates: readonly UpdateFacts[]): UpdateFacts {
  const state = updates.find((candidate) => candidate.id === id);
  if (state?.stage !== "applied") throw notApplied(id, state?.stage);
  return state;
}

function missingPart({ name, module }: ManifestTarget): Finding {
  const message = `${name} is loaded, and ${module} is not: its code is not patched`;
  return { unit: name, symbol: module, kind: "part-missing", message };
}

/** The manifest says of which target each module holds code; the core tells only of those whose functions or data are replaced. */
function withNewModules(kernel: LiveKernel, targets: readonly ManifestTarget[]): RunKernel {
  const targetOf = new Map(targets.map(({ name, module }) => [module, name]));
  return {
    symbolsNamed: (name) => kernel.symbolsNamed(name),
    symbolAt: (addr) => kernel.symbolAt(addr),
    symbolsStartingAt: (addr) => kernel.symbolsStartingAt(addr),
    read: (addr, size) => kernel.read(addr, size),
    newestCode: (addr) => kernel.newestCode(addr),
    isReplacement: (addr) => kernel.isReplacement(addr),
    moduleSections: (module) => kernel.moduleSections(module),
    holdsCodeOf: (target, module) => kernel.holdsCodeOf(target, module) || (module !== undefined && targetOf.get(module) === target),
  };
}

interface UnitFiles {
  readonly path: string;
  readonly target: string;
  readonly pre: string;
  readonly post: string;
}

/** Matches one unit after another, and counts. */
class Matching {
  readonly units: PatchedUnit[] = [];
  readonly findings: Finding[] = [];
  readonly skipped: string[] = [];
  functions = 0;
  /** Units that do not match. */
  failed = 0;
  readonly #update: Update;
  readonly #run: RunKernel;

  constructor(update: Update, run: RunKernel) {
    this.#update = update;
    this.#run = run;
  }

  add({ path, target, pre: preFile, post: postFile }: UnitFiles): void {
    const isModule = target !== "vmlinux";
    const object = this.#parse(postFile);
    const post = new PreObject(object, isModule);
    const constants = constantsOf(post).map(({ name }) => ({ symbol: name, isOptional: true }));
    const match = matchUnit(object, { path, target }, this.#run, { data: constants });
    this.functions += match.statistics.matched;
    this.skipped.push(...match.statistics.skipped);
    if (match.kind === "mismatch") {
      this.failed++;
      this.findings.push(...match.mismatches.map((mismatch) => describe(path, mismatch)));
      return;
    }
    this.units.push({ path, target, post, pre: preFile === postFile ? post : new PreObject(this.#parse(preFile), isModule), match });
  }

  #parse(path: string): ElfObject {
    return parseObject(requireFile(this.#update, path), path);
  }
}

function describe(unit: string, { function: name, offset, pre, run, reason }: Mismatch): Finding {
  const both = pre === "" && run === "" ? "" : ` (the patched source: ${pre}; running: ${run})`;
  return { unit, symbol: name, kind: "mismatch", message: `${name}+0x${offset.toString(16)}: ${reason}${both}` };
}
