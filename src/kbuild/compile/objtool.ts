import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseConfig } from "../../tree/kernel-config.js";
import { readTextIfThere, writeWhole } from "../../host/files.js";
import { makeKernel, withBuildLock } from "../make.js";
import { objtoolFailed } from "./refusals.js";
import { cannotPrepare } from "../refusals.js";
import { runTool } from "../../host/run-tool.js";
import { parseSavedCommand } from "./saved-command.js";
import type { PreparedBuild } from "../types.js";
import type { UnitCommand } from "./unit-command.js";

/**
 * Options that ask for a view of the whole link unit, which a single object is not: sealing the endbr64 of a function
 * because this object takes no pointer to it would be wrong when another object does.
 */
const LINK_OPTIONS: ReadonlySet<string> = new Set(["--link", "--ibt", "--noinstr", "--unret"]);

/**
 * objtool's argument vector for one object of the unit, without the object; undefined where kbuild leaves the unit to no objtool at all.
 * With IBT or LTO kbuild runs it only once over vmlinux.o or a whole module (`delay-objtool`, scripts/Makefile.lib, Linux 6.1):
 * then the options come from what kbuild does to a module of one object.
 */
export async function findObjtoolCommand(build: PreparedBuild, command: UnitCommand): Promise<readonly string[] | undefined> {
  if (command.objtool !== undefined) return command.objtool.filter((word) => !LINK_OPTIONS.has(word));
  const delayed = await findDelayedObjtool(build);
  if (delayed === undefined) return undefined;
  const words = delayed.filter((word) => !LINK_OPTIONS.has(word) && word !== "--module");
  return command.compile.includes("-DMODULE") ? [...words, "--module"] : words;
}

/** Runs objtool on an object in place. @throws Refusal with objtool's own words */
export async function runObjtool(build: PreparedBuild, words: readonly string[], object: string, unit: string): Promise<void> {
  const [program = "", ...args] = words;
  const result = await runTool(program, [...args, object], { cwd: build.outDir, root: build.root });
  if (result.exitCode !== 0) throw objtoolFailed(unit, result.stderr.replaceAll(object, unit).trimEnd());
}

interface Remembered {
  /** Empty where kbuild does not delay objtool. */
  readonly words: readonly string[];
}

async function findDelayedObjtool(build: PreparedBuild): Promise<readonly string[] | undefined> {
  const config = parseConfig((await readTextIfThere(join(build.outDir, "include/config/auto.conf"))) ?? "");
  if (!config.has("OBJTOOL") && !config.has("STACK_VALIDATION")) return undefined;
  const file = join(build.cacheDir, "objtool.json");
  let text = await readTextIfThere(file);
  if (text === undefined) {
    const words = await withBuildLock(build.cacheDir, () => askKbuild(build));
    text = JSON.stringify({ words: words?.includes("--link") === true ? words : [] } satisfies Remembered);
    await writeWhole(file, text);
  }
  const { words } = JSON.parse(text) as Remembered;
  return words.length === 0 ? undefined : words;
}

/** What kbuild does to an external module of one object tells its options without our knowing any. */
async function askKbuild(build: PreparedBuild): Promise<readonly string[] | undefined> {
  await mkdir(join(build.cacheDir, "tmp"), { recursive: true });
  const directory = await mkdtemp(join(build.cacheDir, "tmp", "probe-"));
  try {
    await writeFile(join(directory, "Kbuild"), "obj-m := probe.o\n");
    await writeFile(join(directory, "probe.c"), "int probe(void);\nint probe(void) { return 0; }\n");
    const result = await makeKernel({ ...build, source: build.tree.source }, [`M=${directory}`, "probe.o"]);
    const saved = await readTextIfThere(join(directory, ".probe.o.cmd"));
    if (saved === undefined) throw cannotPrepare(build.release, result.stderr.trimEnd());
    return parseSavedCommand(saved)?.objtool;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
