import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { tellNobody, type Tell } from "../../events.js";
import { mapLimited } from "../../host/map-limited.js";
import { isFile } from "../../host/files.js";
import { headerReach, type HeaderReach } from "./header-reach.js";
import { findContradiction } from "./image-witness.js";
import { findNewObjects } from "./build-rules.js";
import { isSpared } from "./expanded-text.js";
import { IncludeGraph } from "./include-graph.js";
import { isListed, refuseOtherUses } from "./other-uses.js";
import { refuseRustBindings } from "./rust-bindings.js";
import { codeInImage, notInConfig, nothingReached, nothingTouched, sourceRemoved, tooManyUnits } from "./refusals.js";
import { unknownFileKind } from "../change/refusals.js";
import { judgeTouchedFile } from "../change/touched-files.js";
import { unitKey, type PreparedBuild } from "../types.js";
import { type PatchedTree } from "../change/patched-tree.js";
import { commandOf, unitsOf, type UnitCommand, type UnitWithCommand } from "../compile/unit-command.js";
import { UnitIndex } from "../compile/unit-index.js";
import { findUnitSources } from "../compile/unit-sources.js";

export interface FindUnitsOptions {
  /** Notes tell of files that have no part in the update. */
  readonly tell?: Tell;
  /** More objects than this are not compiled for the headers of a patch. Default: all are. */
  readonly mostUnits?: number;
  /** Who includes whom in the whole tree. Default: the tree is read when that is needed, which takes seconds. */
  readonly includeGraph?: () => Promise<IncludeGraph>;
  /**
   * The patched tree. With it, units are left out that use nothing of what changes in a header, and what the change makes of assembly, of images of
   * their own and of generated headers is looked at.
   */
  readonly patched?: PatchedTree;
}

/**
 * The compilation units of this configuration that the touched files are compiled into, in order of their paths: a C file by itself or
 * by the file that includes it, a header by every unit that includes it, directly or not.
 * @param touched paths from the top of the tree
 * @throws Refusal for a file that changes more than objects (makefiles, Kconfig, assembly, …); for one that is not in the configuration,
 * if nothing else is; exit status 66 if all files are ignored, or nothing uses what they change
 */
export async function findUnits(
  build: PreparedBuild,
  touched: readonly string[],
  options: FindUnitsOptions = {},
): Promise<UnitWithCommand[]> {
  const tell = options.tell ?? tellNobody;
  const sources: string[] = [];
  const rules: string[] = [];
  const ignored: string[] = [];
  for (const path of touched) {
    const verdict = judgeTouchedFile(path);
    if (verdict.kind === "refuse" || (verdict.kind === "rules" && options.patched === undefined)) throw verdict.refusal(path);
    if (verdict.kind === "image" && !isOfKernel(await UnitIndex.of(build, tell), path)) throw verdict.refusal(path);
    const isMadeInto = verdict.kind === "listed" && isListed(await UnitIndex.of(build, tell), path);
    if (isMadeInto && !/\.[ch]$/.test(path)) throw unknownFileKind(path);
    if (verdict.kind === "compile" || verdict.kind === "image" || isMadeInto) sources.push(path);
    else if (verdict.kind === "rules") rules.push(path);
    else ignored.push(`${path} is left out: ${verdict.reason}`);
  }
  let added: readonly UnitCommand[] = [];
  if (rules.length > 0 && options.patched !== undefined) {
    added = await findNewObjects(build, await UnitIndex.of(build, tell), options.patched, rules, tell);
    const more = added.length === 0 ? "" : `, and ${added.map(({ unit }) => unit.path).join(", ")} besides`;
    for (const path of rules) ignored.push(`${path} is left out: with it, too, every object is made as it is now${more}`);
  }
  if (sources.length === 0) throw nothingTouched(ignored.join("\n"));
  for (const message of ignored) tell("note", message);

  tell("stage", "finding the objects that the patch touches");
  const index = await UnitIndex.of(build, tell);
  const commands = new Map<string, UnitCommand>();
  const made = new Set<string>();
  for (const command of added) {
    commands.set(command.unit.path, command);
    made.add(command.unit.source);
  }
  for (const path of sources.filter(isC)) {
    for (const command of await commandsOf(index, path)) {
      if (options.patched?.removed.includes(path) === true) throw sourceRemoved(path, command.unit.path);
      commands.set(command.unit.path, command);
      made.add(path);
    }
  }
  const headers = sources.filter((path) => !isC(path));
  // A file may be compiled by itself and come into others too: lib/xz/xz_dec_stream.c into lib/decompress_unxz.c.
  const included = sources.filter((path) => isC(path) && (!made.has(path) || index.mayBeIncluded(path)));
  let read: Promise<IncludeGraph> | undefined;
  const graphOf = (): Promise<IncludeGraph> => (read ??= options.includeGraph?.() ?? IncludeGraph.ofTree(build.tree.source));
  if (options.patched !== undefined) await refuseRustBindings(build, index, options.patched, [...headers, ...included]);
  // First, for it takes seconds, and the units of a header may take many minutes.
  if (options.patched !== undefined) {
    const graph = headers.length + included.length > 0 ? await graphOf() : undefined;
    await refuseOtherUses(build, index, options.patched, sources, graph, tell);
  }
  const users = await findIncluders(build, index, sources, headers, included, { ...options, includeGraph: graphOf });
  for (const { command, from } of users.uses) {
    commands.set(command.unit.path, command);
    from.forEach((path) => made.add(path));
  }

  // A file that the patch adds was not compiled yet: those who include it are touched too.
  const existing = await Promise.all(sources.map((path) => isFile(join(build.tree.source, path))));
  const unused = sources.filter((path, at) => existing[at] === true && !made.has(path));
  for (const path of unused.filter(isC)) {
    const found = await findContradiction(build.tree, path, (file) => made.has(file) || index.madeOf(file).length > 0);
    if (found !== undefined) throw codeInImage(path, found.holder, found.functions);
  }
  const unusedNames = unused.filter((path) => users.reach.words.has(path));
  if (commands.size === 0 && unusedNames.length > 0) throw nothingReached(unusedNames);
  if (commands.size === 0) throw notInConfig(unused[0] ?? sources.join(", "));
  for (const path of unused)
    tell(
      "note",
      users.reach.words.has(path)
        ? `${path}: no file besides those of the patch uses what changes in it`
        : `${path} is left out: nothing of this kernel's configuration is compiled from it`,
    );
  const units = [...commands.values()].flatMap(unitsOf);
  return units.sort((a, b) => (unitKey(a) < unitKey(b) ? -1 : 1));
}

