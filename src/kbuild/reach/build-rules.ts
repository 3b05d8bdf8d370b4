import { basename, dirname, join, normalize } from "node:path";
import type { Tell } from "../../events.js";
import { hashOf, readLatin1 } from "../../host/files.js";
import { runTool } from "../../host/run-tool.js";
import { makeTemporary, removeTemporary } from "../../host/temporary.js";
import { parseConfig } from "../../tree/kernel-config.js";
import type { ExternalModule } from "../../tree/kernel-tree.js";
import type { PatchedTree } from "../change/patched-tree.js";
import {
  buildRulesTouched,
  kconfigTouched,
  makefileChanges,
  notKernelText,
  objectsMadeOtherwise,
  rulesNotRead,
} from "../change/refusals.js";
import { judgeTouchedFile } from "../change/touched-files.js";
import { askKbuild, type KbuildAnswer, type KbuildAnswers } from "../compile/ask-kbuild.js";
import { commandFrom, type UnitCommand } from "../compile/unit-command.js";
import { indexObjects, isWithin, type IndexedObject, type UnitIndex } from "../compile/unit-index.js";
import { makeKernel, withBuildLock } from "../make.js";
import { cannotPrepare } from "../refusals.js";
import type { PreparedBuild } from "../types.js";
import { changesOnlyLists } from "./makefile-lines.js";

/** Whether a touched file is one of Kconfig's. */
export function isKconfig(path: string): boolean {
  return basename(path).startsWith("Kconfig");
}

/**
 * Lets through what the change does to makefiles and Kconfig files if the configuration comes to the same, and kbuild makes every object that it made
 * of the same source by the same command, for the same targets. There may be more objects: of C files that the change brings, for targets that there are.
 * Of makefiles only lists of objects and flags for them may change: what a recipe makes kbuild does not tell.
 * @param rules touched makefiles and Kconfig files
 * @returns how the new objects are made
 * @throws Refusal `kconfig`, `makefile`, or `not-kernel-text` for one of an image of its own
 */
export async function findNewObjects(
  build: PreparedBuild,
  index: UnitIndex,
  patched: PatchedTree,
  rules: readonly string[],
  tell: Tell,
): Promise<UnitCommand[]> {
  for (const path of rules) {
    if (isKconfig(path)) continue;
    const [pre, post] = await Promise.all([build.tree.source, patched.root].map((root) => readLatin1(join(root, path))));
    if (pre === undefined || post === undefined) throw buildRulesTouched(path);
    const line = changesOnlyLists(pre, post);
    if (line !== undefined) throw makefileChanges(path, line);
    const directory = dirname(path);
    if (judgeTouchedFile(join(directory, "x.c")).kind === "image" && !index.goesInto(directory)) throw notKernelText(path);
  }
  tell("stage", `asking kbuild what becomes of the objects with ${rules.join(", ")}`);
  return await withBuildLock(build.cacheDir, () => askWithRules(build, index, patched, rules));
}

