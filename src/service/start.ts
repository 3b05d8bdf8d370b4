import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "../diagnostics.js";
import type { ApplyOptions } from "../update/apply/apply-update.js";
import type { RunningSystem } from "../update/apply/running-system.js";
import { applyGuarded, messageOf } from "./apply-guarded.js";
import { settingsOf } from "./config.js";
import { holdSuspects } from "./guard/settle.js";
import { requireMachine, type MachineFacts } from "./machine-facts.js";
import type { Place } from "./place.js";
import {
  readAppliedRecords,
  readLastRun,
  UNDONE,
  UNDONE_BY_HAND,
  writeLastRun,
  writeWaiting,
  type LastRun,
  type Outcome,
} from "./run-state.js";
import { cameWith, kept, modulesWith, willComeWith } from "./on-disk.js";
import type { Service } from "./service.js";
import type { StoredUpdate } from "./store/store-index.js";
import { requireTrusted } from "./trust.js";
import { whenFree } from "./when-free.js";

export interface StartOptions extends Omit<ApplyOptions, "partial" | "tell" | "replace"> {
  /** Updates that waited for a module only. */
  readonly resume: boolean;
}

/** What a start did. */
export interface StartReport extends LastRun {
  /** Others that the store has something for. */
  readonly otherReleases: readonly string[];
  /** The memory of a crashed kernel is being saved: nothing was done. */
  readonly isCrashKernel: boolean;
}

/**
 * Applies the updates in service for the kernel that runs, in their order, each after what it needs. One that fails keeps out what needs it, and nothing else.
 * @throws Refusal `in-container`, `not-root`, and what the store's reading throws
 */
export async function startService(service: Service, options: StartOptions): Promise<StartReport> {
  const { place, store, system, facts, now } = service;
  requireMachine(facts);
  system.requireRoot();
  const { release } = system.identity();
  if (options.resume) await modulesHaveCome(facts);
  const otherReleases = await releasesWithUpdates(service, release);
  const report = { format: 1 as const, release, time: now().toISOString(), otherReleases, isCrashKernel: facts.isCrashKernel() };
  // Its memory is small, and it is not the kernel whose marks these are.
  if (report.isCrashKernel) return { ...report, outcomes: [] };
  if (!options.resume) await holdSuspects(service, release);
  const disabledBy = facts.disabledBy();
  const before = options.resume ? await whatWasBefore(place) : NOTHING_BEFORE;
  const outcomes = disabledBy === undefined ? await applyAll(service, await store.list(release), options, before) : [];
  const run = { ...{ format: report.format, release, time: report.time, outcomes }, ...(disabledBy === undefined ? {} : { disabledBy }) };
  await writeLastRun(place, run);
  await writeWaiting(place, [...new Set(outcomes.flatMap(({ modules = [] }) => modules))]);
  return { ...report, ...run };
}

/** Those with a store that cannot be read, too: it is looked into when their kernel runs. */
export async function releasesWithUpdates({ store }: Service, but: string): Promise<string[]> {
  const found: string[] = [];
  for (const release of await store.releases()) {
    const entries = release === but ? [] : await store.list(release).catch(() => undefined);
    if (entries === undefined || entries.length > 0) found.push(release);
  }
  return found;
}

/** A module is announced before its initialisation is through. It may fail, so that this is no more than a wait. */
async function modulesHaveCome(facts: MachineFacts): Promise<void> {
  for (let tries = 0; tries < 50 && facts.areModulesLoading(); tries++) await sleep(200);
}

/** What a resume goes on from. */
interface Before {
  readonly outcomes: readonly Outcome[];
  /** Updates that were undone since they were applied: by hand, or because the machine was unwell with them. */
  readonly undone: ReadonlySet<string>;
}

const NOTHING_BEFORE: Before = { outcomes: [], undone: new Set() };

async function whatWasBefore(place: Place): Promise<Before> {
  const records = await readAppliedRecords(place);
  const undone = records.filter(({ undone: time }) => time !== undefined).map(({ id }) => id);
  return { outcomes: (await readLastRun(place))?.outcomes ?? [], undone: new Set(undone) };
}