const isC = (path: string): boolean => path.endsWith(".c");

/** True for a C file that kbuild compiles for the kernel or a module. */
function isOfKernel(index: UnitIndex, path: string): boolean {
  return isC(path) && index.madeOf(path).some(({ kind, targets }) => kind === "c" && targets.length > 0);
}

/** How the objects of the kernel and its modules are made that come out of a C file. */
async function commandsOf(index: UnitIndex, source: string): Promise<UnitCommand[]> {
  const made = index.madeOf(source).filter(({ kind }) => kind === "c");
  return await Promise.all(made.map((object) => commandOf(index, object)));
}

/** A unit that touched files come into by `#include`, with those files. */
interface Use {
  readonly command: UnitCommand;
  readonly from: readonly string[];
}

/**
 * Units that touched files come into by `#include`. The whole tree is searched for headers, and for C files that are not compiled by
 * themselves or of whose name one is included somewhere; for the others their own directory.
 */
async function findIncluders(
  build: PreparedBuild,
  index: UnitIndex,
  sources: readonly string[],
  headers: readonly string[],
  included: readonly string[],
  { tell = tellNobody, mostUnits, includeGraph, patched }: FindUnitsOptions,
): Promise<{ uses: Use[]; reach: HeaderReach }> {
  const { source } = build.tree;
  const everywhere = [...headers, ...included];
  let reach: HeaderReach = {
    files: new Set(),
    words: new Map(),
    byOwnText: new Map(),
    macrosChange: false,
    onlyMacrosChange: false,
    confined: undefined,
  };
  if (everywhere.length > 0) {
    tell("stage", `searching the tree for what includes ${everywhere.join(", ")}`);
    const graph = await (includeGraph?.() ?? IncludeGraph.ofTree(source));
    reach = await headerReach(graph.asBuilt(await readFile(build.tree.configFile, "utf8")), everywhere, source, patched?.root, {
      cacheDir: build.cacheDir,
      outDir: build.outDir,
      among: new Set(index.objects.map((object) => object.source)),
      tell,
    });
  }
  const candidatesOfC = new Set<string>();
  for (const path of sources.filter(isC)) {
    const graph = await IncludeGraph.ofDirectory(source, dirname(path));
    for (const includer of await graph.includersOf([path])) candidatesOfC.add(includer);
  }
  const candidates = new Set([...reach.files, ...candidatesOfC]);
  const files = [...candidates].filter((path) => isC(path) && judgeTouchedFile(path).kind === "compile");
  const commands = (await Promise.all(files.map((path) => commandsOf(index, path)))).flat();
  if (commands.length > 0) tell("stage", `looking at ${commands.length} objects that may include ${everywhere.join(", ")}`);
  const isDoubtful = ({ unit: { source: file } }: UnitCommand): boolean => !candidatesOfC.has(file) && reach.byOwnText.has(file);
  const isTouchedOtherwise = ({ unit: { source: file } }: UnitCommand): boolean => candidatesOfC.has(file) || sources.includes(file);
  // Of those that are doubtful by their own text, what the preprocessor spares does not count; of the others, the first that is too many ends the search.
  let reached = commands.filter((command) => !isDoubtful(command)).length;
  const refuseTooMany = (): void => {
    if (mostUnits !== undefined && reached > mostUnits) throw tooManyUnits(everywhere, mostUnits);
  };
  refuseTooMany();
  // The text of the tree names too many; the compiler says what it reads. A new header is in no list yet, those who include it are touched.
  const uses = await mapLimited(commands, build.jobs, async (command): Promise<Use> => {
    if (patched !== undefined && !isTouchedOtherwise(command) && (await isSpared(build, command, patched, reach)))
      return { command, from: [] };
    if (isDoubtful(command)) {
      reached++;
      refuseTooMany();
    }
    const read = await findUnitSources(build, command);
    // What the compiler does not get through will be refused with its own words.
    return { command, from: read === undefined ? sources : sources.filter((path) => read.includes(path)) };
  });
  return { uses: uses.filter(({ from }) => from.length > 0), reach };
}
