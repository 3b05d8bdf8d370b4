import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isMissing } from "../../host/files.js";
import { ID_PATTERN } from "../../update/file/manifest.js";
import { storeDir, type Place } from "../place.js";
import { readTrusted, removeDurably, writeDurably } from "../trusted-files.js";

/**
 * Written, and on the disk, before an update of the store is applied; gone once the machine has been well for a while with it. A boot that finds one knows
 * that the machine went down in between.
 */
const markSchema = z.strictObject({
  format: z.literal(1),
  id: z.string().regex(ID_PATTERN),
  bootId: z.string(),
  /** `applying`: it was at it. */
  phase: z.enum(["applying", "applied"]),
  time: z.iso.datetime(),
  /** Seconds since boot. */
  uptime: z.number(),
});

export type Mark = z.infer<typeof markSchema>;

const SUFFIX = ".mark";

/** On the disk when it returns: a crash right behind it finds the mark. @throws Refusal `untrusted-path` where somebody else could write there */
export async function writeMark(place: Place, release: string, mark: Mark): Promise<void> {
  await writeDurably(pathOf(place, release, mark.id), `${JSON.stringify(mark)}\n`, place);
}

/** One that is not there is no error. */
export async function removeMark(place: Place, release: string, id: string): Promise<void> {
  await removeDurably(pathOf(place, release, id));
}

/** Of all updates for one kernel. A mark that cannot be read counts as one of another boot, in the middle of an apply: that leaves an update out, which is safe. */
export async function readMarks(place: Place, release: string): Promise<Mark[]> {
  let names: string[];
  try {
    names = await readdir(join(storeDir(place), release));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  const ids = names.filter((name) => name.endsWith(SUFFIX) && !name.startsWith(".")).map((name) => name.slice(0, -SUFFIX.length));
  return await Promise.all(ids.sort().map(async (id) => await readMark(place, release, id)));
}

async function readMark(place: Place, release: string, id: string): Promise<Mark> {
  try {
    const bytes = await readTrusted(pathOf(place, release, id), place);
    const mark = markSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
    if (mark.id === id) return mark;
  } catch {
    // Judged below.
  }
  return { format: 1, id, bootId: "", phase: "applying", time: new Date(0).toISOString(), uptime: 0 };
}

function pathOf(place: Place, release: string, id: string): string {
  return join(storeDir(place), release, `${id}${SUFFIX}`);
}
