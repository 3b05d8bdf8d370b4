import { Command } from "commander";
import {
  headlineOf,
  kept,
  modulesWith,
  openUpdate,
  spellNote,
  viewKernel,
  viewUpdateInKernel,
  type ViewedUpdate,
  type Manifest,
  type ManifestUnit,
  type Update,
} from "../index.js";
import { runningService } from "./service-options.js";
import { printJson, usage, type CommonOptions } from "./common.js";

interface ViewOptions extends CommonOptions {
  readonly id?: string;
  readonly file?: string;
  readonly json?: boolean;
}

/** `ksplice view`: what is in this kernel, one update of it, or one on disk. */
export function viewCommand(): Command {
  return new Command("view")
    .description("list the updates in the running kernel, or look at one")
    .option("--id <id>", "one update in the kernel, in detail")
    .option("--file <update>", "an update on disk, a tarball or its unpacked tree")
    .option("--json", "the same as JSON")
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<ViewOptions>();
      if (options.id !== undefined && options.file !== undefined) throw usage("--id and --file exclude each other");
      if (options.file !== undefined) showFile(await openUpdate(options.file), options);
      else await showKernel(options);
    });
}

/** What is in the kernel, and on the disk for it. As JSON only the former: `ksplice status --json` has both. */
async function showKernel(options: ViewOptions): Promise<void> {
  const disk = options.json === true || options.quiet === true ? [] : await linesOfDisk(options.id);
  if (options.id === undefined) showList(viewKernel(), options);
  else if (disk.length === 0 || viewKernel().some(({ id }) => id === options.id)) showApplied(viewUpdateInKernel(options.id), options);
  for (const line of disk) process.stdout.write(`${line}\n`);
}

async function linesOfDisk(wanted: string | undefined): Promise<string[]> {
  const service = runningService((_, message) => process.stderr.write(`ksplice-view: ${message}\n`));
  const { system } = service;
  const modules = (await kept(service, system.identity().release)).filter(({ id }) => wanted === undefined || id === wanted);
  return modules.map(({ id, name }) => {
    const isLoaded = system.loadedModules().includes(name);
    const state = modulesWith(system, id).includes(name) ? "loaded with it" : isLoaded ? "loaded without it" : "not loaded";
    return `${id} [on disk]: ${name}, ${state}`;
  });
}

function showList(updates: readonly ViewedUpdate[], options: ViewOptions): void {
  if (options.json === true) {
    printJson(updates);
    return;
  }
  if (updates.length === 0 && options.quiet !== true) process.stderr.write("no update is applied\n");
  for (const update of updates) {
    const state = update.stage === "applied" ? "" : ` [${update.stage}]`;
    process.stdout.write(options.quiet === true ? `${update.id}\n` : `${update.id}${state}: ${headlineOf(update.description)}\n`);
  }
}

function showApplied(update: ViewedUpdate, options: ViewOptions): void {
  if (options.json === true) {
    printJson(update);
    return;
  }
  if (options.quiet === true) {
    process.stdout.write(`${update.id}\n`);
    return;
  }
  const lines = [
    `id:          ${update.id}`,
    `description: ${update.description}`,
    `stage:       ${update.stage}${update.stage === "resident" ? ": undone; its code stays in memory, as the kernel may have kept addresses of it" : ""}`,
    `stopped:     ${((update.stopNs ?? 0) / 1e6).toFixed(3)} ms, at try ${update.attempts ?? 0}`,
    ...update.overridden.map(({ name, livepatch }) => `overridden:  ${name} by the kernel livepatch ${livepatch}, whose code runs`),
    ...(update.replacedBy.length === 0 ? [] : [`replaced by: ${update.replacedBy.join(", ")}`]),
    ...list(
      "functions",
      update.functions.map(
        (entry) => `${entry.target}: ${entry.name} at 0x${entry.oldAddr.toString(16)} -> 0x${entry.newAddr.toString(16)}`,
      ),
    ),
    ...list(
      "data",
      update.writes.map((entry) => `${entry.target}: ${entry.name}, ${entry.size} bytes at 0x${entry.addr.toString(16)}`),
    ),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

function showFile(update: Update, options: ViewOptions): void {
  const { manifest } = update;
  if (options.json === true) {
    printJson(manifest);
    return;
  }
  if (options.quiet === true) {
    process.stdout.write(`${manifest.id}\n`);
    return;
  }
  const lines = [
    `id:          ${manifest.id}`,
    `description: ${manifest.description}`,
    `created:     ${manifest.created}`,
    `kernel:      ${manifest.kernel.release} (${manifest.kernel.machine})${manifest.kernel.buildId === undefined ? "" : `, build id ${manifest.kernel.buildId}`}`,
    `compiler:    ${manifest.kernel.compiler}`,
    ...(manifest.after.length === 0 ? [] : [`made after:  ${manifest.after.join(", ")}`]),
    ...(manifest.cves.length === 0 ? [] : [`fixes:       ${manifest.cves.join(", ")}`]),
    ...(manifest.effective === undefined ? [] : [`effectively: ${manifest.effective}`]),
    ...list("functions", eachUnit(manifest, listFunctions)),
    ...list(
      "data",
      eachUnit(manifest, (unit) => unit.data.map((entry) => `${entry.name} (${placeOf(entry, unit)}): ${entry.how}`)),
    ),
    ...list(
      "hooks",
      eachUnit(manifest, (unit) => unit.hooks.map((entry) => `${entry.name} (${placeOf(entry, unit)}): ${entry.kind}`)),
    ),
    ...list(
      "whole modules, for the disk",
      (manifest.wholeModules ?? []).map(({ name, place, file }) => `${name}: ${file}, in place of ${place}`),
    ),
    ...list("notes", manifest.notes.map(spellNote)),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** A headed list; nothing for one without entries. */
function list(title: string, entries: readonly string[]): string[] {
  return entries.length === 0 ? [] : [`${title}:`, ...entries.map((entry) => `  ${entry}`)];
}

function eachUnit({ targets }: Manifest, describe: (unit: ManifestUnit) => readonly string[]): string[] {
  return targets.flatMap(({ name, units }) => units.flatMap((unit) => describe(unit).map((text) => `${name}: ${text}`)));
}

function listFunctions(unit: ManifestUnit): string[] {
  return [
    ...unit.changed.map((change) => `${change.name} (${placeOf(change, unit)}): ${change.reasons.join(", ")}`),
    ...unit.new.map((name) => `${name} (${unit.path}): new`),
    ...unit.removed.map((name) => `${name} (${unit.path}): removed`),
  ];
}

/** Where the source defines something, or the object that it is in. */
function placeOf({ sourceLine }: Pick<ManifestUnit["data"][number], "sourceLine">, unit: ManifestUnit): string {
  return sourceLine === undefined ? unit.path : `${sourceLine.file}:${sourceLine.line}`;
}
