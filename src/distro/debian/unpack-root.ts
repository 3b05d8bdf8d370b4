import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { tellNobody } from "../../events.js";
import type { BuildRoot } from "../../host/build-root.js";
import { isDirectory } from "../../host/files.js";
import { mapLimited } from "../../host/map-limited.js";
import { makeUnfinished } from "../../host/unfinished.js";
import { diskFull, isDiskFull } from "../../host/refusals.js";
import type { ArchivePlace } from "../distro.js";
import { runAptGet, type Apt } from "./apt.js";
import { packageCache } from "./debian-source.js";
import { showGrowth } from "./download.js";
import { cannotDownload } from "./refusals.js";
import { unpackPackage } from "./unpack.js";

export interface RootRequest extends ArchivePlace {
  /** What the packages are, for messages. */
  readonly what: string;
  /** Packages taken as they are, without what they depend on. */
  readonly alone?: readonly string[];
  /** The refusal where the archive lacks one of them. @param words apt's own */
  readonly notInArchive: (words: string) => Error;
  /** Throws where the root is not what was wanted; nothing is left of it then. */
  readonly check?: (root: BuildRoot) => Promise<void>;
}

/**
 * Packages of the archive and all that they depend on, unpacked into a directory as the `usr` of a system. Nothing is installed and no package's scripts run.
 * @param packages as apt-get takes them: `bc`, `gcc-14=14.2.0-19`
 * @param path that is made; whole once it is there
 * @throws Refusal with apt's own words, `cannot-download`, `disk-full`
 */
export async function unpackRoot(apt: Apt, packages: readonly string[], path: string, request: RootRequest): Promise<void> {
  const tell = request.tell ?? tellNobody;
  await mkdir(packageCache(request.cacheDir), { recursive: true });
  await mkdir(dirname(path), { recursive: true });
  const debs = await makeUnfinished(packageCache(request.cacheDir), "build-root-");
  const unfinished = await makeUnfinished(dirname(path), ".unfinished-");
  try {
    await downloadPackages(apt, packages, debs, request);
    for (const name of request.alone ?? []) {
      const done = await runAptGet(apt, ["download", name], debs);
      if (done.exitCode !== 0) throw request.notInArchive(done.all);
    }
    tell("stage", `unpacking ${request.what}`);
    await unpackAll(debs, unfinished);
    await request.check?.({ path: unfinished, needed: [] });
    await rename(unfinished, path).catch(async (error: unknown) => {
      // Somebody else was faster.
      if (!(await isDirectory(path))) throw error;
    });
  } finally {
    await rm(debs, { recursive: true, force: true });
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** apt finds what the packages depend on, downloads it all and checks the hashes. The machine's own state is not looked at. */
async function downloadPackages(apt: Apt, packages: readonly string[], directory: string, request: RootRequest): Promise<void> {
  const settings = [`Dir::State::status=${join(directory, "status")}`, `Dir::Cache::archives=${directory}`, "Debug::NoLocking=1"];
  await mkdir(join(directory, "partial"));
  await writeFile(join(directory, "status"), "");
  const command = [...settings.flatMap((setting) => ["-o", setting]), ...["-y", "--no-install-recommends", "install", ...packages]];
  const plan = await runAptGet(apt, ["--print-uris", ...command]);
  // 'URI' FILE SIZE HASH
  const sizes = Array.from(plan.stdout.matchAll(/^'\S+' \S+ (\d+) /gm), ([, size]) => Number(size));
  if (plan.exitCode !== 0 || sizes.length === 0) throw request.notInArchive(plan.all);
  const size = sizes.reduce((sum, each) => sum + each, 0);
  const what = `${request.what}, ${sizes.length} packages`;
  const done = await showGrowth(directory, what, size, request.tell ?? tellNobody, () => runAptGet(apt, ["--download-only", ...command]));
  if (done.exitCode === 0) return;
  throw isDiskFull(done.all) ? diskFull(directory, done.all) : cannotDownload(request.what, done.all);
}

/** Documentation, translations and time zones are a third of it. */
const LEFT_OUT = ["doc", "man", "info", "locale", "zoneinfo", "lintian"].map((name) => `./usr/share/${name}`);

async function unpackAll(debs: string, root: string): Promise<void> {
  // As every release since 12 has it; a package may still name the old places.
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    await mkdir(join(root, "usr", name), { recursive: true });
    await symlink(`usr/${name}`, join(root, name));
  }
  const files = (await readdir(debs)).filter((name) => name.endsWith(".deb"));
  await mapLimited(files, availableParallelism(), (name) => unpackPackage(join(debs, name), root, { without: LEFT_OUT }));
  // What the packages' scripts would choose.
  for (const [name, target] of [
    // gawk comes first where both are installed.
    ["awk", files.some((name) => name.startsWith("gawk_")) ? "gawk" : "mawk"],
    ["sh", "dash"],
  ] as const)
    await symlink(target, join(root, "usr/bin", name)).catch(ignoreExisting);
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
}
