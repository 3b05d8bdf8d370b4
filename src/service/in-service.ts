import { Refusal } from "../diagnostics.js";
import type { UndoOptions } from "../update/apply/undo-update.js";
import { messageOf, undoNoted } from "./apply-guarded.js";
import { clearHeld } from "./guard/settle.js";
import { removeMark } from "./guard/marks.js";
import { requireNoneNewer } from "../disk/put-on-disk.js";
import { kept, removeFromDisk } from "./on-disk.js";
import { requireMachine } from "./machine-facts.js";
import { noteStays, type Outcome } from "./run-state.js";
import type { Service } from "./service.js";
import { startService, type StartOptions } from "./start.js";
import { requireTrusted } from "./trust.js";
import type { StoredUpdate } from "./store/store-index.js";
import type { Incoming, Installed, InstallOptions } from "./store/update-store.js";

/** Puts an update into the store, and says so in the audit trail. @param retry what left it out before does not count any more */
export async function installUpdate(service: Service, incoming: Incoming, options: InstallOptions, retry: boolean): Promise<Installed> {
  const signer = await requireTrusted(service.place, incoming, service.tell);
  const installed = await service.store.install(signer === undefined ? incoming : { ...incoming, signer }, options);
  const { release } = incoming.update.manifest.kernel;
  const { id, sha256, cves, held } = installed.entry;
  const container = service.facts.container();
  if (container !== undefined)
    service.tell(
      "note",
      `this is a container (${container}): nothing of it is applied here, only where this system boots a kernel of its own`,
    );
  if (installed.kind !== "same")
    await service.audit({ what: "installed", message: `update ${id} is in service`, id, release, sha256, cves, signer });
  if (!retry || held === undefined) return installed;
  return { ...installed, entry: await clearHeld(service, release, id) };
}

/** Applies what is in the store and not in the kernel. @returns what became of one of them; undefined where it is for another kernel, or all are kept out */
export async function applyFromStore(
  service: Service,
  id: string,
  release: string,
  options: Omit<StartOptions, "resume">,
): Promise<Outcome | undefined> {
  if (release !== service.system.identity().release) return undefined;
  const { outcomes } = await startService(service, { ...options, resume: false });
  return outcomes.find((outcome) => outcome.id === id);
}

export interface Removed {
  readonly entry: StoredUpdate;
  /** Modules that were taken off the disk. */
  readonly offDisk: readonly string[];
  /** It is in the kernel no more. */
  readonly undone: boolean;
  /** Why it is, still: who is in the way, on lines of their own. */
  readonly stays?: string;
  /** What can be done about that. */
  readonly hint?: string;
}

/**
 * Takes an update out of the store, and out of the kernel first where that is asked for. One that the kernel cannot let go stays in it until the next boot.
 * @throws Refusal `not-in-store`, `needed-by`; `in-container` where the kernel was to let it go, too
 */
export async function removeUpdate(service: Service, release: string, id: string, undo: UndoOptions | undefined): Promise<Removed> {
  const { store, system, place, facts, audit } = service;
  if (undo !== undefined) requireMachine(facts);
  requireNoneNewer(id, await kept(service, release));
  const entry = await store.remove(release, id);
  const offDisk = await removeFromDisk(service, id, release);
  await removeMark(place, release, id);
  await audit({ what: "removed", message: `update ${id} is out of service`, id, release });
  if (undo === undefined || release !== system.identity().release || system.engine.readUpdate(id)?.stage !== "applied")
    return { entry, offDisk, undone: false };
  try {
    await undoNoted(service, id, undo);
    return { entry, offDisk, undone: true };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await noteStays(place, id, messageOf(error));
    return { entry, offDisk, undone: false, stays: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  }
}
