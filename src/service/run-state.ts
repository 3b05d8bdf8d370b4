import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isMissing } from "../host/files.js";
import { CVE_PATTERN, ID_PATTERN } from "../update/file/manifest.js";
import { runDir, type Place } from "./place.js";
import { readTrusted, readTrustedIfThere, removeDurably, writeDurably } from "./trusted-files.js";

/** What is known of this boot: in /run, so that it is gone with it. */

const outcomeSchema = z.strictObject({
  id: z.string(),
  /** `waiting`: for modules; `left-out`: held, or something that it needs is not applied. */
  state: z.enum(["applied", "failed", "waiting", "left-out"]),
  code: z.string().optional(),
  message: z.string().optional(),
  modules: z.array(z.string()).optional(),
});

const lastRunSchema = z.strictObject({
  format: z.literal(1),
  release: z.string(),
  time: z.string(),
  disabledBy: z.string().optional(),
  outcomes: z.array(outcomeSchema),
});

const appliedSchema = z.strictObject({
  format: z.literal(1),
  id: z.string().regex(ID_PATTERN),
  description: z.string(),
  /** When the change was made. */
  created: z.string(),
  cves: z.array(z.string().regex(CVE_PATTERN)),
  effective: z.string().optional(),
  /** SHA-256 of the tarball; absent for an unpacked tree. */
  sha256: z.string().optional(),
  signer: z.string().optional(),
  skippedTargets: z.array(z.string()),
  applied: z.string(),
  /** It was taken out of service, and the kernel did not let it go: why. */
  removed: z.string().optional(),
  /** It was taken out again at this time. */
  undone: z.string().optional(),
});

/** Code of what was left out because it had been undone; and why, in words. */
export const UNDONE = "undone";
export const UNDONE_BY_HAND = "it was undone by hand; the next boot applies it, or `ksplice service start`";

/** What became of one update of the store at the latest start or resume. */
export type Outcome = z.infer<typeof outcomeSchema>;
export type LastRun = z.infer<typeof lastRunSchema>;
/** An update that was applied since boot: what the kernel does not know of it. */
export type AppliedRecord = z.infer<typeof appliedSchema>;

/** Undefined before the first start since boot, and where the file cannot be understood. */
export async function readLastRun(place: Place): Promise<LastRun | undefined> {
  const bytes = await readTrustedIfThere(join(runDir(place), "service.json"), place);
  return bytes === undefined ? undefined : lastRunSchema.safeParse(parse(bytes)).data;
}

/** For the status, until the next boot. */
export async function writeLastRun(place: Place, run: LastRun): Promise<void> {
  await writeDurably(join(runDir(place), "service.json"), `${JSON.stringify(run)}\n`, place);
}

/** Oldest first. What cannot be understood is passed over: the kernel itself knows what is applied. */
export async function readAppliedRecords(place: Place): Promise<AppliedRecord[]> {
  const directory = join(runDir(place), "applied");
  const records: AppliedRecord[] = [];
  for (const name of await namesIn(directory)) {
    const record = appliedSchema.safeParse(parse(await readTrusted(join(directory, name), place))).data;
    if (record !== undefined) records.push(record);
  }
  return records.sort((a, b) => (a.applied < b.applied ? -1 : 1));
}

/** Notes what is known of an update that has just been applied. */
export async function writeAppliedRecord(place: Place, record: AppliedRecord): Promise<void> {
  await writeDurably(join(runDir(place), "applied", `${record.id}.json`), `${JSON.stringify(record)}\n`, place);
}

/** Notes that an update was taken out. @param isReplaced another has come in its place: there is nothing to say of it any more */
export async function noteUndone(place: Place, id: string, now: Date, isReplaced = false): Promise<void> {
  const path = join(runDir(place), "applied", `${id}.json`);
  if (isReplaced) {
    await removeDurably(path);
    return;
  }
  const record = (await readAppliedRecords(place)).find((each) => each.id === id);
  if (record !== undefined) await writeAppliedRecord(place, { ...record, undone: now.toISOString() });
}

/** Notes that an update is out of service and still in the kernel. */
export async function noteStays(place: Place, id: string, reason: string): Promise<void> {
  const record = (await readAppliedRecords(place)).find((each) => each.id === id);
  if (record !== undefined) await writeAppliedRecord(place, { ...record, removed: reason });
}

/** Leaves a file a module, by which udev knows whose coming is waited for (`60-ksplice.rules`). */
export async function writeWaiting(place: Place, modules: readonly string[]): Promise<void> {
  const directory = join(runDir(place), "waiting");
  for (const name of await namesIn(directory)) if (!modules.includes(name)) await removeDurably(join(directory, name));
  for (const name of modules) await writeDurably(join(directory, name), "", place);
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => !name.startsWith(".")).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