/** In copies of the output directory, for kbuild writes into it where the source lies. */
async function askWithRules(
  build: PreparedBuild,
  index: UnitIndex,
  patched: PatchedTree,
  rules: readonly string[],
): Promise<UnitCommand[]> {
  const directory = await makeTemporary("rules-", join(build.cacheDir, "tmp"));
  const makefiles = rules.filter((path) => !isKconfig(path));
  const about = await index.directoriesOf(makefiles, build.tree);
  const asksAll = about === undefined || makefiles.length < rules.length;
  try {
    const changed = buildOf(build, patched.root, join(directory, "patched"));
    const words = (await copyOutput(build, changed)) ?? (asksAll ? await configure(changed) : undefined);
    if (words !== undefined) throw rulesNotRead(rules, words);
    const option = await findOtherOption(build.outDir, changed.outDir);
    if (option !== undefined) throw kconfigTouched(rules.find(isKconfig) ?? rules[0] ?? "", option);
    // Of Kconfig makefiles see nothing but the configuration.
    if (makefiles.length === 0) return [];
    const ask = async (asked: PreparedBuild, directories: Directories): Promise<Made> =>
      await askWhatIsMade(asked, build, join(directory, "answers"), directories);
    const after = await ask(changed, about);
    const known = await whatIndexSays(index, about);
    if (findDiffering(known, after, patched.added).length === 0) return newCommands(known, after);
    // What was built since the index was made is not told again. So the unpatched source is asked about in the same way before they are called different.
    const same = buildOf(build, build.tree.source, join(directory, "unpatched"));
    const why = (await copyOutput(build, same)) ?? (asksAll ? await configure(same) : undefined);
    if (why !== undefined) throw cannotPrepare(build.release, why);
    const before = await ask(same, about);
    if (about === undefined || hasAllObjects(before, known)) return requireSame(rules, before, after, patched.added);
    for (const each of asksAll ? [] : [changed, same]) {
      const fault = await configure(each);
      if (fault !== undefined) throw each === changed ? rulesNotRead(rules, fault) : cannotPrepare(build.release, fault);
    }
    return requireSame(rules, await ask(same, undefined), await ask(changed, undefined), patched.added);
  } finally {
    await removeTemporary(directory);
  }
}

/** @returns how what is made anew is made @throws Refusal `makefile` */
function requireSame(rules: readonly string[], before: Made, after: Made, added: readonly string[]): UnitCommand[] {
  const differing = findDiffering(before, after, added);
  if (differing.length > 0) throw objectsMadeOtherwise(rules, differing);
  return newCommands(before, after);
}

function buildOf(build: PreparedBuild, source: string, outDir: string): PreparedBuild {
  return { ...build, tree: { ...build.tree, source }, outDir };
}

/** Fills a build's output directory with what another has. @returns what is wrong where it fails */
async function copyOutput(from: PreparedBuild, to: PreparedBuild): Promise<string | undefined> {
  const { exitCode, stderr } = await runTool("cp", ["-a", "--", from.outDir, to.outDir], {});
  return exitCode === 0 ? undefined : stderr.trimEnd();
}

/** Has kbuild configure itself for the source: its own programs for that are made, which it would else tell of. @returns what make says where it fails */
async function configure(build: PreparedBuild): Promise<string | undefined> {
  for (const target of ["olddefconfig", "syncconfig"]) {
    const { exitCode, stderr } = await makeKernel({ ...build, source: build.tree.source }, [target]);
    if (exitCode !== 0) return stderr.trimEnd();
  }
  return undefined;
}

/** Directories of the source, with what is below them; undefined: all. */
type Directories = readonly string[] | undefined;

/** False where kbuild may not have gone where it went when the index was made: what it compiles it tells every time. */
function hasAllObjects(made: Made, known: Made): boolean {
  const compiled = [...known].filter(([, { object }]) => object.kind === "c" || object.kind === "assembly");
  return compiled.length > 0 && compiled.every(([key]) => made.has(key));
}

/** Objects, and the commands that make them, by kind and name. */
export type Made = ReadonlyMap<string, MadeObject>;

interface MadeObject {
  readonly object: IndexedObject;
  readonly command: string | undefined;
}

async function whatIndexSays(index: UnitIndex, about: Directories): Promise<Made> {
  const made = [...index.objects, ...index.others]
    .filter(({ owner }) => isAbout(owner, about))
    .map(async (object) => [keyOf(object), { object, command: await index.commandOf(object) }] as const);
  return new Map(await Promise.all(made));
}

function isAbout(owner: string, about: Directories): boolean {
  return about === undefined || about.some((directory) => isWithin(normalize(owner), directory));
}

