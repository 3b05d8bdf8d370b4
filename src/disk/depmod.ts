import { join } from "node:path";
import { readTextIfThere } from "../host/files.js";
import { moduleName } from "../host/module-file.js";
import { runTool } from "../host/run-tool.js";
import type { ModuleDirectory } from "./module-directory.js";
import { depmodFailed } from "./refusals.js";

/** Beside PATH: a user's path may lack where root's programs are. */
const PROGRAMS = ["depmod", "/usr/sbin/depmod", "/sbin/depmod"];

/** Has depmod look at the modules anew. It writes its tables whole. @throws Refusal `depmod-failed` */
export async function runDepmod({ root, release }: ModuleDirectory): Promise<void> {
  let words = "";
  for (const program of PROGRAMS) {
    const result = await runTool(program, [...(root === "/" ? [] : ["-b", root]), release]);
    if (result.exitCode === 0) return;
    words = result.notFound ? "it is not installed" : result.stderr.trimEnd();
    if (!result.notFound) break;
  }
  throw depmodFailed(release, words);
}

/** The file that modprobe takes for a module, below /lib/modules/RELEASE; undefined where it knows none. */
export async function findWinner({ top }: ModuleDirectory, name: string): Promise<string | undefined> {
  const text = (await readTextIfThere(join(top, "modules.dep"))) ?? "";
  return text
    .split("\n")
    .map((line) => line.slice(0, Math.max(0, line.indexOf(":"))))
    .find((path) => path !== "" && moduleName(path) === name);
}
