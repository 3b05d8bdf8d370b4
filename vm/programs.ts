import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { missingProgram } from "./refusals.js";

/** The Debian package of each program that the harness runs. */
const PACKAGES = {
  "qemu-system-x86_64": "qemu-system-x86",
  busybox: "busybox-static",
  setpriv: "util-linux",
} as const;

export type Program = keyof typeof PACKAGES;

const SYSTEM_PATHS = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

// eslint-disable-next-line no-restricted-properties -- where programs are found is the same for every caller
const searchPathOfProcess = (): string => process.env["PATH"] ?? "";

/** Absolute path of a program. @throws Refusal that names the Debian package to install */
export function requireProgram(program: Program, searchPath = searchPathOfProcess(), systemPaths = SYSTEM_PATHS): string {
  const directories = [...searchPath.split(delimiter).filter((directory) => directory !== ""), ...systemPaths];
  const found = directories.map((directory) => join(directory, program)).find(isExecutable);
  if (found === undefined) throw missingProgram(program, PACKAGES[program]);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
