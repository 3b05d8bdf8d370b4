import { Refusal } from "../diagnostics.js";
import { applyUpdate, type ApplyOptions, type ApplyResult } from "../update/apply/apply-update.js";
import { undoUpdate, type UndoOptions, type UndoResult } from "../update/apply/undo-update.js";
import type { Update } from "../update/file/update-file.js";
import { settingsOf, type Settings } from "./config.js";
import { removeMark, writeMark, type Mark } from "./guard/marks.js";
import { requireMachine } from "./machine-facts.js";
import { configuredSigner } from "./module-key.js";
import { olderUpdate } from "./refusals.js";
import { noteUndone, readAppliedRecords, writeAppliedRecord } from "./run-state.js";
import type { Service } from "./service.js";

/** Where an update comes from. */
export interface Origin {
  /** SHA-256 of the tarball; undefined for an unpacked tree. */
  readonly sha256?: string | undefined;
  readonly signer?: string | undefined;
}

export interface GuardedOptions extends ApplyOptions {
  /** Also an update that is older than one that was here. */
  readonly allowOlder?: boolean;
  /** False where the caller has {@link markWell} called, for several updates at once. */
  readonly settleLater?: boolean;
}

/**
 * {@link applyUpdate}, with what the service keeps of it: the mark of the crash guard for an update that the next boot would apply again, the record in /run, the
 * audit trail.
 * @throws Refusal `in-container`, `older-update`, and what applyUpdate throws
 */
export async function applyGuarded(service: Service, update: Update, origin: Origin, options: GuardedOptions): Promise<ApplyResult> {
  const { place, store, system, facts, audit } = service;
  requireMachine(facts);
  const { id, description, created, cves, effective, kernel } = update.manifest;
  const { release } = kernel;
  const about = { id, release, cves, sha256: origin.sha256, signer: origin.signer };
  const isItsKernel = release === system.identity().release;
  // Only root may look into the store. That it is another kernel is for applyUpdate to say.
  if (isItsKernel) system.requireRoot();
  const entry = isItsKernel ? (await store.list(release)).find((each) => each.id === id) : undefined;
  if (isItsKernel && options.allowOlder !== true) await requireNewest(service, update, options.replace);
  const isGuarded = entry !== undefined && system.engine.readUpdate(id)?.stage !== "applied";
  if (isGuarded) await writeMark(place, release, markOf(service, id, "applying"));
  const settings = await settingsOf(service);
  let result: ApplyResult;
  try {
    const signer = options.signer ?? (isItsKernel ? await configuredSigner(place) : undefined);
    result = await applyUpdate(update, { ...withStopLimit(options, settings), signer }, system);
  } catch (error) {
    // The machine is up, and the kernel as it was.
    if (isGuarded) await removeMark(place, release, id);
    const code = error instanceof Refusal ? error.code : "internal-error";
    await audit({ what: "failed", message: `update ${id} was not applied: ${messageOf(error)}`, ...about, code });
    throw error;
  }
  await andSay(service, `what is known of ${id} could not be written down`, async () => {
    if (isGuarded) await writeMark(place, release, markOf(service, id, "applied"));
    const now = service.now();
    if (options.replace !== undefined) await noteUndone(place, options.replace, now, true);
    await writeAppliedRecord(place, {
      ...{ format: 1, id, description, created, cves: [...cves], skippedTargets: [...result.skippedTargets], applied: now.toISOString() },
      ...(effective === undefined ? {} : { effective }),
      ...(origin.sha256 === undefined ? {} : { sha256: origin.sha256 }),
      ...(origin.signer === undefined ? {} : { signer: origin.signer }),
    });
  });
  if (isGuarded && options.settleLater !== false)
    await andSay(service, "nothing will take the crash guard's mark away: run `ksplice service well`", async () => {
      await service.later.start("ksplice-well", ["service", "well"], settings.wellAfter);
    });
  const instead = options.replace === undefined ? "" : ` in place of ${options.replace}`;
  await audit({ what: "applied", message: `update ${id} was applied${instead}`, ...about });
  return result;
}

/** An old update that is offered again brings the faults back that were mended since. @throws Refusal `older-update` */
export async function requireNewest({ place, store }: Service, { manifest }: Update, replace: string | undefined): Promise<void> {
  const { id, created, kernel } = manifest;
  const newest = await store.newestSeen(kernel.release, id);
  if (newest !== undefined && Date.parse(created) < Date.parse(newest)) throw olderUpdate(id, created, newest);
  if (replace === undefined) return;
  const replaced = (await readAppliedRecords(place)).find((record) => record.id === replace)?.created;
  if (replaced !== undefined && Date.parse(created) < Date.parse(replaced))
    throw olderUpdate(id, created, replaced, `${replace}, which it is to replace,`);
}

/**
 * {@link undoUpdate}, noted. The next boot applies it again as long as it is in the store.
 * @throws Refusal `in-container`, and what undoUpdate throws
 */
export async function undoNoted(service: Service, id: string, options: UndoOptions): Promise<UndoResult> {
  const { place, system, facts, audit } = service;
  requireMachine(facts);
  const { release } = system.identity();
  const settings = await settingsOf(service);
  let result: UndoResult;
  try {
    result = await undoUpdate(id, withStopLimit(options, settings), system);
  } catch (error) {
    const code = error instanceof Refusal ? error.code : "internal-error";
    await audit({ what: "failed", message: `update ${id} was not undone: ${messageOf(error)}`, id, release, code });
    throw error;
  }
  await andSay(service, `what is known of ${id} could not be written down`, async () => {
    await removeMark(place, release, id);
    await noteUndone(place, id, service.now());
  });
  await audit({ what: "undone", message: `update ${id} was undone`, id, release });
  return result;
}

/** What an option says comes before what the configuration says. */
function withStopLimit<T extends { readonly stopLimit?: number }>(options: T, { stopLimit }: Settings): T {
  return stopLimit === undefined || options.stopLimit !== undefined ? options : { ...options, stopLimit };
}

/** The kernel is changed already: what fails now is said, and undoes nothing. */
async function andSay({ tell }: Service, what: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    tell("warning", `${what}: ${messageOf(error)}`);
  }
}

function markOf({ facts, now }: Service, id: string, phase: Mark["phase"]): Mark {
  return { format: 1, id, bootId: facts.bootId(), phase, time: now().toISOString(), uptime: facts.uptime() };
}

/** The first line of what an error says, for a journal line or a status. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
}
