import { createHash } from "node:crypto";
import type { Tell } from "../../events.js";
import { addMark, MARK_TAG } from "../../elf/module-mark.js";
import type { ElfObject } from "../../elf/model.js";
import { needsTypes } from "./needs-types.js";
import { parseObject } from "../../elf/parse-object.js";
import { writeObject } from "../../elf/write-object.js";
import { mapLimited } from "../../host/map-limited.js";
import type { PatchedTree } from "../change/patched-tree.js";
import type { Variant } from "../compile/make-product.js";
import type { IndexedObject } from "../compile/unit-index.js";
import { readModinfo, writeModinfo } from "../module/module-metadata.js";
import type { PreparedBuild } from "../types.js";
import { compareModules } from "./compare-modules.js";
import { compileWhole, type WholeObject } from "./compile-whole.js";
import { finishModule, shippedExports, type FinishedModule } from "./finish-module.js";
import { findModuleObjects } from "./module-objects.js";
import { exportsChange, notReproduced, notReproducedExports, otherObject, typesNeeded } from "./refusals.js";
import { findShippedModule, type ShippedModule } from "./shipped-module.js";

export interface WholeModuleRequest {
  /** The module, as the kernel spells it. */
  readonly name: string;
  /** Of the source that the kernel was built from. */
  readonly original: PreparedBuild;
  /** Of the source that the change is made to: the same, or one that holds updates already. */
  readonly build: PreparedBuild;
  readonly patched: PatchedTree;
  /** Objects that the change comes into; all others are the same with it. */
  readonly touched: ReadonlySet<string>;
  /** Objects that the updates in the source have changed. */
  readonly held: ReadonlySet<string>;
  /** Ids of the updates that the module will hold, oldest first. */
  readonly ids: readonly string[];
  /** How many objects are compiled at once. */
  readonly jobs: number;
  readonly tell: Tell;
}

/** A module for the disk, built from the patched source. */
export interface WholeModule {
  readonly name: string;
  /** Of the shipped file, below /lib/modules/RELEASE, unpacked. */
  readonly place: string;
  readonly bytes: Uint8Array;
  /** {@link contentHash} of the shipped file that the build was held against. */
  readonly shipped: string;
}

/** What tells a module's file from another, whether it is packed or signed or not. @param bytes unpacked, without a signature */
export function contentHash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * Builds a whole module from the patched source. First the unpatched one is built in the same way and held against the module that the kernel's package
 * brings: all that is loaded of it must be the same, byte by byte. So compiler, flags, order and finishing are those of the shipped module; and the patched one
 * differs from it in the objects that the change comes into, and in nothing else.
 * @throws Refusal `module-not-reproduced`, `module-exports-change`, `module-needs-types`, and others where it cannot be built at all
 */
export async function buildWholeModule(request: WholeModuleRequest): Promise<WholeModule> {
  const { name, original, build, patched, touched, ids, tell } = request;
  const shipped = await findShippedModule(original, name);
  const objects = await findModuleObjects(original, name, shipped.stem);
  const work = objects.length + objects.filter(({ path }) => touched.has(path)).length + (build === original ? 0 : objects.length);
  const compileAll = compiler(request, work);

  const before = await compileAll(objects, original, () => ({}));
  for (const object of before) requireNoTypes(name, object);
  tell("stage", `linking ${name} as it is, and comparing it with the shipped one`);
  const built = await finishModule(original, shipped.stem, before);
  await requireReproduced(original, shipped, built, before);

  const now = build === original ? before : await compileAll(objects, build, () => ({}));
  if (now !== before) requireSameObjects(name, before, now, new Set([...request.held, ...touched]));
  const changing = objects.filter(({ path }) => touched.has(path));
  const changed = new Map((await compileAll(changing, build, () => ({ shadow: patched }))).map((object) => [object.path, object]));
  const after = now.map((object) => changed.get(object.path) ?? object);
  for (const object of after) requireNoTypes(name, object);
  tell("stage", `linking ${name} with the change`);
  const finished = await finishModule(build, shipped.stem, after);
  const lines = differing(built.exports, finished.exports);
  if (lines.length > 0) throw exportsChange(name, lines);
  return { name, place: shipped.place, bytes: writeObject(marked(shipped, finished.bytes, ids)), shipped: contentHash(shipped.bytes) };
}

