import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import lockfile from "proper-lockfile";
import { tellNobody } from "../../events.js";
import { hashOf, isFile, isMissing, readTextIfThere } from "../../host/files.js";
import type { ArchivePlace } from "../distro.js";
import { MACHINE_APT, runAptGet, type Apt } from "./apt.js";
import { cannotFetchLists, noArchiveKeyring } from "./refusals.js";

/** Package lists of another release of Debian than the machine's, or of given sources: in a state of apt's of its own, below the cache. */

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** How the names of a release's kernels show it. Before Debian 13, Debian's own ones said nothing of the release. */
const RELEASES: readonly (readonly [codeName: string, kernels: RegExp])[] = [
  ["bullseye", /^5\.10\.0-|[+~]deb11|~bpo11/],
  ["bookworm", /^6\.1\.0-|[+~]deb12|~bpo12|\+bpo-/],
  ["trixie", /\+deb13|~bpo13/],
  ["forky", /\+deb14|~bpo14/],
];

/** Code name of the release that a kernel was made for; undefined if its name does not show it. */
export function suiteOfKernel(release: string): string | undefined {
  return RELEASES.find(([, kernels]) => kernels.test(release))?.[0];
}

/** Code name of the release that this machine runs; undefined where it is not said, as on a testing release's. */
export async function machineSuite(): Promise<string | undefined> {
  return /^VERSION_CODENAME="?([\w-]+)"?$/m.exec((await readTextIfThere("/etc/os-release")) ?? "")?.[1];
}

/** Lists older than this are fetched again. */
const FRESH_MS = 24 * 3600 * 1000;

/**
 * apt with the package lists of a suite, or of given sources; those are fetched if they are not there or a day old. The archive's signatures are
 * checked by apt, with Debian's keys.
 * @throws Refusal with apt's own words
 */
export async function openSuite(
  which: { readonly suite: string } | { readonly sources: readonly string[] },
  place: ArchivePlace,
): Promise<Apt> {
  const [name, sources] = "suite" in which ? [which.suite, await suiteSources(which.suite)] : ["the given sources", which.sources];
  const dir = join(place.cacheDir, "apt", `${"suite" in which ? which.suite : "sources"}-${hashOf(sources).slice(0, 12)}`);
  const apt: Apt = { name, options: aptOptions(dir) };
  const stamp = join(dir, "fetched");
  await mkdir(join(dir, "cache", "archives", "partial"), { recursive: true });
  const release = await lockfile.lock(dir, { stale: 60_000, retries: { retries: 600, minTimeout: 500, maxTimeout: 500 } });
  try {
    if (await isFresh(stamp)) return apt;
    (place.tell ?? tellNobody)("stage", `fetching the package lists of ${name}`);
    await rm(join(dir, "lists"), { recursive: true, force: true });
    await mkdir(join(dir, "lists", "partial"), { recursive: true });
    await writeFile(join(dir, "status"), "");
    await writeFile(join(dir, "sources.list"), `${sources.join("\n")}\n`);
    const result = await runAptGet(apt, ["-o", "APT::Update::Error-Mode=any", "update"]);
    if (result.exitCode !== 0) throw cannotFetchLists(name, sources, result.all);
    await writeFile(`${stamp}.new`, "");
    await rename(`${stamp}.new`, stamp);
    return apt;
  } finally {
    await release();
  }
}

async function isFresh(stamp: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(stamp)).mtimeMs < FRESH_MS;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Nothing of the machine's configuration that says what is installed, preferred or trusted counts; proxies and the like do. */
function aptOptions(dir: string): string[] {
  const settings = {
    "Dir::State": dir,
    "Dir::State::lists": join(dir, "lists"),
    "Dir::State::status": join(dir, "status"),
    "Dir::Cache": join(dir, "cache"),
    "Dir::Etc::sourcelist": join(dir, "sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::Etc::preferences": "/dev/null",
    "Dir::Etc::preferencesparts": "/dev/null",
    "Dir::Etc::trusted": "/dev/null",
    "Dir::Etc::trustedparts": "/dev/null",
    "APT::Default-Release": "",
    "APT::Architecture": "amd64",
    "Acquire::Languages": "none",
    // Downloads go below the user's home, where apt's own user may not be let in.
    "APT::Sandbox::User": "root",
  };
  return Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}

/** The parts of a suite that kernels are in, from the mirrors that the machine uses for its own. @throws Refusal `no-archive-keyring` */
export async function suiteSources(suite: string): Promise<string[]> {
  if (!(await isFile(KEYRING))) throw noArchiveKeyring(KEYRING);
  const { main, security } = await findMirrors();
  const entry = (uri: string, name: string): string => `deb [arch=amd64 signed-by=${KEYRING}] ${uri} ${name} main`;
  return [entry(main, suite), entry(main, `${suite}-backports`), entry(security, `${suite}-security`)];
}

const DEFAULT_MIRRORS = { main: "http://deb.debian.org/debian/", security: "http://deb.debian.org/debian-security/" };

async function findMirrors(): Promise<typeof DEFAULT_MIRRORS> {
  const result = await runAptGet(MACHINE_APT, ["indextargets", "--format", "$(REPO_URI) $(ORIGIN)/$(LABEL)", "Created-By: Packages"]);
  const uriOf = (label: string): string | undefined => new RegExp(`^(\\S+) Debian/${label}$`, "m").exec(result.stdout)?.[1];
  return { main: uriOf("Debian") ?? DEFAULT_MIRRORS.main, security: uriOf("Debian-Security") ?? DEFAULT_MIRRORS.security };
}
