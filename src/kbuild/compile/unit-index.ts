import { KERNEL_ARCHITECTURE } from "../../arch/architectures.js";
import { memoized } from "../../memoized.js";
import { rename, rm, readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, normalize, relative } from "node:path";
import { tellNobody, type Tell } from "../../events.js";
import {
  answerFile,
  askKbuild,
  parseAnswers,
  rulesFile,
  TELL,
  type KbuildAnswer,
  type KbuildAnswers,
  type ObjectKind,
} from "./ask-kbuild.js";
import { hashOf, isMissing, readTextIfThere, writeWhole } from "../../host/files.js";
import { withBuildLock } from "../make.js";
import { objectMadeTwice } from "./refusals.js";
import { cannotPrepare } from "../refusals.js";
import { runTool } from "../../host/run-tool.js";
import type { KernelTree } from "../../tree/kernel-tree.js";
import type { PreparedBuild } from "../types.js";

/** One object that kbuild makes of one source file in this configuration. Paths are from the top of the tree, without `..`. */
export interface IndexedObject {
  readonly path: string;
  /** As kbuild spells it: `drivers/gpu/drm/amd/amdgpu/../display/dc/core/dc.o`. */
  readonly object: string;
  /** A generated source lies in the output directory. */
  readonly source: string;
  /**
   * `vmlinux`, or modules as the kernel spells them. Empty where the object is on none of kbuild's lists: it goes into an image of its own
   * (vdso, boot stub, real mode, purgatory), or is no object of the kernel.
   */
  readonly targets: readonly string[];
  readonly kind: ObjectKind;
  /** Files of the source that kbuild makes it of, by what its makefile says; what the compiler includes is not among them. */
  readonly sources: readonly string[];
  /** Files of the output directory that kbuild makes before it. */
  readonly generated: readonly string[];
  /** The directory whose makefile makes it, as kbuild spells it. */
  readonly owner: string;
  /** Where the command runs, from the top of the source; undefined for the output directory. */
  readonly directory?: string;
}

/** What stands in the cache: kbuild's answer, and what it was read from. */
interface Saved {
  /** Directory of the answers in the cache directory. */
  readonly answers: string;
  /** Size and time of each makefile that was read, by its path from the top of the tree; empty where there was none. */
  readonly rules: Readonly<Record<string, string>>;
  readonly objects: readonly IndexedObject[];
  /** Names, without their directories, of C files that another file of the tree includes. */
  readonly includedSources: readonly string[];
}

/** Changes whenever what is saved is made in another way. */
const FORMAT = "3";

const INDEX_FILE = "unit-index.json";

/** Makefiles that decide about every object, besides those that kbuild names. */
const COMMON_RULES = [
  "Makefile",
  "Kbuild",
  `${KERNEL_ARCHITECTURE.source.directory}/Makefile`,
  "scripts/Makefile.build",
  "scripts/Makefile.lib",
];

/** What of a tree has to do with what kbuild says of it. */
type AskedTree = Pick<KernelTree, "source" | "external">;

/** The index of a build, once it was asked for. */
const openedOf = memoized<PreparedBuild, { index?: Promise<UnitIndex> | undefined }>(() => ({}));

/** Every object of a configuration, by kbuild's own word, which is asked for once and again when a makefile has changed. */
export class UnitIndex {
  readonly #byPath = new Map<string, IndexedObject>();
  /** Different objects of one path: `drivers/a/x.o`, and `drivers/b/../a/x.o`. */
  readonly #twins = new Map<string, readonly [string, string]>();
  readonly #bySource = new Map<string, IndexedObject[]>();
  readonly #commands = new Map<string, Promise<ReadonlyMap<string, string>>>();

  /** What is made of sources and goes neither into the kernel nor into a module. */
  readonly others: IndexedObject[] = [];

