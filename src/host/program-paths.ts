import { join } from "node:path";
import { packageRoot } from "./package-root.js";

/** How a program of this package is run with Node, in the guest as on the host. @param name `apply`, `undo`, …; empty for `ksplice` itself */
export function commandLine(name: string): [string, string] {
  return [process.execPath, join(packageRoot(), "dist", "cli", `${programName(name)}.cjs`)];
}

/** `ksplice-apply` for `apply`; the umbrella for none. */
export function programName(name: string): string {
  return name === "" ? "ksplice" : `ksplice-${name}`;
}
