import { closeSync, openSync, readSync, statSync } from "node:fs";
import { Command } from "commander";
import {
  EXIT_REFUSED,
  findSystemMap,
  fitUpdate,
  isLoaded,
  matchUnit,
  noMatch,
  openLiveKernel,
  openSnapshot,
  openUpdate,
  targetNotLoaded,
  type LiveKernel,
  type Mismatch,
  type Refusal,
  type Tell,
  type UnitResult,
  type Update,
} from "../index.js";
import {
  printJson,
  reportError,
  systemMapFrom,
  traceTo,
  usage,
  withSystemMap,
  type CommonOptions,
  type SystemMapOption,
} from "./common.js";
import { readingFiles, readObject } from "./read-object.js";
import { readingRunningKernel } from "./running-kernel.js";
import { showEvents } from "./show-events.js";

interface MatchOptions extends CommonOptions, SystemMapOption {
  readonly snapshot?: string;
  readonly target?: string;
  readonly unit?: string;
  readonly partial?: boolean;
  readonly json?: boolean;
  readonly debug?: boolean;
  readonly debugfile?: string;
  readonly trace?: boolean;
}

interface UnitReport {
  readonly path: string;
  readonly target: string;
  readonly kind: "matched" | "mismatch" | "not-loaded";
  readonly functions: number;
  readonly matched: number;
  readonly skipped: readonly string[];
  readonly mismatches: readonly Mismatch[];
}

interface MatchReport {
  readonly units: readonly UnitReport[];
  /** Undefined for an object: nothing is linked then. */
  readonly imports: number | undefined;
  /** Why it does not fit; undefined if it does. */
  readonly refusal: Refusal | undefined;
}

/** `ksplice match UPDATE|OBJECT [--snapshot FILE]` */
export function matchCommand(): Command {
  return withSystemMap(new Command("match"))
    .description("see whether an update, or a unit's object, fits a kernel: the running one, or a saved one; changes nothing")
    .argument(
      "<file>",
      "an update, tarball or unpacked tree; or an object compiled from unpatched source with -ffunction-sections -fdata-sections",
    )
    .option("--snapshot <file>", "the kernel, as `ksplice snapshot` saved it (default: the running kernel, which needs root)")
    .option("--target <name>", "for an object: vmlinux (the default), or the module that it is part of")
    .option("--unit <path>", "for an object: its path in the kernel tree, for messages")
    .option("--partial", "leave out target modules that are not loaded")
    .option("--json", "print the result as JSON")
    .option("--debug", "say in detail what is done, on stderr")
    .option("--debugfile <file>", "the same, into a file")
    .option("--trace", "each step of matching, on stderr: candidates, why one was taken, where others differ")
    .addHelpText("after", "\nExit status: 0 it fits, 1 it does not.")
    .action(async (path: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<MatchOptions>();
      const input = isElfFile(path) ? undefined : await openUpdate(path);
      if (input !== undefined && (options.target !== undefined || options.unit !== undefined))
        throw usage("--target and --unit are for an object; an update says itself what its units are");
      if (input === undefined && options.partial === true) throw usage("--partial is for an update");
      const shown = showEvents("ksplice match", options);
      const kernel =
        options.snapshot === undefined
          ? readingRunningKernel(() => openLiveKernel({ systemMap: systemMapFrom(options) ?? (input && findSystemMap(input)) }))
          : openSnapshot(options.snapshot);
      try {
        const report = input === undefined ? reportObject(path, kernel, options) : reportUpdate(input, kernel, options, shown.tell);
        if (options.json === true) printJson(toJson(report, kernel));
        else printText(report, kernel, options);
        if (report.refusal !== undefined) process.exitCode = EXIT_REFUSED;
      } finally {
        kernel.close();
        shown.close();
      }
    });
}

function isElfFile(path: string): boolean {
  // What is not there, or no file, is for the reader of updates to complain about.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  const fd = openSync(path, "r");
  try {
    const magic = new Uint8Array(4);
    readSync(fd, magic);
    return magic[0] === 0x7f && magic[1] === 0x45 && magic[2] === 0x4c && magic[3] === 0x46;
  } finally {
    closeSync(fd);
  }
}

function reportObject(path: string, kernel: LiveKernel, options: MatchOptions): MatchReport {
  const target = options.target ?? "vmlinux";
  const unit = options.unit ?? path;
  const object = readObject(path);
  if (!isLoaded(target, kernel)) return { units: [notLoaded(unit, target)], imports: undefined, refusal: targetNotLoaded(target) };
  const match = readingFiles(() => matchUnit(object, { path: unit, target }, kernel, { trace: traceTo(options) }));
  const refusal = match.kind === "mismatch" ? noMatch(unit, match.mismatches) : undefined;
  return { units: [unitReport({ path: unit, target, match })], imports: undefined, refusal };
}

function reportUpdate(update: Update, kernel: LiveKernel, options: MatchOptions, tell: Tell): MatchReport {
  const { match, imports, refusal } = fitUpdate(update, kernel, { partial: options.partial ?? false, tell, trace: traceTo(options) });
  const matched = match.kind === "matched" || match.kind === "mismatch" ? match.units : [];
  const skipped = "skippedTargets" in match ? match.skippedTargets : [];
  const missing = update.manifest.targets
    .filter(({ name }) => skipped.includes(name))
    .flatMap(({ name, units }) => units.map((unit) => notLoaded(unit.path, name)));
  return { units: [...matched.map(unitReport), ...missing], imports, refusal };
}

function unitReport({ path, target, match }: UnitResult): UnitReport {
  const { functions, matched, skipped } = match.statistics;
  return { path, target, kind: match.kind, functions, matched, skipped, mismatches: match.kind === "mismatch" ? match.mismatches : [] };
}

function notLoaded(path: string, target: string): UnitReport {
  return { path, target, kind: "not-loaded", functions: 0, matched: 0, skipped: [], mismatches: [] };
}

function toJson({ units, imports, refusal }: MatchReport, { release, buildId }: LiveKernel): unknown {
  const reason = refusal === undefined ? undefined : { code: refusal.code, message: refusal.message, hint: refusal.hint };
  return { kernel: { release, buildId }, units, imports, fits: refusal === undefined, reason };
}

function printText({ units, imports, refusal }: MatchReport, kernel: LiveKernel, options: MatchOptions): void {
  if (options.quiet !== true) {
    for (const unit of units) process.stdout.write(`${unit.path} (${unit.target}): ${describe(unit)}\n`);
    if (refusal === undefined)
      process.stdout.write(
        `fits ${kernel.release}${imports === undefined ? "" : `; ${imports} ${imports === 1 ? "import" : "imports"} resolved`}\n`,
      );
  }
  if (refusal === undefined) return;
  const reasons = refusal.code === "no-match" ? units.filter(({ kind }) => kind === "mismatch").map(refuseUnit) : [refusal];
  reasons.forEach((reason, index) => {
    reportError("ksplice", reason, { rawErrors: options.rawErrors === true && index === 0 });
  });
}

function refuseUnit({ path, mismatches }: UnitReport): Refusal {
  return noMatch(path, mismatches);
}

function describe({ kind, functions, matched, skipped }: UnitReport): string {
  if (kind === "not-loaded") return "not loaded";
  const left = skipped.length === 0 ? "" : `, ${skipped.length} skipped`;
  return `${kind === "mismatch" ? "mismatch; " : ""}${matched} of ${functions} functions match${left}`;
}
