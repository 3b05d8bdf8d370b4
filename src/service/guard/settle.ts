import { notHeld } from "../refusals.js";
import type { Service } from "../service.js";
import type { Held, StoredUpdate } from "../store/store-index.js";
import { judgeMarks, type Suspect } from "./judge-marks.js";
import { readMarks, removeMark } from "./marks.js";

/** How much earlier than it should a timer may go off. Seconds. */
const SLACK = 10;

/**
 * Takes the marks away of updates that this machine has been well with for long enough.
 * @returns their ids, and after how many seconds to come again for those that are younger
 */
export async function markWell(
  service: Service,
  release: string,
  settleSeconds: number,
): Promise<{ well: string[]; again: number | undefined }> {
  const { place, store, facts } = service;
  const own = (await readMarks(place, release)).filter(({ bootId, phase }) => bootId === facts.bootId() && phase === "applied");
  const well: string[] = [];
  let again: number | undefined;
  for (const { id, uptime } of own) {
    const left = uptime + settleSeconds - facts.uptime();
    if (left > Math.min(SLACK, settleSeconds / 10)) {
      again = Math.max(again ?? 0, Math.ceil(left));
      continue;
    }
    // First this: should the machine go down in between, the update is left out once too often, not once too few.
    if ((await store.list(release)).some((entry) => entry.id === id))
      await store.note(release, id, (entry) => ({ ...entry, proven: true }));
    await removeMark(place, release, id);
    well.push(id);
  }
  return { well, again };
}

/** The machine goes down in good order: no mark of this boot says otherwise. One of an apply that did not come to its end stays. */
export async function forgetMarks({ place, facts }: Service, release: string): Promise<void> {
  for (const { id, bootId, phase } of await readMarks(place, release))
    if (bootId === facts.bootId() && phase === "applied") await removeMark(place, release, id);
}

/** Leaves those out that an earlier boot may have crashed of, and takes its marks away. @returns who is left out from now on */
export async function holdSuspects(service: Service, release: string): Promise<Suspect[]> {
  const { place, store, facts, audit, now } = service;
  const marks = await readMarks(place, release);
  const suspects = judgeMarks(marks, facts.bootId(), await store.list(release));
  for (const { id, detail } of suspects) {
    await hold(service, release, id, { reason: "crash", since: now().toISOString(), detail });
    await audit({ what: "held", message: `update ${id} is left out: ${detail}`, id, release });
  }
  for (const { id, bootId } of marks) if (bootId !== facts.bootId()) await removeMark(place, release, id);
  return suspects;
}

/** Leaves an update of the store out from the next start on, with the reason, until it is cleared. */
export async function hold({ store }: Service, release: string, id: string, held: Held): Promise<void> {
  await store.note(release, id, (entry) => ({ ...entry, held }));
}

/** The entry of an update that is no longer left out. */
export function withoutHeld(entry: StoredUpdate): StoredUpdate {
  const rest = { ...entry };
  delete rest.held;
  return rest;
}

/** Puts an update back that was left out. @throws Refusal `not-held`, `not-in-store` */
export async function clearHeld({ store, audit }: Service, release: string, id: string): Promise<StoredUpdate> {
  const entry = await store.note(release, id, (before) => {
    if (before.held === undefined) throw notHeld(id);
    return { ...withoutHeld(before), proven: false };
  });
  await audit({ what: "cleared", message: `update ${id} is no longer left out`, id, release });
  return entry;
}
