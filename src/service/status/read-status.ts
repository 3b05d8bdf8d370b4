import { ARCHITECTURE_NAMES } from "../../arch/architectures.js";
import type { LoadedUpdate } from "../../engine/core/ksplice-sysfs.js";
import { readWaits, type Wait } from "../confirm.js";
import { cameWith, kept, modulesWith, willComeWith } from "../on-disk.js";
import { readAppliedRecords, readLastRun, UNDONE, UNDONE_BY_HAND, type AppliedRecord, type Outcome } from "../run-state.js";
import type { Service } from "../service.js";
import { releasesWithUpdates } from "../start.js";
import type { StoredUpdate } from "../store/store-index.js";
import { effectiveVersion, judgeStatus } from "./judge-status.js";
import { STATUS_VERSION, type Status, type UpdateStatus } from "./status-schema.js";

/** Refusals that no second try mends, in this boot. */
const ONLY_A_REBOOT: ReadonlySet<string> = new Set(["resident-differs", "core-version"]);

/** What this kernel has, what it should have, and what is to be done about the difference. */
export async function readStatus(service: Service): Promise<Status> {
  const { place, store, system, facts, now } = service;
  const { release, machine } = system.identity();
  const entries = await store.list(release);
  const records = await readAppliedRecords(place);
  const known = await readLastRun(place);
  const outcomes = known?.release === release ? known.outcomes : [];
  const tried = Date.parse(known?.time ?? "");
  const waits = await readWaits(place);
  const loaded = system.engine.listIds().flatMap((id) => system.engine.readUpdate(id) ?? []);
  const onDisk = await kept(service, release);
  const about = (id: string): Known => ({
    onDisk: onDisk.filter((module) => module.id === id).map(({ name }) => name),
    cameWith: modulesWith(system, id),
    entry: entries.find((each) => each.id === id),
    record: records.find((each) => each.id === id),
    outcome: outcomes.find((each) => each.id === id),
    tried,
    wait: waits.find((each) => each.id === id),
    loaded: loaded.find((each) => each.id === id),
  });
  // In the order in which they were applied, as far as that is known; then that of the store.
  const marks = unsupportedBecause(service, machine) === undefined ? marksIn(system) : [];
  const ids = new Set([
    ...records.map(({ id }) => id),
    ...loaded.map(({ id }) => id),
    ...entries.map(({ id }) => id),
    ...onDisk.map(({ id }) => id),
    ...marks,
  ]);
  // A container sees what the machine's kernel has; all the same it is not its own.
  const isPatched = facts.container() === undefined && loaded.some(({ stage }) => stage === "applied");
  const unsupported = isPatched ? undefined : unsupportedBecause(service, machine);
  // Where there are none, the kernel does not list them.
  const modules = unsupported === undefined ? system.loadedModules() : [];
  const updates = [...ids].flatMap((id) => statusOf(id, about(id), facts.uptime(), modules) ?? []);
  const disabledBy = facts.disabledBy();
  const reboot = [
    ...outcomes
      .filter(({ id, code = "" }) => ONLY_A_REBOOT.has(code) && about(id).entry !== undefined && !isApplied(about(id)))
      .map(({ id, message = "" }) => ({ id, reason: `${id}: ${message}` })),
    ...records
      .filter(({ removed, undone, id }) => removed !== undefined && undone === undefined && isApplied(about(id)))
      .map(({ id, removed = "" }) => ({ id, reason: `${id} is out of service and still in the kernel: ${removed}` })),
  ];
  const applied = updates.filter(({ state }) => state === "applied");
  const packaged = facts.packageVersion();
  return {
    version: STATUS_VERSION,
    time: now().toISOString(),
    kernel: { release, effective: effectiveVersion(release, applied), machine, ...(packaged === undefined ? {} : { package: packaged }) },
    ...judgeStatus(updates, { unsupported, disabledBy, reboot }),
    ...(disabledBy === undefined ? {} : { disabledBy }),
    updates,
    otherReleases: await releasesWithUpdates(service, release),
  };
}

/** What is known of one update, from all sides. */
interface Known {
  readonly entry: StoredUpdate | undefined;
  readonly record: AppliedRecord | undefined;
  readonly outcome: Outcome | undefined;
  /** When that was. Milliseconds; NaN where nothing was tried. */
  readonly tried: number;
  readonly wait: Wait | undefined;
  readonly loaded: LoadedUpdate | undefined;
  /** Modules that it has on the disk. */
  readonly onDisk: readonly string[];
  /** Modules that were loaded with it. */
  readonly cameWith: readonly string[];
}