async function applyAll(service: Service, entries: readonly StoredUpdate[], options: StartOptions, before: Before): Promise<Outcome[]> {
  const { engine } = service.system;
  const outcomes: Outcome[] = [];
  let applied = 0;
  for (const entry of entries) {
    const was = engine.readUpdate(entry.id)?.stage === "applied";
    const outcome = afterBefore(entry, was, before) ?? (await applyOne(service, entry, options));
    if (outcome.state === "applied" && !was) applied++;
    service.tell(outcome.state === "failed" ? "warning" : "note", spellOutcome(outcome));
    outcomes.push(outcome);
  }
  if (applied > 0)
    await service.later.start("ksplice-well", ["service", "well"], (await settingsOf(service)).wellAfter).catch((error: unknown) => {
      service.tell("warning", `nothing will take the crash guard's marks away: ${messageOf(error)}; run \`ksplice service well\``);
    });
  return outcomes;
}

/**
 * What is not tried when some module comes: what failed once fails again; and what was undone, somebody did not want. `start` tries both anew.
 * @returns undefined for what is to be tried
 */
function afterBefore({ id, held }: StoredUpdate, isApplied: boolean, { outcomes, undone }: Before): Outcome | undefined {
  // What is held has a reason of its own.
  if (!isApplied && held === undefined && undone.has(id)) return { id, state: "left-out", code: UNDONE, message: UNDONE_BY_HAND };
  const last = outcomes.find((outcome) => outcome.id === id);
  return last?.state === "failed" ? last : undefined;
}

async function applyOne(service: Service, entry: StoredUpdate, options: StartOptions): Promise<Outcome> {
  const { system, store } = service;
  const { id } = entry;
  const isApplied = (each: string): boolean => system.engine.readUpdate(each)?.stage === "applied" || modulesWith(system, each).length > 0;
  const fromDisk = modulesWith(system, id);
  if (fromDisk.length > 0) return { id, state: "applied", message: cameWith(fromDisk) };
  if (isApplied(id)) return { id, state: "applied", message: "was applied already" };
  if (entry.held !== undefined) return { id, state: "left-out", code: entry.held.reason, message: entry.held.detail };
  const missing = entry.needs.filter((each) => !isApplied(each));
  if (missing.length > 0)
    return {
      id,
      state: "left-out",
      code: "needs-missing",
      message: `it needs ${missing.join(", ")}, which ${missing.length === 1 ? "is" : "are"} not applied`,
    };
  const loaded = system.loadedModules();
  const modules = entry.partial ? [] : entry.targets.filter((target) => target !== "vmlinux" && !loaded.includes(target));
  if (modules.length > 0) {
    const { release } = system.identity();
    const onDisk = (await kept(service, release)).filter((module) => module.holds.includes(id)).map(({ name }) => name);
    const comesWith = modules.every((name) => onDisk.includes(name));
    // Waited for all the same: an initial file system may bring it without.
    return { id, state: "waiting", modules, message: comesWith ? willComeWith(modules) : `it waits for ${modules.join(", ")}` };
  }
  try {
    const { release } = system.identity();
    const incoming = await store.open(release, entry);
    // Anew: the policy may have become stricter, or a key have been withdrawn.
    const signer = await requireTrusted(service.place, incoming, service.tell);
    const how = { ...options, partial: entry.partial, tell: service.tell, settleLater: false };
    await applyGuarded({ ...service, system: patient(system) }, incoming.update, { sha256: entry.sha256, signer }, how);
    return { id, state: "applied" };
  } catch (error) {
    return { id, state: "failed", code: error instanceof Refusal ? error.code : "internal-error", message: messageOf(error) };
  }
}

/** Another command may be at work: at boot it is waited for. */
const PATIENCE_MS = 60_000;

function patient(system: RunningSystem): RunningSystem {
  return {
    engine: system.engine,
    requireRoot: () => {
      system.requireRoot();
    },
    identity: () => system.identity(),
    openKernel: (options) => system.openKernel(options),
    loadedModules: () => system.loadedModules(),
    moduleMarks: (module) => system.moduleMarks(module),
    livepatchedFunctions: () => system.livepatchedFunctions(),
    modulePolicy: () => system.modulePolicy(),
    locked: async (action) => await whenFree(async (inside) => await system.locked(inside), action, PATIENCE_MS),
  };
}

/** A line for the journal and the terminal. */
export function spellOutcome({ id, state, message }: Outcome): string {
  const words = { applied: "is applied", failed: "was NOT applied", waiting: "is not applied yet", "left-out": "is left out" }[state];
  return `${id} ${words}${message === undefined ? "" : `: ${message}`}`;
}