  private constructor(
    private readonly directory: string,
    objects: readonly IndexedObject[],
    private readonly includedSources: ReadonlySet<string>,
  ) {
    for (const object of objects) {
      if (object.targets.length === 0) {
        this.others.push(object);
        continue;
      }
      const twin = this.#byPath.get(object.path);
      if (twin !== undefined) this.#twins.set(object.path, [twin.object, object.object]);
      this.#byPath.set(object.path, object);
      const list = this.#bySource.get(object.source) ?? [];
      list.push(object);
      this.#bySource.set(object.source, list);
    }
  }

  /**
   * The index of a build. It is read once.
   * @throws Refusal `cannot-prepare` if kbuild does not answer
   */
  static of(build: PreparedBuild, tell: Tell = tellNobody): Promise<UnitIndex> {
    const opened = openedOf(build);
    return (opened.index ??= openIndex(build, tell).then(
      (saved) => new UnitIndex(join(build.cacheDir, saved.answers), saved.objects, new Set(saved.includedSources)),
      (error: unknown) => {
        opened.index = undefined;
        throw error;
      },
    ));
  }

  /** The objects of the kernel and its modules. */
  get objects(): readonly IndexedObject[] {
    return [...this.#byPath.values()];
  }

  /** An object of the kernel or a module. @param path without `..` @throws Refusal `object-made-twice` */
  find(path: string): IndexedObject | undefined {
    const twins = this.#twins.get(path);
    if (twins !== undefined) throw objectMadeTwice(path, ...twins);
    return this.#byPath.get(path);
  }

  /** The objects of the kernel and its modules that are made of a source file. @throws Refusal `object-made-twice` */
  madeOf(source: string): readonly IndexedObject[] {
    const made = this.#bySource.get(source) ?? [];
    for (const { path } of made) this.find(path);
    return made;
  }

  /** True if a file of the tree includes a C file of this name. */
  mayBeIncluded(source: string): boolean {
    return this.includedSources.has(basename(source));
  }

  /** False of a directory that kbuild does not go into for the kernel and its modules: it is not of this configuration, or of an image that is made otherwise. */
  goesInto(directory: string): boolean {
    return [...this.objects, ...this.others].some(({ owner }) => isWithin(normalize(owner), directory));
  }

  /**
   * The directories, none within another, in which makefiles decide how objects are made: their own, what lies below, which gets their flags, and those
   * whose makefiles include them.
   * @param makefiles by their paths from the top of the source
   * @returns undefined where that is the whole tree, or it cannot be told: kbuild has not gone into one of the directories, or the file has another name
   * than that of a directory's makefile, so that anything may include it
   */
  async directoriesOf(makefiles: readonly string[], { source, external }: AskedTree): Promise<readonly string[] | undefined> {
    if (external !== undefined) return undefined;
    const owners = [...new Set([...this.objects, ...this.others].map(({ owner }) => owner))];
    const readBy = new Map<string, ReadonlySet<string>>();
    for (const owner of owners) {
      const paths = (await readTextIfThere(join(this.directory, rulesFile(owner))))?.split(/\s+/) ?? [];
      readBy.set(owner, new Set(paths.filter((path) => path.startsWith("/")).map((path) => relative(source, path))));
    }
    const found = new Set<string>();
    for (const makefile of makefiles) {
      const own = dirname(makefile);
      const below = owners.filter((owner) => isWithin(normalize(owner), own));
      const readers = owners.filter((owner) => readBy.get(owner)?.has(makefile) === true);
      const isOfDirectory = /^(?:Makefile|Kbuild)$/.test(basename(makefile)) && own !== "." && own !== "scripts";
      if (!isOfDirectory || COMMON_RULES.includes(makefile) || below.length + readers.length === 0) return undefined;
      if (below.length > 0) found.add(own);
      for (const owner of readers) found.add(normalize(owner));
    }
    if (found.has(".")) return undefined;
    return [...found].filter((path) => ![...found].some((other) => other !== path && isWithin(path, other))).sort();
  }

  /** The shell's command that makes an object. */
  async commandOf({ owner, object }: IndexedObject): Promise<string> {
    let commands = this.#commands.get(owner);
    if (commands === undefined) {
      commands = readFile(join(this.directory, answerFile(owner)), "utf8").then(
        (text) => new Map(parseAnswers(text).map((answer) => [answer.object, answer.command])),
      );
      this.#commands.set(owner, commands);
    }
    const command = (await commands).get(object);
    if (command === undefined) throw new Error(`kbuild's answer for ${owner} lacks ${object}`);
    return command;
  }
}

/** True of the directory itself too. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

async function openIndex(build: PreparedBuild, tell: Tell): Promise<Saved> {
  const known = await recall(build);
  if (known !== undefined) return known;
  return await withBuildLock(build.cacheDir, async () => {
    // Another process may have asked meanwhile.
    const since = await recall(build);
    if (since !== undefined) return since;
    tell("stage", "asking kbuild how every object of this configuration is made, once");
    return await makeIndex(build);
  });
}

async function recall(build: PreparedBuild): Promise<Saved | undefined> {
  const text = await readTextIfThere(join(build.cacheDir, INDEX_FILE));
  if (text === undefined) return undefined;
  const saved = JSON.parse(text) as Saved;
  const rules = await readStates(build.tree.source, Object.keys(saved.rules));
  return saved.answers === answersDirectory(rules, build.tree) ? saved : undefined;
}

async function makeIndex(build: PreparedBuild): Promise<Saved> {
  const { source } = build.tree;
  const directory = join(build.cacheDir, "tmp", "answers");
  const { byOwner, makefiles, words } = await askKbuild(build, directory);
  const objects = indexObjects(byOwner, build.tree);
  if (!objects.some(({ targets }) => targets.length > 0)) throw cannotPrepare(build.release, words.trimEnd());
  const rules = await readStates(source, rulePaths(build.tree, makefiles, byOwner.keys()));
  const saved: Saved = { answers: answersDirectory(rules, build.tree), rules, objects, includedSources: await findIncludedSources(source) };
  for (const name of await readdir(build.cacheDir))
    if (name.startsWith("answers-")) await rm(join(build.cacheDir, name), { recursive: true, force: true });
  await rename(directory, join(build.cacheDir, saved.answers));
  await writeWhole(join(build.cacheDir, INDEX_FILE), JSON.stringify(saved));
  return saved;
}

/** What kbuild answered, each object once. @param tree that was asked about */
export function indexObjects(byOwner: KbuildAnswers["byOwner"], tree: AskedTree): IndexedObject[] {
  return (
    [...byOwner]
      .flatMap(([owner, answers]) => answers.map((answer) => indexedObject(answer, owner, tree)))
      .sort((a, b) => (a.path < b.path ? -1 : 1))
      // What two makes visit, or two rules make.
      .filter((entry, index, all) => entry.object !== all[index - 1]?.object || entry.kind !== all[index - 1]?.kind)
  );
}

/** Reads the tree: seconds, but once. */
async function findIncludedSources(source: string): Promise<string[]> {
  const pattern = '^[[:space:]]*#[[:space:]]*(include|define[[:space:]]+[A-Za-z_0-9]+)[[:space:]]*["<][^">]*[.]c[">]';
  const result = await runTool("grep", ["-RhE", "--include=*.[chS]", pattern, "."], { cwd: source, encoding: "latin1" });
  return [...new Set(Array.from(result.stdout.matchAll(/["</]([^"<>/]+\.c)[">]/g), ([, name = ""]) => name))].sort();
}

function indexedObject(answer: KbuildAnswer, owner: string, tree: AskedTree): IndexedObject {
  const { source: top } = tree;
  if (tree.external !== undefined) return objectOfExternal(answer, owner, { top, directory: tree.external.directory });
  const path = normalize(answer.object);
  return {
    path,
    object: answer.object,
    source: answer.source.startsWith("/") ? relative(top, answer.source) : normalize(answer.source),
    targets: findTargets(answer, path),
    kind: answer.kind,
    sources: [answer.source, ...answer.prerequisites].filter((file) => file.startsWith(`${top}/`)).map((file) => relative(top, file)),
    generated: [answer.source, ...answer.prerequisites].filter((file) => !file.startsWith("/")),
    owner,
  };
}

/**
 * Kbuild makes an external module beside its source. It names that by absolute paths, and runs in the output directory; since Linux 6.13 it runs beside the source, and names are
 * relative to that (`KBUILD_EXTMOD_OUTPUT` in Makefile). What is made of other things than C is none of ours to make there.
 */
function objectOfExternal(answer: KbuildAnswer, owner: string, { top, directory }: { top: string; directory: string }): IndexedObject {
  const fromTop = (path: string): string => (path.startsWith("/") ? relative(top, path) : join(directory, path));
  const path = fromTop(answer.object);
  const source = fromTop(answer.source);
  return {
    ...{ path, object: answer.object, source, targets: findTargets(answer, path), kind: answer.kind },
    ...{ sources: [source], generated: [], owner },
    ...(answer.object.startsWith("/") ? {} : { directory }),
  };
}

/**
 * Kbuild compiles for a module with -DMODULE and tells the names of all that have the object (`modname`, scripts/Makefile.lib, Linux 6.1). Assembly
 * has no such name there; nothing of it is patched, so that the list is not empty is all that counts. Where a makefile has a rule of its own, that name is wrong: what xe
 * has of i915 is compiled as if each object were a module (drivers/gpu/drm/xe/Makefile, 6.12). So kbuild's lists count before it.
 */
function findTargets({ kind, command, isBuiltIn, isModular, isWholeModule, partOf }: KbuildAnswer, path: string): string[] {
  if ((kind !== "c" && kind !== "assembly") || (!isBuiltIn && !isModular)) return [];
  if (kind === "assembly" || !/(?:^|\s)-DMODULE(?:\s|$)/.test(command)) return ["vmlinux"];
  const [, names = ""] = /\s-DKBUILD_MODNAME=[^\s"]*"([^"]*)"/.exec(command) ?? [];
  const targets = new Set(partOf.length > 0 ? partOf.map(moduleNameOf) : names.split(":").filter((name) => name !== ""));
  // An object may be a module and a part of others too.
  if (isWholeModule) targets.add(moduleNameOf(basename(path, ".o")));
  if (isBuiltIn) targets.add("vmlinux");
  if (targets.size === 0) throw new Error(`kbuild does not say which module ${path} belongs to`);
  return [...targets].sort();
}

/** As `name-fix` in scripts/Makefile.lib has it. */
function moduleNameOf(name: string): string {
  return name.replaceAll(/[-,]/g, "_");
}

function rulePaths({ source, external }: AskedTree, makefiles: ReadonlySet<string>, owners: Iterable<string>): string[] {
  const paths = new Set(COMMON_RULES);
  const fromTop = (path: string): string => (path.startsWith("/") ? relative(source, path) : join(external?.directory ?? ".", path));
  for (const makefile of makefiles)
    if (makefile.startsWith(`${source}/`) || (external !== undefined && !makefile.startsWith("/"))) paths.add(fromTop(makefile));
  for (const owner of owners)
    for (let directory = fromTop(owner); directory !== "."; directory = dirname(directory))
      for (const name of ["Makefile", "Kbuild"]) paths.add(join(directory, name));
  return [...paths].sort();
}

async function readStates(source: string, paths: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const states = await Promise.all(paths.map(async (path) => [path, await stateOf(join(source, path))] as const));
  return Object.fromEntries(states);
}

async function stateOf(path: string): Promise<string> {
  try {
    const { size, mtimeNs } = await stat(path, { bigint: true });
    return `${size} ${mtimeNs}`;
  } catch (error) {
    if (isMissing(error)) return "";
    throw error;
  }
}

/** What is asked for is part of the name. */
function answersDirectory(rules: Saved["rules"], { external }: AskedTree): string {
  const about = external === undefined ? [] : [JSON.stringify(external)];
  return `answers-${hashOf([FORMAT, ...TELL, JSON.stringify(rules), ...about]).slice(0, 16)}`;
}
