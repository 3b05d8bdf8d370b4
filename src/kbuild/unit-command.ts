import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { hashOf, readTextIfThere, writeWhole } from "./files.js";
import { makeKernel, withBuildLock, withoutLock } from "./make.js";
import { ObjectCache, objectKey } from "./object-cache.js";
import { findObjtoolCommand, runObjtool } from "./objtool.js";
import { doesNotCompile } from "./refusals.js";
import { findDefinition, parseSavedCommand, type SavedCommand } from "./saved-command.js";
import type { PreparedBuild, Unit } from "./types.js";

/** How kbuild makes one unit. Remembered in the cache, for asking kbuild costs seconds. */
export interface UnitCommand {
  readonly unit: Unit;
  readonly compile: readonly string[];
  readonly objtool: readonly string[] | undefined;
  /** Files that the unpatched unit is compiled from, below the top of the tree, as far as they lie in the source. */
  readonly sources: readonly string[];
}

/** What a file of the cache holds of one object. */
interface Remembered {
  /** Hash of the makefiles that the answer came from. */
  readonly rules: string;
  /** Absent for an object that the configuration does not have. */
  readonly command?: UnitCommand;
}

/**
 * Kbuild makes an object that it is asked for even if the configuration leaves it out. These variables, which it expands where it
 * puts the compiler's flags together, are empty, and print the object's name, and the directory whose makefile has it, if it is on one of
 * kbuild's own lists (scripts/Makefile.lib, Linux 6.1: modkern_cflags, real-obj-y).
 */
const MEMBERSHIP_MARK = "ksplice-in-config";
const MEMBERSHIP_VARIABLES = [
  ["CFLAGS_KERNEL", "$(real-obj-y) $(lib-y)"],
  ["CFLAGS_MODULE", "$(real-obj-m) $(lib-m)"],
].map(
  ([name = "", lists = ""]) => `${name}=$(if $(filter $(basename $@).o,${lists}),$(info <${MEMBERSHIP_MARK} $(basename $@).o $(obj)>))`,
);

/**
 * The commands of those objects that this configuration has, by object path (`net/ipv4/raw.o`). Objects that it does not have are absent.
 * What is not remembered is asked of kbuild in one call, which compiles it.
 * @throws Refusal `does-not-compile` if an unpatched unit does not compile
 */
export async function findUnitCommands(build: PreparedBuild, objects: readonly string[]): Promise<ReadonlyMap<string, UnitCommand>> {
  const rules = new RulesHash(build.tree.source);
  const answers = new Map<string, UnitCommand | undefined>();
  const recall = async (): Promise<string[]> => {
    for (const object of objects) {
      if (answers.has(object)) continue;
      const remembered = await recallAnswer(build, object);
      if (remembered?.rules === (await rules.of(object))) answers.set(object, remembered.command);
    }
    return objects.filter((object) => !answers.has(object));
  };
  if ((await recall()).length > 0) {
    await withBuildLock(build.cacheDir, async () => {
      // Another process may have asked meanwhile.
      const unknown = await recall();
      if (unknown.length === 0) return;
      for (const [object, command] of await askKbuild(build, unknown)) {
        answers.set(object, command);
        const remembered: Remembered = { rules: await rules.of(object), ...(command === undefined ? {} : { command }) };
        await writeWhole(answerFile(build, object), JSON.stringify(remembered));
      }
    });
  }
  const found = new Map<string, UnitCommand>();
  for (const [object, command] of answers) if (command !== undefined) found.set(object, command);
  return found;
}

/** First, without compiling anything, which of the objects the configuration has: a distribution's release touches as many that it has not. */
async function askKbuild(build: PreparedBuild, objects: readonly string[]): Promise<Map<string, UnitCommand | undefined>> {
  await mkdir(join(build.cacheDir, "tmp"), { recursive: true });
  const context = { ...build, source: build.tree.source };
  const dryRun = await makeKernel(context, ["-k", "-n", ...MEMBERSHIP_VARIABLES, ...objects]);
  const owners = parseMembers(dryRun.stdout);
  const members = objects.filter((object) => owners.has(object));
  const answers = new Map<string, UnitCommand | undefined>(objects.map((object) => [object, undefined]));
  if (members.length === 0) return answers;
  const result = await makeKernel(context, ["-k", ...members]);
  const made = new Map<string, UnitCommand | undefined>();
  for (const object of members) made.set(object, await readCommand(build, object));
  // Where a makefile names a directory two levels below it (drivers/Makefile: char/ipmi/), kbuild also looks for the object in the one between,
  // which does not know it and takes other flags; in turn, the right one is the last.
  const isStray = (object: string): boolean => (ownerOf(made.get(object)) ?? owners.get(object)) !== owners.get(object);
  const strays = members.filter(isStray);
  if (strays.length > 0) await makeKernel({ ...context, jobs: 1 }, ["-k", ...strays]);
  for (const object of strays) {
    made.set(object, await readCommand(build, object));
    if (isStray(object))
      throw new Error(`kbuild makes ${object} in ${ownerOf(made.get(object)) ?? ""}, not in ${owners.get(object) ?? ""}`);
  }
  for (const object of members) {
    const command = made.get(object);
    if (command === undefined) throw doesNotCompile(object, false, compilerWords(result.stderr, build.tree.source));
    await adoptObject(build, command);
    answers.set(object, command);
  }
  return answers;
}

