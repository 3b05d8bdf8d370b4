import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { execa, ExecaError } from "execa";
import { cannotUnpack, missingDebianTool } from "./refusals.js";

/** Modules of the kernel as files: packed, as distributions do it (CONFIG_MODULE_COMPRESS), or not. */
const MODULE_FILE = /\.ko(?:\.(?:xz|zst|gz))?$/;

/** What unpacks a module, by the ending of its name. */
const UNPACKERS: readonly (readonly [ending: string, program: string, debianPackage: string])[] = [
  [".xz", "xz", "xz-utils"],
  [".zst", "zstd", "zstd"],
  [".gz", "gzip", "gzip"],
];

/** True by the name: `e1000e.ko`, `e1000e.ko.zst`. */
export function isModuleFile(path: string): boolean {
  return MODULE_FILE.test(path);
}

/** The kernel's spelling of a module's name, from a name or a path: `drivers/i2c/i2c-dev.ko.xz` is `i2c_dev`. */
export function moduleName(path: string): string {
  return basename(path).replace(MODULE_FILE, "").replaceAll("-", "_");
}

/** A module, unpacked. @throws Refusal `missing-tools`, `cannot-unpack` */
export async function readModuleFile(path: string): Promise<Uint8Array> {
  const [, program, debianPackage] = UNPACKERS.find(([ending]) => path.endsWith(ending)) ?? [];
  if (program === undefined || debianPackage === undefined) return await readFile(path);
  try {
    const { stdout } = await execa(program, ["-dc", path], { encoding: "buffer", maxBuffer: 256 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    throw error.code === "ENOENT" ? missingDebianTool(program, debianPackage) : cannotUnpack(basename(path), String(error.stderr));
  }
}
