import { mkdir } from "node:fs/promises";
import { basename } from "node:path";
import { execa, ExecaError } from "execa";
import { cannotUnpack, diskFull, isDiskFull, missingDebianTool } from "../../host/refusals.js";

/** Programs that unpacking takes, and Debian's packages of them. */
const TOOLS: readonly (readonly [program: string, debianPackage: string])[] = [
  ["dpkg-deb", "dpkg"],
  ["tar", "tar"],
  ["xz", "xz-utils"],
];

/** @throws Refusal for the first program that is missing */
export async function checkUnpackTools(): Promise<void> {
  for (const [program, debianPackage] of TOOLS) {
    const result = await execa(program, ["--version"], { reject: false });
    if (result.code === "ENOENT") throw missingDebianTool(program, debianPackage);
  }
}

/** Nothing of what flows between the programs is kept in memory. */
const STREAM = { buffer: { stdout: false, stderr: true }, env: { LC_ALL: "C" } } as const;

/** Owners and set-id bits are not restored. A directory that is a link already stays one: `lib`, of `usr/lib`. */
const EXTRACT = ["-x", "--no-same-owner", "--no-same-permissions", "--keep-directory-symlink", "-f", "-"];

/**
 * Unpacks a .deb into a directory that is made if need be.
 * @param options `without`: paths in the package with `./` before them that are left out with all they hold
 * @throws Refusal with the tools' own words
 */
export async function unpackPackage(deb: string, directory: string, { without = [] }: { without?: readonly string[] } = {}): Promise<void> {
  await mkdir(directory, { recursive: true });
  const excluded = without.map((path) => `--exclude=${path}`);
  try {
    await execa(STREAM)`dpkg-deb --fsys-tarfile ${deb}`.pipe({ ...STREAM, stdin: "pipe" })`tar ${excluded} ${EXTRACT} -C ${directory}`;
  } catch (error) {
    throw refusalOf(deb, directory, error);
  }
}

/**
 * The text of a compressed file in a .deb; undefined where there is none of that name.
 * @param member as tar matches it: `./usr/src/linux-patch-*-rt.patch.xz`
 */
export async function readPackedText(deb: string, member: string): Promise<string | undefined> {
  const listed = execa({ ...STREAM, reject: false })`dpkg-deb --fsys-tarfile ${deb}`.pipe({
    ...STREAM,
    stdin: "pipe",
    reject: false,
  })`tar -x -O --wildcards -f - ${member}`;
  const { stdout } = await listed.pipe({
    env: STREAM.env,
    reject: false,
    stripFinalNewline: false,
    encoding: "latin1",
    maxBuffer: 64 * 1024 * 1024,
  })`xz -d -c`;
  return stdout === "" ? undefined : stdout;
}

/**
 * Unpacks the source tree that a linux-source package holds as a compressed archive.
 * @param deb the package; `name` is the package's name, which the archive and its top directory are called by
 * @throws Refusal with the tools' own words
 */
export async function unpackSourceTree(deb: string, name: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  try {
    await execa(STREAM)`dpkg-deb --fsys-tarfile ${deb}`.pipe({ ...STREAM, stdin: "pipe" })`tar -x -O -f - ./usr/src/${name}.tar.xz`.pipe({
      ...STREAM,
      stdin: "pipe",
    })`xz -d -c -T0`.pipe({
      ...STREAM,
      stdin: "pipe",
    })`tar -x --no-same-owner --no-same-permissions --strip-components=1 -f - -C ${directory}`;
  } catch (error) {
    throw refusalOf(deb, directory, error);
  }
}

/**
 * Unpacks some files of the source tree, and stops when it has them.
 * @returns nothing; a file that the archive does not hold is not there afterwards
 */
export async function unpackSourceFiles(deb: string, name: string, paths: readonly string[], directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const members = paths.map((path) => `${name}/${path}`);
  // Once tar has what it wants it closes the pipe, and those before it end with an error: what counts is what is there.
  await execa({ ...STREAM, reject: false })`dpkg-deb --fsys-tarfile ${deb}`.pipe({
    ...STREAM,
    stdin: "pipe",
    reject: false,
  })`tar -x -O -f - ./usr/src/${name}.tar.xz`.pipe({ ...STREAM, stdin: "pipe", reject: false })`xz -d -c -T0`.pipe({
    ...STREAM,
    stdin: "pipe",
    reject: false,
  })`tar -x --no-same-owner --occurrence=1 --strip-components=1 -f - -C ${directory} ${members}`;
}

function refusalOf(deb: string, directory: string, error: unknown): Error {
  if (!(error instanceof ExecaError)) return error as Error;
  const words = String(error.stderr) || error.shortMessage;
  return isDiskFull(words) ? diskFull(directory, words) : cannotUnpack(basename(deb), words);
}
