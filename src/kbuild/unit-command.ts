import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { hashOf, readTextIfThere, writeWhole } from "./files.js";
import { makeKernel, withBuildLock, withoutLock } from "./make.js";
import { ObjectCache } from "./object-cache.js";
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

interface RememberedCommand extends UnitCommand {
  /** Hash of the makefiles that the command came from. */
  readonly rules: string;
}

/**
 * The commands of those objects that this configuration has, by object path (`net/ipv4/raw.o`). Objects that it does not have are absent.
 * What is not remembered is asked of kbuild in one call, which compiles it.
 * @throws Refusal `does-not-compile` if an unpatched unit does not compile
 */
export async function findUnitCommands(build: PreparedBuild, objects: readonly string[]): Promise<ReadonlyMap<string, UnitCommand>> {
  const rules = new RulesHash(build.tree.source);
  const found = new Map<string, UnitCommand>();
  const recall = async (): Promise<string[]> => {
    const unknown: string[] = [];
    for (const object of objects) {
      if (found.has(object)) continue;
      const remembered = await recallCommand(build, object, await rules.of(object));
      if (remembered === undefined) unknown.push(object);
      else found.set(object, remembered);
    }
    return unknown;
  };
  if ((await recall()).length === 0) return found;

  await withBuildLock(build.cacheDir, async () => {
    // Another process may have asked meanwhile.
    const unknown = await recall();
    if (unknown.length === 0) return;
    await mkdir(join(build.cacheDir, "tmp"), { recursive: true });
    const result = await makeKernel({ ...build, source: build.tree.source }, ["-k", ...unknown]);
    for (const object of unknown) {
      const learned = await readCommand(build, object);
      if (learned !== undefined) {
        await adoptObject(build, learned);
        found.set(object, learned);
        await writeWhole(
          commandFile(build, object),
          JSON.stringify({ ...learned, rules: await rules.of(object) } satisfies RememberedCommand),
        );
      } else if (mentionsCompileError(result.stderr, object)) throw doesNotCompile(object, false, compilerWords(result.stderr));
    }
  });
  return found;
}

/** The command of one unit. @throws Error if the configuration does not have it */
export async function requireUnitCommand(build: PreparedBuild, unit: Unit): Promise<UnitCommand> {
  const command = (await findUnitCommands(build, [unit.path])).get(unit.path);
  if (command === undefined) throw new Error(`${unit.path} is not made in this configuration`);
  return command;
}

function commandFile(build: PreparedBuild, object: string): string {
  return join(build.cacheDir, "units", `${object}.json`);
}

async function recallCommand(build: PreparedBuild, object: string, rules: string): Promise<UnitCommand | undefined> {
  const text = await readTextIfThere(commandFile(build, object));
  if (text === undefined) return undefined;
  const remembered = JSON.parse(text) as RememberedCommand;
  return remembered.rules === rules ? remembered : undefined;
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
    await cache.store(cache.keyOf(command, objtool), { object: await readFile(object), dependencies });
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

/** What make says of a target whose recipe failed. An object that no rule makes is worded otherwise. */
function mentionsCompileError(words: string, object: string): boolean {
  return words.includes(` ${object}] Error`);
}

/** The compiler's own words: what make adds about its levels tells a user nothing. */
function compilerWords(words: string): string {
  return words
    .split("\n")
    .filter((line) => !/^make(\[\d+\])?: /.test(line))
    .join("\n")
    .trimEnd();
}