async function askWhatIsMade(asked: PreparedBuild, build: PreparedBuild, directory: string, about: Directories): Promise<Made> {
  const { byOwner: told } = await askKbuild(asked, directory, about);
  // What all objects need is told besides.
  const byOwner = new Map([...told].filter(([owner]) => isAbout(owner, about)));
  return madeOf(byOwner, { outDir: asked.outDir, source: asked.tree.source }, { ...build.tree, outDir: build.outDir });
}

/** Where a kernel is built, and what from. */
interface Place {
  readonly outDir: string;
  readonly source: string;
  readonly external?: ExternalModule;
}

/** @param asked where kbuild was asked. @param build whose paths what it told gets; tools' objects have them too (tools/bpf/resolve_btfids, Linux 6.12) */
export function madeOf(byOwner: KbuildAnswers["byOwner"], asked: Place, build: Place): Made {
  const moved = (text: string): string => text.replaceAll(asked.outDir, build.outDir).replaceAll(asked.source, build.source);
  const inPlace = new Map([...byOwner].map(([owner, told]) => [owner, told.map((answer) => moveAnswer(answer, moved))]));
  const commands = new Map([...inPlace.values()].flat().map((answer) => [answer.object, answer.command]));
  return new Map(indexObjects(inPlace, build).map((object) => [keyOf(object), { object, command: commands.get(object.object) }]));
}

/** A sentence for each object that is not made as before. @param added files that the change brings: of these there may be objects more */
export function findDiffering(before: Made, after: Made, added: readonly string[]): string[] {
  const differing: string[] = [];
  for (const [key, { object, command }] of before) {
    const other = after.get(key);
    if (other === undefined) differing.push(`${object.path} is made no more`);
    else if (object.targets.join() !== other.object.targets.join()) differing.push(`${object.path} goes into other modules`);
    else if (object.source !== other.object.source || !isMadeOfSame(object, other.object))
      differing.push(`${object.path} is made of other files`);
    else if (command !== other.command) differing.push(`${object.path} is made by another command`);
  }
  const targets = new Set([...before.values()].flatMap(({ object }) => object.targets));
  const canBeAdded = ({ object, command }: MadeObject): boolean =>
    object.kind === "c" &&
    command !== undefined &&
    added.includes(object.source) &&
    object.targets.length > 0 &&
    object.targets.every((target) => targets.has(target));
  for (const made of madeAnew(before, after)) if (!canBeAdded(made)) differing.push(`${made.object.path} is made anew`);
  return differing;
}

function newCommands(before: Made, after: Made): UnitCommand[] {
  return madeAnew(before, after).map(({ object, command = "" }) => commandFrom(object, command, true));
}

function madeAnew(before: Made, after: Made): MadeObject[] {
  return [...after].flatMap(([key, made]) => (before.has(key) ? [] : [made]));
}

function moveAnswer(answer: KbuildAnswer, moved: (text: string) => string): KbuildAnswer {
  return {
    ...answer,
    object: moved(answer.object),
    source: moved(answer.source),
    prerequisites: answer.prerequisites.map(moved),
    command: moved(answer.command),
  };
}

/** Of what a compiler makes, make also knows the headers, where kbuild made it once: that list is no rule. */
function isMadeOfSame(object: IndexedObject, other: IndexedObject): boolean {
  return object.kind !== "generated" || object.sources.join() === other.sources.join();
}

function keyOf({ kind, object }: IndexedObject): string {
  return hashOf([kind, object]);
}

/** An option of the configuration that has another value, as `CONFIG_X: y, m with the patch`. */
async function findOtherOption(before: string, after: string): Promise<string | undefined> {
  const [old, now] = await Promise.all(
    [before, after].map(async (directory) => parseConfig((await readLatin1(join(directory, "include/config/auto.conf"))) ?? "")),
  );
  const name = [...new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])])].find((key) => old?.get(key) !== now?.get(key));
  return name === undefined ? undefined : `CONFIG_${name}: ${old?.get(name) ?? "unset"}, with the patch ${now?.get(name) ?? "unset"}`;
}
