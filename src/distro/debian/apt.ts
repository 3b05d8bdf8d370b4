import { execa } from "execa";
import { noApt, noPackageLists } from "./refusals.js";

/** One version of one binary package in the archive, as apt's lists describe it. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  /** Source packages of exact versions that this one holds built code of: `linux (= 6.1.170-3)`. */
  readonly builtUsing: string;
  /** Name of the file in the archive, without directories. */
  readonly fileName: string;
  /** Bytes. */
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}

/** Package lists that apt knows: the machine's own, or others that it is told of by options alone. */
export interface Apt {
  /** As in "the archive of …". */
  readonly name: string;
  /** Arguments that stand before every command; none for the machine's own lists. */
  readonly options: readonly string[];
}

export const MACHINE_APT: Apt = { name: "this machine's sources", options: [] };

const RUN = { reject: false, all: true, stdin: "ignore", env: { LC_ALL: "C" }, maxBuffer: 256 * 1024 * 1024 } as const;

export interface AptResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  /** What was written to either stream. */
  readonly all: string;
}

/** Runs apt-get. Does not judge the outcome. @throws Refusal if there is no apt */
export async function runAptGet(apt: Apt, args: readonly string[], cwd?: string): Promise<AptResult> {
  const result = await execa("apt-get", [...apt.options, "-q", ...args], { ...RUN, ...(cwd === undefined ? {} : { cwd }) });
  if (result.code === "ENOENT") throw noApt();
  return { exitCode: result.exitCode, stdout: result.stdout, all: result.all };
}

/**
 * All versions of all packages whose names match one of the patterns.
 * @param patterns extended regular expressions with `^` and `$`, as apt-cache takes them
 * @throws Refusal if this is no machine with apt, or its package lists were never fetched
 */
export async function findPackages(patterns: readonly string[], apt: Apt = MACHINE_APT): Promise<DebianPackage[]> {
  const packages = parsePackages(await showPackages(patterns, apt));
  if (packages.length === 0 && !(await hasPackageLists(apt))) throw noPackageLists();
  return packages;
}

/** The version that apt would install, by the machine's preferences; undefined if there is no such package. @throws Refusal `no-apt` */
export async function candidateVersion(name: string, apt: Apt = MACHINE_APT): Promise<string | undefined> {
  const result = await execa("apt-cache", [...apt.options, "policy", name], RUN);
  if (result.code === "ENOENT") throw noApt();
  // `(none)` for a package that only others name.
  return /^ *Candidate: (\d\S*)$/m.exec(result.stdout)?.[1];
}

async function showPackages(patterns: readonly string[], apt: Apt): Promise<string> {
  const result = await execa("apt-cache", [...apt.options, "show", ...patterns], RUN);
  if (result.code === "ENOENT") throw noApt();
  return result.stdout;
}

async function hasPackageLists(apt: Apt): Promise<boolean> {
  // What is only installed is described without a file in the archive.
  return /^Filename: /m.test(await showPackages(["linux-libc-dev"], apt));
}

/** Reads paragraphs of `Name: value` lines, as apt-cache prints them. Those without a file in the archive are left out; twins are once. */
export function parsePackages(text: string): DebianPackage[] {
  const packages = new Map<string, DebianPackage>();
  for (const paragraph of text.split(/\n\n+/)) {
    const fields = new Map(Array.from(paragraph.matchAll(/^([\w-]+): (.*)$/gm), ([, name = "", value = ""]) => [name, value] as const));
    const [name, version, file] = [fields.get("Package"), fields.get("Version"), fields.get("Filename")];
    if (name === undefined || version === undefined || file === undefined) continue;
    packages.set(`${name} ${version}`, {
      name,
      version,
      builtUsing: fields.get("Built-Using") ?? "",
      fileName: file.slice(file.lastIndexOf("/") + 1),
      size: Number(fields.get("Size") ?? 0),
      sha256: fields.get("SHA256") ?? "",
    });
  }
  return [...packages.values()];
}
