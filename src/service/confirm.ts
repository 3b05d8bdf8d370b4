import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { Refusal } from "../diagnostics.js";
import { isMissing } from "../host/files.js";
import { ID_PATTERN } from "../update/file/manifest.js";
import type { UndoOptions } from "../update/apply/undo-update.js";
import { messageOf, undoNoted } from "./apply-guarded.js";
import { hold, withoutHeld } from "./guard/settle.js";
import { requireMachine } from "./machine-facts.js";
import { runDir, type Place } from "./place.js";
import type { Service } from "./service.js";
import { readTrustedIfThere, removeDurably, writeDurably } from "./trusted-files.js";

/**
 * Commit-confirm: an update that undoes itself unless somebody who can still reach the machine says that it may stay. Who watches it runs apart from the command that
 * applies it, and is there before the kernel is changed.
 */

const waitSchema = z.strictObject({
  format: z.literal(1),
  id: z.string().regex(ID_PATTERN),
  /** How long it may take, from when the update is applied. */
  seconds: z.number().positive(),
  /** Shell text that must go well meanwhile. */
  health: z.string().optional(),
  /** Seconds since boot. */
  armed: z.number(),
  /** Seconds since boot; once the update is applied. */
  deadline: z.number().optional(),
  /** Why it is to be undone, and the kernel has not let it go so far. */
  stays: z.string().optional(),
});

export type Wait = z.infer<typeof waitSchema>;

/** An apply that did not come to anything is forgotten after this time. Seconds. */
const FORGOTTEN = 3600;
const POLL_MS = 1000;
const HEALTH_SECONDS = 10;
const HEALTH_TIMEOUT_MS = 60_000;
/** Between tries to undo what is in use. */
const RETRY_MS = 30_000;

/** Before the update is applied. In the store it is left out meanwhile: a reboot is no confirmation. @throws Refusal `in-container` */
export async function armConfirm(service: Service, id: string, seconds: number, health: string | undefined): Promise<void> {
  const { place, facts, store, system, later, now } = service;
  requireMachine(facts);
  // It is applied by somebody else, and not to be undone because of this; applying says so.
  if (system.engine.readUpdate(id)?.stage === "applied") return;
  await writeWait(place, { format: 1, id, seconds, armed: facts.uptime(), ...(health === undefined ? {} : { health }) });
  const { release } = system.identity();
  if ((await store.list(release)).some((entry) => entry.id === id && entry.held === undefined))
    await hold(service, release, id, { reason: "not-confirmed", since: now().toISOString(), detail: "it waits for `ksplice confirm`" });
  await later.start(`ksplice-confirm-${id}`, ["service", "watch", id], 0);
}

/** The update was not applied: there is nothing to wait for. */
export async function disarmConfirm(service: Service, id: string): Promise<void> {
  await removeDurably(pathOf(service.place, id));
  await putBack(service, id);
}

/** @throws Refusal `in-container`, `nothing-to-confirm` */
export async function confirmUpdate(service: Service, id: string): Promise<void> {
  const { place, system, facts, audit } = service;
  requireMachine(facts);
  system.requireRoot();
  const wait = await readWait(place, id);
  if (wait?.stays !== undefined || wait === undefined)
    throw nothingToConfirm(
      id,
      (await readWaits(place)).map((each) => each.id),
    );
  if (system.engine.readUpdate(id)?.stage !== "applied") throw nothingToConfirm(id, []);
  await removeDurably(pathOf(place, id));
  await putBack(service, id);
  await audit({ what: "confirmed", message: `update ${id} was confirmed`, id, release: system.identity().release });
}

/** What {@link watchUpdate} waits with; a test has a clock of its own. */
export type Pause = (milliseconds: number) => Promise<void>;

/**
 * Waits for the confirmation, and undoes the update where it does not come in time or where the health command fails.
 * @returns `confirmed` also where there is nothing to wait for any more
 */
