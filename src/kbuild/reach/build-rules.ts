import { cp } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Tell } from "../../events.js";
import { hashOf, readLatin1 } from "../../host/files.js";
import { makeTemporary, removeTemporary } from "../../host/temporary.js";
import { parseConfig } from "../../tree/kernel-config.js";
import type { ExternalModule } from "../../tree/kernel-tree.js";
import type { PatchedTree } from "../change/patched-tree.js";
import { buildRulesTouched, kconfigTouched, makefileChanges, objectsMadeOtherwise, rulesNotRead } from "../change/refusals.js";
import { askKbuild, type KbuildAnswer, type KbuildAnswers } from "../compile/ask-kbuild.js";
import { commandFrom, type UnitCommand } from "../compile/unit-command.js";
import { indexObjects, type IndexedObject, type UnitIndex } from "../compile/unit-index.js";
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
 * @throws Refusal `kconfig` or `makefile`
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
  try {
    const changed = buildOf(build, patched.root, join(directory, "patched"));
    const words = await configure(changed, build.outDir);
    if (words !== undefined) throw rulesNotRead(rules, words);
    const option = await findOtherOption(build.outDir, changed.outDir);
    if (option !== undefined) throw kconfigTouched(rules.find(isKconfig) ?? rules[0] ?? "", option);
    const answers = join(directory, "answers");
    const after = await askWhatIsMade(changed, build, answers);
    let before = await whatIndexSays(index);
    if (findDiffering(before, after, patched.added).length > 0) {
      // What was built since the index was made is not told again. So the unpatched source is asked about in the same way before they are called different.
      const same = buildOf(build, build.tree.source, join(directory, "unpatched"));
      const why = await configure(same, build.outDir);
      if (why !== undefined) throw cannotPrepare(build.release, why);
      before = await askWhatIsMade(same, build, answers);
    }
    const differing = findDiffering(before, after, patched.added);
    if (differing.length > 0) throw objectsMadeOtherwise(rules, differing);
    return madeAnew(before, after).map(({ object, command = "" }) => commandFrom(object, command, true));
  } finally {
    await removeTemporary(directory);
  }
}

function buildOf(build: PreparedBuild, source: string, outDir: string): PreparedBuild {
  return { ...build, tree: { ...build.tree, source }, outDir };
}

/** Fills a build's output directory with what another has, and has kbuild configure itself there for the source. @returns what make says where it fails */
async function configure(build: PreparedBuild, from: string): Promise<string | undefined> {
  await cp(from, build.outDir, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  for (const target of ["olddefconfig", "syncconfig"]) {
    const { exitCode, stderr } = await makeKernel({ ...build, source: build.tree.source }, [target]);
    if (exitCode !== 0) return stderr.trimEnd();
  }
  return undefined;
}

/** Objects, and the commands that make them, by kind and name. */
export type Made = ReadonlyMap<string, MadeObject>;

interface MadeObject {
  readonly object: IndexedObject;
  readonly command: string | undefined;
}

async function whatIndexSays(index: UnitIndex): Promise<Made> {
  const made = [...index.objects, ...index.others].map(
    async (object) => [keyOf(object), { object, command: await index.commandOf(object) }] as const,
  );
  return new Map(await Promise.all(made));
}

async function askWhatIsMade(asked: PreparedBuild, build: PreparedBuild, directory: string): Promise<Made> {
  const { byOwner } = await askKbuild(asked, directory);
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