type CompileAll = (objects: readonly IndexedObject[], build: PreparedBuild, variant: () => Variant) => Promise<WholeObject[]>;

/** What compiling an object once takes, with nothing in the cache: an estimate, not measured. */
const SECONDS_AN_OBJECT = 1.5;
/** With fewer the user has no time to wonder. */
const MANY_OBJECTS = 30;

function compiler({ name, jobs, tell }: WholeModuleRequest, work: number): CompileAll {
  let done = 0;
  if (work >= MANY_OBJECTS) {
    const minutes = Math.max(1, Math.round((work * SECONDS_AN_OBJECT) / jobs / 60));
    tell(
      "note",
      `${work} objects are compiled for the whole of ${name}: about ${minutes} minute${minutes === 1 ? "" : "s"}, less what is in the cache`,
    );
  }
  return async (objects, build, variant) =>
    await mapLimited(objects, jobs, async (object) => {
      tell("stage", `compiling ${object.path} for the whole of ${name} (${++done} of ${work})`);
      return await compileWhole(build, object, variant());
    });
}

/** @throws Refusal `module-not-reproduced` */
async function requireReproduced(
  build: PreparedBuild,
  shipped: ShippedModule,
  built: FinishedModule,
  objects: readonly WholeObject[],
): Promise<void> {
  const { name, place } = shipped;
  const differences = compareModules(parseObject(shipped.bytes, place), parseObject(built.bytes, `${name}.ko`));
  if (differences.length > 0) {
    const places = differences.map(({ symbol, ...rest }) => ({ ...rest, symbol, object: objectOf(symbol, objects) }));
    throw notReproduced(name, place, places);
  }
  const lines = differing(await shippedExports(build, shipped.stem), built.exports);
  if (lines.length > 0) throw notReproducedExports(name, lines);
}

/** The object that defines a function or variable; undefined where several do, or none. */
function objectOf(symbol: string | undefined, objects: readonly WholeObject[]): string | undefined {
  const found = objects.filter(({ bytes, path }) =>
    parseObject(bytes, path).symbols.some(({ name, home }) => name === symbol && typeof home === "object"),
  );
  return found.length === 1 ? found[0]?.path : undefined;
}

/** @throws Refusal `module-needs-types` */
function requireNoTypes(name: string, { path, bytes }: WholeObject): void {
  if (needsTypes(parseObject(bytes, path))) throw typesNeeded(name, path);
}

/** @throws Refusal `module-other-object` for an object that no update has changed, and that the source with them makes another one of */
function requireSameObjects(
  name: string,
  before: readonly WholeObject[],
  now: readonly WholeObject[],
  mayDiffer: ReadonlySet<string>,
): void {
  before.forEach(({ path, bytes }, index) => {
    const other = now[index];
    if (other !== undefined && !mayDiffer.has(path) && Buffer.compare(bytes, other.bytes) !== 0) throw otherObject(name, path);
  });
}

function differing(before: readonly string[], after: readonly string[]): string[] {
  const words = (lines: readonly string[], others: readonly string[], sign: string): string[] =>
    lines.filter((line) => !others.includes(line)).map((line) => `${sign} ${line}`);
  return [...words(before, after, "-"), ...words(after, before, "+")];
}

/** Entries of `.modinfo` that kbuild makes by where the module's source lies: an external module has none of them. */
const OF_THE_PLACE = ["intree", "staging"];

/** Without debug information, with what the shipped module says of its place, and with the mark. */
function marked(shipped: ShippedModule, bytes: Uint8Array, ids: readonly string[]): ElfObject {
  const module = parseObject(bytes, `${shipped.name}.ko`);
  const debug = new Set<unknown>(module.sections.filter((section) => /^\.(debug|comment$)/.test(section.name)));
  module.sections = module.sections.filter((section) => !debug.has(section));
  module.symbols = module.symbols.filter(({ home }) => !debug.has(home));
  const theirs = readModinfo(parseObject(shipped.bytes, shipped.place)).filter(([tag]) => OF_THE_PLACE.includes(tag));
  const ours = readModinfo(module).filter(([tag]) => !OF_THE_PLACE.includes(tag));
  writeModinfo(module, [...ours, ...theirs, ...ids.map((id) => [MARK_TAG, id] as const)]);
  addMark(module, ids);
  return module;
}