export async function watchUpdate(
  service: Service,
  id: string,
  undo: UndoOptions,
  pause: Pause,
): Promise<"confirmed" | "undone" | "stays"> {
  const { place, facts, system } = service;
  let nextHealth = 0;
  for (;;) {
    const wait = await readWait(place, id);
    if (wait === undefined) return "confirmed";
    const isApplied = system.engine.readUpdate(id)?.stage === "applied";
    if (isApplied) {
      const deadline = wait.deadline ?? facts.uptime() + wait.seconds;
      if (wait.deadline === undefined) await writeWait(place, { ...wait, deadline });
      if (wait.health !== undefined && facts.uptime() >= nextHealth) {
        const complaint = await complaintOf(wait.health);
        nextHealth = facts.uptime() + HEALTH_SECONDS;
        if (complaint !== undefined) return await takeBack(service, wait, complaint, undo, pause);
      }
      if (facts.uptime() >= deadline) return await takeBack(service, wait, "it was not confirmed in time", undo, pause);
    } else if (wait.deadline !== undefined || facts.uptime() >= wait.armed + FORGOTTEN) {
      // Undone by somebody else, or never applied.
      await removeDurably(pathOf(place, id));
      return "confirmed";
    }
    await pause(POLL_MS);
  }
}

/** @returns undefined where it went well */
async function complaintOf(health: string): Promise<string | undefined> {
  const { failed, exitCode, timedOut, all } = await execa("sh", ["-c", health], {
    reject: false,
    all: true,
    timeout: HEALTH_TIMEOUT_MS,
    stdin: "ignore",
  });
  if (!failed) return undefined;
  const how = timedOut ? `did not end within ${HEALTH_TIMEOUT_MS / 1000} s` : `ended with status ${String(exitCode)}`;
  const words = all.trim().split("\n").at(-1) ?? "";
  return `its health command ${how}${words === "" ? "" : `: ${words.slice(0, 200)}`}`;
}

async function takeBack(
  service: Service,
  wait: Wait,
  reason: string,
  undo: UndoOptions,
  pause: Pause,
): Promise<"undone" | "stays" | "confirmed"> {
  const { place, store, system, audit, now } = service;
  const { id } = wait;
  const { release } = system.identity();
  if ((await store.list(release)).some((entry) => entry.id === id)) {
    await hold(service, release, id, { reason: "not-confirmed", since: now().toISOString(), detail: reason });
    await audit({ what: "held", message: `update ${id} is left out: ${reason}`, id, release });
  }
  for (let tries = 0; tries < 20; tries++) {
    try {
      service.tell("note", `${id} is undone: ${reason}`);
      await undoNoted(service, id, undo);
      await removeDurably(pathOf(place, id));
      return "undone";
    } catch (error) {
      // Somebody else was faster.
      if (system.engine.readUpdate(id)?.stage !== "applied") {
        await removeDurably(pathOf(place, id));
        return "undone";
      }
      if (!(error instanceof Refusal)) throw error;
      await writeWait(place, { ...wait, stays: `${reason}; ${messageOf(error)}` });
    }
    await pause(RETRY_MS);
  }
  return "stays";
}

/** What was left out only until it was confirmed. */
async function putBack({ store, system }: Service, id: string): Promise<void> {
  const { release } = system.identity();
  const entry = (await store.list(release)).find((each) => each.id === id);
  if (entry?.held?.reason === "not-confirmed") await store.note(release, id, withoutHeld);
}

/** All that wait for a confirmation, or to be undone. */
export async function readWaits(place: Place): Promise<Wait[]> {
  try {
    const names = (await readdir(join(runDir(place), "confirm"))).filter((name) => /^[A-Za-z0-9]+\.json$/.test(name)).sort();
    const waits = await Promise.all(names.map(async (name) => await readWait(place, name.slice(0, -".json".length))));
    return waits.filter((wait) => wait !== undefined);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function readWait(place: Place, id: string): Promise<Wait | undefined> {
  const bytes = await readTrustedIfThere(pathOf(place, id), place);
  return bytes === undefined ? undefined : waitSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
}

async function writeWait(place: Place, wait: Wait): Promise<void> {
  await writeDurably(pathOf(place, wait.id), JSON.stringify(wait), place);
}

function pathOf(place: Place, id: string): string {
  return join(runDir(place), "confirm", `${id}.json`);
}

const nothingToConfirm = (id: string, waiting: readonly string[]): Refusal =>
  new Refusal({
    code: "nothing-to-confirm",
    message: `update ${id} does not wait for a confirmation`,
    hint: waiting.length === 0 ? "it was confirmed already, or is undone: ksplice status" : `waiting are: ${waiting.join(", ")}`,
  });
