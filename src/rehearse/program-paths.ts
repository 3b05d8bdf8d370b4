import { join } from "node:path";
import { packageRoot } from "../package-root.js";

/** How a command of this package is run with Node, in the guest as on the host. @param name `apply`, `undo`, … */
export function commandLine(name: string): [string, string] {
  return [process.execPath, join(packageRoot(), "dist", "src", "cli", `ksplice-${name}.js`)];
}
