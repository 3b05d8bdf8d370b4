import { mkdir } from "node:fs/promises";
import { basename } from "node:path";
import { execa, ExecaError } from "execa";
import { cannotUnpack, missingDebianTool } from "../../host/refusals.js";

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

/**
 * Unpacks members of a .deb into a directory that is made if need be; owners and set-id bits are not restored.
 * @param members paths in the package with `./` before them, directories with all they hold; empty for all
 * @throws Refusal with the tools' own words
 */
export async function unpackPackage(deb: string, directory: string, members: readonly string[] = []): Promise<void> {
  await mkdir(directory, { recursive: true });
  try {
    await execa(STREAM)`dpkg-deb --fsys-tarfile ${deb}`.pipe({
      ...STREAM,
      stdin: "pipe",
    })`tar -x --no-same-owner --no-same-permissions -f - -C ${directory} ${members}`;
  } catch (error) {
    throw refusalOf(deb, error);
  }
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
    throw refusalOf(deb, error);
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

function refusalOf(deb: string, error: unknown): Error {
  return error instanceof ExecaError ? cannotUnpack(basename(deb), String(error.stderr) || error.shortMessage) : (error as Error);
}
