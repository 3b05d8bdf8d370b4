import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isDirectory, readTextIfThere } from "../../host/files.js";
import { badSeriesLine, emptySeries, noSeries } from "./refusals.js";

/** A line of a series: a patch, and what quilt writes behind it. */
export interface SeriesEntry {
  readonly path: string;
  readonly strip: number | undefined;
  readonly isReversed: boolean;
}

/**
 * Reads a list of patches as quilt keeps it: a name a line, from the directory of the list, `-pN` and `-R` behind it, comments behind #.
 * @param path of the list, or of a directory that has it as `series`
 * @throws Refusal `no-series`, `bad-series-line`, `empty-series`
 */
export async function readSeries(path: string): Promise<SeriesEntry[]> {
  const file = (await isDirectory(path)) ? join(path, "series") : path;
  const text = await readTextIfThere(file);
  if (text === undefined) throw noSeries(file);
  const entries: SeriesEntry[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const [name, ...options] = line
      .replace(/(^|\s)#.*$/, "")
      .trim()
      .split(/\s+/);
    if (name === undefined || name === "") continue;
    const strips = options.filter((option) => /^-p(?:\d+|ab)$/.test(option));
    const others = options.filter((option) => option !== "-R" && !strips.includes(option));
    if (others.length > 0 || strips.length > 1) throw badSeriesLine(`${file}:${index + 1}`, line.trim());
    const [, strip] = /^-p(\d+)$/.exec(strips[0] ?? "") ?? [];
    // -pab is 1, with other names.
    entries.push({
      path: join(dirname(file), name),
      strip: strip === undefined ? undefined : Number(strip),
      isReversed: options.includes("-R"),
    });
  }
  if (entries.length === 0) throw emptySeries(file);
  return entries;
}

/** When a series was last changed: its list, or one of its patches. */
export async function newestTime(paths: readonly string[]): Promise<Date> {
  const times = await Promise.all(paths.map((path) => stat(path).then(({ mtimeMs }) => mtimeMs)));
  return new Date(Math.max(0, ...times));
}
