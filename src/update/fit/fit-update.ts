import { Refusal } from "../../diagnostics.js";
import { STB_WEAK } from "../../elf/constants.js";
import { AbsoluteAddress } from "../../elf/model.js";
import { parseObject } from "../../elf/parse-object.js";
import type { RunSymbol } from "../../run-kernel.js";
import type { LiveKernel } from "../../kernel/live/live-kernel.js";
import { mayBePartial, type ManifestTarget } from "../file/manifest.js";
import { isGlobal } from "../../run-kernel.js";
import { matchUpdate, refusalOf, type MatchedUpdate, type MatchUpdateOptions, type UpdateMismatch } from "../match/match-update.js";
import { KSPLICE_ABI } from "../../engine/core/part-section.js";
import { CORE_EXPORTS, undefinedSymbols } from "../prelink/prelink.js";
import { prelinkItsCore, prelinkUpdate } from "../prelink/prelink-update.js";
import { coreOfAnotherVersion, targetNotLoaded } from "../match/refusals.js";
import { unresolvedSymbol } from "../prelink/refusals.js";
import { parseVersions } from "../../elf/module-versions.js";
import { readingObjects } from "../file/reading-objects.js";
import { requireFile, type Update } from "../file/update-file.js";

/** Whether an update could be applied to a kernel, as far as that can be told without loading it. */
export interface UpdateFit {
  readonly match: MatchedUpdate | UpdateMismatch;
  /** Names that the new code uses of the kernel and that have an address there. */
  readonly imports: number;
  /** Why it does not fit, as `ksplice-apply` would say it; undefined if it does. */
  readonly refusal: Refusal | undefined;
}

/**
 * Does with an update what apply does before it loads anything, with a kernel that runs or was saved: matches its units, those of targets that are
 * loaded even if others are not, and prelinks the new code. Changes nothing. That it does not fit is a value.
 * @throws Refusal `bad-update` for an object of it that is none
 */
export function fitUpdate(update: Update, kernel: LiveKernel, options: MatchUpdateOptions): UpdateFit {
  const match = matchUpdate(update, kernel, { ...options, partial: true });
  if (match.kind !== "matched") return { match, imports: 0, refusal: refusalOf(match) };
  let imports = 0;
  try {
    const parts = prelinkUpdate(update, match, kernel);
    match.targets.forEach((target, index) => {
      const prelinked = parts[index]?.bytes ?? new Uint8Array(0);
      imports += readingObjects(update.manifest.id, () => countImports(update, target, prelinked, kernel));
    });
    requireCore(update, kernel);
  } catch (error) {
    if (error instanceof Refusal && error.code !== "bad-update") return { match, imports, refusal: error };
    throw error;
  }
  const [missing] = match.skippedTargets;
  const isWhole = !mayBePartial(update.manifest);
  return {
    match,
    imports,
    refusal: missing === undefined || (options.partial && !isWhole) ? undefined : targetNotLoaded(missing, isWhole),
  };
}

/**
 * How many names the new code uses that have an address in the kernel: those that prelinking gave one, and those that are left to the kernel's loader.
 * @throws Refusal `unresolved-symbol` for one that the loader would not find
 */
function countImports(update: Update, target: ManifestTarget, prelinked: Uint8Array, kernel: LiveKernel): number {
  const ko = parseObject(requireFile(update, target.file), target.file);
  const bound = new Set(
    parseObject(prelinked, target.file)
      .symbols.filter(({ home }) => home instanceof AbsoluteAddress)
      .map(({ name }) => name),
  );
  const exported = parseVersions(ko);
  let count = 0;
  for (const { name, bind } of undefinedSymbols(ko)) {
    if (CORE_EXPORTS.has(name)) continue;
    if (bound.has(name) || (exported.has(name) && kernel.symbolsNamed(name).some(mayBeExported))) count++;
    else if (exported.has(name) && bind !== STB_WEAK)
      throw unresolvedSymbol(name, target.file, "neither the kernel nor a module that is loaded exports it");
  }
  return count;
}

/** The letter of a module's symbol tells of EXPORT_SYMBOL only, not of EXPORT_SYMBOL_GPL (is_exported() in kernel/module/main.c, Linux 6.1). */
function mayBeExported(symbol: RunSymbol): boolean {
  return symbol.module !== undefined || isGlobal(symbol);
}

/** @throws Refusal `unresolved-symbol`, `core-version` */
function requireCore(update: Update, kernel: LiveKernel): void {
  if (kernel.coreVersion === undefined) prelinkItsCore(update, kernel);
  else if (kernel.coreVersion !== KSPLICE_ABI) throw coreOfAnotherVersion(String(kernel.coreVersion), String(KSPLICE_ABI));
}