/** Ids of the updates that modules were loaded with. */
function marksIn(system: Service["system"]): string[] {
  return system.loadedModules().flatMap((module) => system.moduleMarks(module));
}

function isApplied({ loaded }: Known): boolean {
  return loaded?.stage === "applied";
}

/** @returns undefined for what lies in memory and nobody asks for */
function statusOf(id: string, known: Known, uptime: number, modules: readonly string[]): UpdateStatus | undefined {
  const { entry, record, wait, loaded } = known;
  const what = stateOf(known, modules);
  if (what === undefined) return undefined;
  const { effective } = record ?? entry ?? {};
  const { sha256 } = record ?? entry ?? {};
  const { signer } = record ?? entry ?? {};
  return {
    id,
    description: entry?.description ?? record?.description ?? loaded?.description ?? "",
    ...what,
    inService: entry !== undefined,
    needs: [...(entry?.needs ?? [])],
    cves: [...(record?.cves ?? entry?.cves ?? [])],
    ...(effective === undefined ? {} : { effective }),
    ...(what.state === "applied" && record !== undefined ? { applied: record.applied } : {}),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(signer === undefined ? {} : { signer }),
    ...(what.state === "applied" && loaded?.stopNs !== undefined ? { stopNs: loaded.stopNs } : {}),
    ...(wait?.deadline === undefined || wait.stays !== undefined ? {} : { confirmWithin: Math.max(0, Math.round(wait.deadline - uptime)) }),
  };
}

function stateOf(known: Known, modules: readonly string[]): Pick<UpdateStatus, "state" | "reason"> | undefined {
  const { entry, record, outcome, tried, wait } = known;
  if (isApplied(known)) {
    if (wait?.stays !== undefined) return { state: "failed", reason: `it is to be undone, and stays: ${wait.stays}` };
    if (entry !== undefined && record?.sha256 !== undefined && record.sha256 !== entry.sha256)
      return { state: "not-applied", reason: "the kernel has the one before of this id: undo it, and ksplice service start" };
    const without = record?.skippedTargets ?? [];
    if (without.length === 0) return { state: "applied" };
    const come = without.filter((module) => modules.includes(module));
    return {
      state: "applied",
      reason:
        come.length === 0
          ? `without ${without.join(", ")}`
          : `without ${come.join(", ")}, which came later and runs its old code: undo it, and apply it again`,
    };
  }
  const { onDisk, cameWith: modulesWithIt } = known;
  if (modulesWithIt.length > 0) {
    const gone = onDisk.length === 0 ? "; the disk has it no more, and it goes when that is unloaded" : "";
    return { state: "applied", reason: `${cameWith(modulesWithIt)}${gone}` };
  }
  const waitsOnDisk = onDisk.length > 0 && !onDisk.some((module) => modules.includes(module));
  if (waitsOnDisk) return { state: "on-disk", reason: willComeWith(onDisk) };
  if (onDisk.length > 0 && entry === undefined)
    return { state: "on-disk", reason: `${onDisk.join(", ")} is loaded without it: apply it, or load the module anew` };
  if (entry === undefined) return record?.undone === undefined ? undefined : { state: "undone" };
  if (entry.held !== undefined) return { state: entry.held.reason === "crash" ? "failed" : "left-out", reason: entry.held.detail };
  const isTriedSince =
    record?.undone !== undefined && outcome !== undefined && outcome.code !== UNDONE && tried > Date.parse(record.undone);
  if (record?.undone !== undefined && !isTriedSince) return { state: "undone", reason: UNDONE_BY_HAND };
  if (outcome === undefined || outcome.state === "applied") return { state: "not-applied" };
  return { state: outcome.state, ...(outcome.message === undefined ? {} : { reason: outcome.message }) };
}

function unsupportedBecause({ facts }: Service, machine: string): string | undefined {
  const container = facts.container();
  if (container !== undefined) return `this is a container (${container}), and has no kernel of its own`;
  if (!ARCHITECTURE_NAMES.includes(machine)) return `kernels for ${machine} cannot be patched so far`;
  return facts.kernelForbids();
}
