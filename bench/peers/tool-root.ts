import { join } from "node:path";
import { openSuite } from "../../src/distro/debian/suite.js";
import { BUILD_PACKAGES } from "../../src/distro/debian/tool-packages.js";
import { unpackRoot } from "../../src/distro/debian/unpack-root.js";
import type { ArchivePlace } from "../../src/distro/distro.js";
import { Refusal } from "../../src/diagnostics.js";
import type { BuildRoot } from "../../src/host/build-root.js";
import { hashOf, isDirectory } from "../../src/host/files.js";

/** The release whose compiler builds the kernels and whose `kpatch-build` is measured. */
export const SUITE = "trixie";

/**
 * What the tools call, found by their own checks and errors: `scripts/livepatch/klp-build` of Linux 7.3 takes patchutils (recountdiff), gawk and libxxhash;
 * `kpatch-build` 0.9.10 elfutils, gawk, wget and bzip2; both getopt, of util-linux.
 */
const TOOL_PACKAGES = [
  "bzip2",
  "elfutils",
  "file",
  "gawk",
  "gcc-14",
  "git",
  "libc-bin",
  "libxxhash-dev",
  "openssl",
  "patchutils",
  "util-linux",
  "wget",
];

/** `kpatch-build` depends on all that building Debian's kernel packages takes, TeX included; it needs none of that here. */
const ALONE = ["kpatch-build"];

/** All three tools run in one system: Debian 13's programs, in a directory of the cache. Takes a minute once; 500 MB. */
export async function toolRoot(place: ArchivePlace): Promise<BuildRoot> {
  const packages = [...BUILD_PACKAGES, ...TOOL_PACKAGES];
  const path = join(place.cacheDir, "peers", `root-${hashOf([SUITE, ...packages, ...ALONE]).slice(0, 12)}`);
  if (!(await isDirectory(path)))
    await unpackRoot(await openSuite({ suite: SUITE }, place), packages, path, {
      ...place,
      what: "what the tools take",
      alone: ALONE,
      notInArchive: (words) =>
        new Refusal({ code: "compiler-not-in-archive", message: `the archive of ${SUITE} lacks what the tools take:\n${words}` }),
    });
  return { path, needed: [] };
}
