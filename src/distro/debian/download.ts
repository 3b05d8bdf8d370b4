import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { tellNobody, type Tell } from "../../events.js";
import { MACHINE_APT, runAptGet, type Apt, type DebianPackage } from "./apt.js";
import { cannotDownload } from "./refusals.js";

/**
 * Downloads a package into `directory` and installs nothing; a file that is there already and has the right hash is taken. apt checks
 * what it downloads against the archive's signed lists. Works without root.
 * @returns path of the .deb
 * @throws Refusal with apt's own words
 */
export async function downloadPackage(
  entry: DebianPackage,
  directory: string,
  { apt = MACHINE_APT, tell = tellNobody }: { apt?: Apt; tell?: Tell | undefined } = {},
): Promise<string> {
  await mkdir(directory, { recursive: true });
  const target = join(directory, entry.fileName);
  if (await hasHash(target, entry.sha256)) return target;

  const unfinished = await mkdtemp(join(directory, "download-"));
  try {
    const what = `${entry.name} ${entry.version}`;
    const result = await showGrowth(unfinished, what, entry.size, tell, () =>
      runAptGet(apt, ["download", `${entry.name}=${entry.version}`], unfinished),
    );
    const [file] = (await readdir(unfinished)).filter((name) => name.endsWith(".deb"));
    if (result.exitCode !== 0 || file === undefined) throw cannotDownload(`${entry.name} ${entry.version}`, result.all);
    // apt spells some characters of a version differently in file names.
    await rename(join(unfinished, file), target);
    return target;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** Tells every second how much of `size` bytes is there while `work` fills a directory. */
export async function showGrowth<T>(directory: string, what: string, size: number, tell: Tell, work: () => Promise<T>): Promise<T> {
  let shown = "0";
  tell("stage", `downloading ${what}: ${megabytes(size)} MB`);
  const ticker = setInterval(() => {
    void sizeIn(directory).then((bytes) => {
      if (megabytes(bytes) === shown) return;
      shown = megabytes(bytes);
      tell("stage", `downloading ${what}: ${shown} of ${megabytes(size)} MB`);
    });
  }, 1000);
  try {
    return await work();
  } finally {
    clearInterval(ticker);
  }
}

async function sizeIn(directory: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(directory, { recursive: true }).catch(() => []))
    bytes += await stat(join(directory, name)).then(
      (found) => (found.isFile() ? found.size : 0),
      () => 0, // renamed meanwhile
    );
  return bytes;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

async function hasHash(path: string, sha256: string): Promise<boolean> {
  try {
    if (!(await stat(path)).isFile()) return false;
  } catch {
    return false;
  }
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex") === sha256;
}
