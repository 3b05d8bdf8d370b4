import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Tell } from "../src/events.js";
import { compareDebianVersions } from "../src/distro/debian/debian-version.js";
import { listSources, readSourceFiles } from "../src/distro/debian/debian-source.js";
import type { ArchivePlace } from "../src/distro/distro.js";
import { unifiedDiff } from "../src/kbuild/change/diff-texts.js";

/** A patch made of the difference between two versions of a source that the archive has. */
export interface ArchiveFix {
  readonly from: string;
  readonly to: string;
  /** As `patch -p1` takes it. */
  readonly patch: string;
}

/** The version of the source that follows in the archive, of the same series; undefined where there is none. */
export async function findNextSource(version: string, place: ArchivePlace): Promise<string | undefined> {
  const series = version.split(".").slice(0, 2).join(".");
  return (await listSources(series, place)).find((candidate) => compareDebianVersions(candidate, version) > 0);
}

/**
 * The change that the next source version in the archive makes to a file of a prepared tree.
 * @param version Debian version of the tree's source
 * @returns undefined if there is no later version, or it leaves the file as it is
 */
export async function fixFromNextSource(
  tree: string,
  version: string,
  file: string,
  options: ArchivePlace & { readonly tell: Tell },
): Promise<ArchiveFix | undefined> {
  const next = await findNextSource(version, options);
  if (next === undefined) return undefined;
  options.tell("stage", `reading ${file} of ${next}`);
  const after = (await readSourceFiles(next, [file], options)).get(file);
  const before = await readFile(join(tree, file));
  if (after === undefined || before.equals(after)) return undefined;
  return { from: version, to: next, patch: await unifiedDiff(file, before.toString("latin1"), Buffer.from(after).toString("latin1")) };
}