/**
 * What the members have printed: the directory whose makefile has each, by object path. Wherever it stands: several makes write at once, and the
 * commands that they print are longer than what a pipe takes at a time.
 */
export function parseMembers(stdout: string): ReadonlyMap<string, string> {
  const marks = stdout.matchAll(new RegExp(`<${MEMBERSHIP_MARK} ([^\\s<>]+) ([^\\s<>]+)>`, "g"));
  return new Map(Array.from(marks, ([, object = "", owner = ""]) => [object, owner]));
}

/** The directory whose makefile made a unit; undefined where kbuild does not say, which it always does for what is on none of its lists. */
function ownerOf(command: UnitCommand | undefined): string | undefined {
  const file = command === undefined ? undefined : findDefinition(command.compile, "KBUILD_MODFILE");
  return file === undefined ? undefined : dirname(file.split(":")[0] ?? file);
}

/** The command of one unit. @throws Error if the configuration does not have it */
export async function requireUnitCommand(build: PreparedBuild, unit: Unit): Promise<UnitCommand> {
  const command = (await findUnitCommands(build, [unit.path])).get(unit.path);
  if (command === undefined) throw new Error(`${unit.path} is not made in this configuration`);
  return command;
}

function answerFile(build: PreparedBuild, object: string): string {
  return join(build.cacheDir, "units", `${object}.json`);
}

async function recallAnswer(build: PreparedBuild, object: string): Promise<Remembered | undefined> {
  const text = await readTextIfThere(answerFile(build, object));
  return text === undefined ? undefined : (JSON.parse(text) as Remembered);
}

async function readSavedCommand(build: PreparedBuild, object: string): Promise<SavedCommand | undefined> {
  const text = await readTextIfThere(join(build.outDir, dirname(object), `.${basename(object)}.cmd`));
  return text === undefined ? undefined : parseSavedCommand(text);
}

/**
 * Takes the object that kbuild has just compiled into the cache of pre objects, for it is what compiling it again would give: the flags
 * are the same. Where objtool had a view of a whole module it is not.
 */
async function adoptObject(build: PreparedBuild, command: UnitCommand): Promise<void> {
  const saved = await readSavedCommand(build, command.unit.path);
  const objtool = await findObjtoolCommand(build, command, withoutLock);
  if (saved === undefined || (command.objtool !== undefined && command.objtool.length !== objtool?.length)) return;
  const directory = await mkdtemp(join(build.cacheDir, "tmp", "adopt-"));
  try {
    const object = join(directory, "unit.o");
    await copyFile(join(build.outDir, command.unit.path), object);
    if (command.objtool === undefined && objtool !== undefined) await runObjtool(build, objtool, object, command.unit.path);
    const cache = new ObjectCache(build);
    const dependencies = saved.dependencies.map((path) => resolve(build.outDir, path));
    await cache.store(await cache.keyOf(objectKey(command, objtool)), await readFile(object), dependencies);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function readCommand(build: PreparedBuild, object: string): Promise<UnitCommand | undefined> {
  const saved = await readSavedCommand(build, object);
  const source = saved?.compile.at(-1);
  if (saved === undefined || source === undefined) return undefined;
  const { source: top } = build.tree;
  const inTree = (path: string): string => relative(top, join("/", path));
  return {
    unit: { path: object, source: inTree(source), target: findTarget(saved.compile) },
    compile: saved.compile,
    objtool: saved.objtool,
    sources: saved.dependencies.filter((path) => path.startsWith(`${top}/`)).map(inTree),
  };
}

/** Kbuild compiles for a module with -DMODULE and tells the module's name; an object of several modules is named after the first. */
function findTarget(compile: readonly string[]): string {
  if (!compile.includes("-DMODULE")) return "vmlinux";
  const name = findDefinition(compile, "KBUILD_MODNAME") ?? "";
  return name.split(":")[0] ?? name;
}

/** Hashes of the makefiles that decide how an object is made: those on its path and kbuild's own. Each is read once. */
class RulesHash {
  readonly #texts = new Map<string, Promise<string>>();

  constructor(private readonly source: string) {}

  async of(object: string): Promise<string> {
    const files = ["Makefile", "Kbuild", "arch/x86/Makefile", "scripts/Makefile.build", "scripts/Makefile.lib"];
    for (let directory = dirname(object); directory !== "."; directory = dirname(directory))
      files.push(join(directory, "Makefile"), join(directory, "Kbuild"));
    return hashOf(await Promise.all(files.map((file) => this.#read(file))));
  }

  #read(file: string): Promise<string> {
    const known = this.#texts.get(file);
    if (known !== undefined) return known;
    const text = readTextIfThere(join(this.source, file)).then((content) => content ?? "");
    this.#texts.set(file, text);
    return text;
  }
}

/** The compiler's own words: what make adds about its levels tells a user nothing. */
function compilerWords(words: string, source: string): string {
  return words
    .split("\n")
    .filter((line) => !/^make(\[\d+\])?: /.test(line))
    .join("\n")
    .replaceAll(`${source}/`, "")
    .trimEnd();
}
