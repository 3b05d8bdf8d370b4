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

/**
 * All versions of all packages whose names match one of the patterns.
 * @param patterns extended regular expressions with `^` and `$`, as apt-cache takes them
 * @throws Refusal if this is no machine with apt, or its package lists were never fetched
 */
export async function findPackages(patterns: readonly string[]): Promise<DebianPackage[]> {
  const result = await execa("apt-cache", ["show", ...patterns], { reject: false, env: { LC_ALL: "C" }, stdin: "ignore" });
  if (result.code === "ENOENT") throw noApt();
  const packages = parsePackages(result.stdout);
  if (packages.length === 0 && !(await hasPackageLists())) throw noPackageLists();
  return packages;
}

async function hasPackageLists(): Promise<boolean> {
  const result = await execa("apt-cache", ["show", "linux-libc-dev"], { reject: false, env: { LC_ALL: "C" }, stdin: "ignore" });
  // What is only installed is described without a file in the archive.
  return /^Filename: /m.test(result.stdout);
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
