import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { tellNobody } from "../../events.js";
import { availableParallelism } from "node:os";
import { diskFull, isDiskFull } from "../../host/refusals.js";
import { isDirectory } from "../../host/files.js";
import { mapLimited } from "../../host/map-limited.js";
import { makeUnfinished } from "../../host/unfinished.js";
import { buildRootPath } from "../../tree/kernel-record.js";
import { requireToolchain, versionTextOf } from "../../tree/toolchain.js";
import type { ArchivePlace } from "../distro.js";
import { runAptGet, type Apt } from "./apt.js";
import { packageCache } from "./debian-source.js";
import { showGrowth } from "./download.js";
import { cannotDownload, compilerNotInArchive, unknownCompiler } from "./refusals.js";
import { BUILD_PACKAGES } from "./tool-packages.js";
import { unpackPackage } from "./unpack.js";

/** Changes whenever build roots are made in another way. */
const FORMAT = 1;

/**
 * The compiler that built a kernel, and all else that its build takes, as packages of the archive unpacked into the cache. Nothing is installed and no
 * package's scripts run. Takes 15 s, downloads aside (100 MB, 350 MB unpacked); nothing where it is there already.
 * @param config the kernel's
 * @returns its name, for {@link buildRootPath}
 * @throws Refusal `compiler-not-in-archive` with apt's own words, `cannot-download`, `disk-full`, `other-compiler`
 */
export async function makeBuildRoot(apt: Apt, config: ReadonlyMap<string, string>, place: ArchivePlace): Promise<string> {
  const compiler = compilerPackage(versionTextOf(config));
  const name = `${compiler.name}_${compiler.version}_binutils_${config.get("AS_VERSION") ?? "any"}_${FORMAT}`;
  const path = buildRootPath(place.cacheDir, name);
  if (await isDirectory(path)) return name;

  const tell = place.tell ?? tellNobody;
  await mkdir(packageCache(place.cacheDir), { recursive: true });
  await mkdir(dirname(path), { recursive: true });
  const debs = await makeUnfinished(packageCache(place.cacheDir), "build-root-");
  const unfinished = await makeUnfinished(dirname(path), ".unfinished-");
  try {
    await downloadPackages(apt, config, debs, place);
    tell("stage", `unpacking ${compiler.name} ${compiler.version} and what a build takes`);
    await unpackAll(debs, unfinished);
    await requireToolchain(config, { path: unfinished, needed: [] });
    await rename(unfinished, path).catch(async (error: unknown) => {
      // Somebody else was faster.
      if (!(await isDirectory(path))) throw error;
    });
    return name;
  } finally {
    await rm(debs, { recursive: true, force: true });
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** `x86_64-linux-gnu-gcc-14 (Debian 14.2.0-19) 14.2.0` is of the package gcc-14, version 14.2.0-19. */
function compilerPackage(versionText: string): { name: string; version: string } {
  const [, program = "", version] = /^(?:\w+-linux-gnu-)?(gcc(?:-\d+)?) \(Debian (\S+)\)/.exec(versionText) ?? [];
  if (version === undefined) throw unknownCompiler(versionText);
  return { name: program === "gcc" ? `gcc-${version.split(".")[0] ?? ""}` : program, version };
}

/** apt finds what the packages depend on, downloads it all and checks the hashes. The machine's own state is not looked at. */
async function downloadPackages(apt: Apt, config: ReadonlyMap<string, string>, directory: string, place: ArchivePlace): Promise<void> {
  const versionText = versionTextOf(config);
  const { name, version } = compilerPackage(versionText);
  const settings = [`Dir::State::status=${join(directory, "status")}`, `Dir::Cache::archives=${directory}`, "Debug::NoLocking=1"];
  await mkdir(join(directory, "partial"));
  await writeFile(join(directory, "status"), "");
  const command = [
    ...settings.flatMap((setting) => ["-o", setting]),
    ...["-y", "--no-install-recommends", "install", `${name}=${version}`, ...BUILD_PACKAGES],
  ];
  const plan = await runAptGet(apt, ["--print-uris", ...command]);
  // 'URI' FILE SIZE HASH
  const sizes = Array.from(plan.stdout.matchAll(/^'\S+' \S+ (\d+) /gm), ([, size]) => Number(size));
  if (plan.exitCode !== 0 || sizes.length === 0) throw compilerNotInArchive(versionText, apt.name, plan.all);
  const size = sizes.reduce((sum, each) => sum + each, 0);
  const what = `${name} ${version} and what a build takes, ${sizes.length} packages`;
  const done = await showGrowth(directory, what, size, place.tell ?? tellNobody, () => runAptGet(apt, ["--download-only", ...command]));
  if (done.exitCode === 0) return;
  throw isDiskFull(done.all) ? diskFull(directory, done.all) : cannotDownload(name, version, done.all);
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
    ["awk", "mawk"],
    ["sh", "dash"],
  ] as const)
    await symlink(target, join(root, "usr/bin", name)).catch(ignoreExisting);
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
}
