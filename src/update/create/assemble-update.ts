import { KERNEL_ARCHITECTURE } from "../../arch/architectures.js";
import { SHF_ALLOC, STB_GLOBAL } from "../../elf/constants.js";
import type { ElfObject } from "../../elf/model.js";
import { writeObject } from "../../elf/write-object.js";
import type { NewCode, NewCodeExport, SourceLine } from "../../diff/types.js";
import type { Tell } from "../../events.js";
import type { KernelModules, Unit } from "../../kbuild/types.js";
import type { WholeModule } from "../../kbuild/whole/build-whole-module.js";
import type { SemanticNote } from "../../notes/types.js";
import {
  MAX_MODULE_NAME,
  FORMAT_VERSION,
  type AllowedLayout,
  type ManifestTarget,
  type ManifestUnit,
  type ManifestWrite,
} from "../file/manifest.js";
import type { UnitPart } from "./cut-out.js";
import { chooseExports } from "./update-exports.js";
import { CORE_FILE, makeUpdate, PATCH_FILE, SYSTEM_MAP_FILE, type Update } from "../file/update-file.js";
import type { UnitDiff } from "../units/unit-diff.js";

export interface UpdateSource {
  readonly id: string;
  readonly description: string;
  readonly created: Date;
  readonly kernel: { readonly release: string; readonly buildId?: string; readonly compiler: string };
  /** Ids of the updates that the source holds, oldest first. */
  readonly after: readonly string[];
  readonly cves: readonly string[];
  readonly effective?: string;
  readonly patch: Uint8Array;
  readonly notes: readonly SemanticNote[];
  readonly layouts: readonly AllowedLayout[];
  /** Callbacks that change together with all who use them. */
  readonly together: readonly string[];
  /** Where the kernel's variables are, if it does not tell itself. */
  readonly systemMap?: Uint8Array | undefined;
  readonly modules: KernelModules;
  readonly wholeModules: readonly WholeModule[];
  readonly link: (
    moduleName: string,
    objects: readonly { unit: string; bytes: Uint8Array }[],
    exports: readonly NewCodeExport[],
    offered: readonly NewCodeExport[],
  ) => Promise<Uint8Array>;
}

/**
 * Builds the update of the changed units, one module a target.
 * @param checked units that stay the same although the patch touches their source: run-post matching compares them too
 */
export async function assembleUpdate(
  source: UpdateSource,
  parts: readonly UnitPart[],
  tell: Tell,
  checked: readonly UnitDiff[] = [],
): Promise<Update> {
  const files = new Map<string, Uint8Array>([
    [PATCH_FILE, source.patch],
    [CORE_FILE, source.modules.core],
    ...(source.systemMap === undefined ? [] : ([[SYSTEM_MAP_FILE, source.systemMap]] as const)),
  ]);
  const exports = chooseExports(parts);

  const targets: ManifestTarget[] = [];
  for (const name of exports.order) {
    tell("stage", `linking the new code for ${name}`);
    const units = parts.filter(({ unit }) => unit.target === name);
    const module = moduleNameFor(source.id, name, targets);
    const file = `new/${name}.ko`;
    const newGlobals = new Set(units.flatMap(({ newCode }) => newCode.newGlobals));
    const entries = units.map((part) => unitEntry(part, newGlobals, units));
    const objects = units.map(({ unit, newCode }) => ({ unit: unit.path, bytes: writeObject(newCode.object) }));
    const exported = exports.of.get(name) ?? [];
    const offered = [...exports.of].flatMap(([other, others]) => (other === name ? [] : others));
    files.set(file, await source.link(module, objects, exported, offered));
    for (const { unit, diff } of units) {
      files.set(prePath(unit), writeObject(withoutDebugSections(diff.pre)));
      files.set(postPath(unit), writeObject(withoutDebugSections(diff.post)));
    }
    targets.push({ name, module, file, exports: exported.map((entry) => entry.name), units: entries });
  }

  for (const { unit, diff } of checked) files.set(postPath(unit), writeObject(withoutDebugSections(diff.post)));

  for (const { name, bytes } of source.wholeModules) files.set(wholePath(name), bytes);

  return makeUpdate(
    {
      format: FORMAT_VERSION,
      id: source.id,
      description: source.description,
      created: source.created.toISOString().replace(/\.\d+Z$/, "Z"),
      kernel: { ...source.kernel, machine: KERNEL_ARCHITECTURE.name },
      after: [...source.after],
      cves: [...source.cves],
      ...(source.effective === undefined ? {} : { effective: source.effective }),
      core: CORE_FILE,
      targets,
      ...(source.wholeModules.length === 0
        ? {}
        : { wholeModules: source.wholeModules.map(({ name, place, shipped }) => ({ name, place, file: wholePath(name), shipped })) }),
      notes: [...source.notes],
      layouts: [...source.layouts],
      ...(source.together.length === 0 ? {} : { together: [...source.together] }),
      checked: checked.map(({ unit }) => ({ path: unit.path, target: unit.target, post: postPath(unit) })),
    },
    files,
  );
}

function wholePath(module: string): string {
  return `whole/${module}.ko`;
}

function prePath(unit: Unit): string {
  return `pre/${unit.path}`;
}

function postPath(unit: Unit): string {
  return `post/${unit.path}`;
}

/** `ksplice_ID_TARGET`, cut to what the kernel takes, and told apart by a number where cutting made two the same. */
function moduleNameFor(id: string, target: string, earlier: readonly ManifestTarget[]): string {
  const full = `ksplice_${id}_${target}`;
  if (full.length <= MAX_MODULE_NAME) return full;
  return `${full.slice(0, MAX_MODULE_NAME - 4)}_${String(earlier.length).padStart(3, "0")}`;
}

/** The manifest's entry; also gives each replacement and each object with new bytes its alias symbol, which is unique among the units that are linked together. */
function unitEntry(part: UnitPart, newGlobals: ReadonlySet<string>, parts: readonly UnitPart[]): ManifestUnit {
  const { unit, diff, newCode, lineOf } = part;
  const own = newCode.functions.map((entry) => ({ ...entry, in: part }));
  const moved = part.redirects.map((entry) => ({ ...entry, in: parts.find(({ unit: other }) => other === entry.to.unit) }));
  const functions = [...own, ...moved].map((entry) => {
    if (entry.in === undefined) throw new Error(`${entry.name} moves to a unit that is not in the update`);
    return {
      name: entry.name,
      ...withLine(entry.in.lineOf(entry.name)),
      preSymbol: entry.preSymbol,
      newSymbol: addAlias(entry.in.newCode, entry.in.unit, entry.newSymbol),
      preParts: [...entry.preParts],
      mayBeBusy: part.busy.includes(entry.name),
      interface: part.otherInterface.includes(entry.name) ? ("other" as const) : ("same" as const),
    };
  });
  return {
    path: unit.path,
    pre: prePath(unit),
    post: postPath(unit),
    functions,
    writes: newCode.writes.map((entry): ManifestWrite => ({ ...entry, newSymbol: addAlias(newCode, unit, entry.newSymbol) })),
    // What another unit of this update defines anew is resolved by the linker, not on the target machine.
    imports: newCode.imports
      .filter((entry) => !newGlobals.has(entry.name))
      .map((entry) => ({
        name: entry.name,
        symbol: entry.symbol,
        ...(entry.preSymbol === undefined ? {} : { preSymbol: entry.preSymbol }),
      })),
    changed: diff.functions.changed.map((change) => ({
      name: change.name,
      ...withLine(lineOf(change.name)),
      reasons: [...change.reasons],
    })),
    new: diff.functions.new.map((change) => change.name),
    removed: diff.functions.removed.map(({ name }) => name),
    moved: part.redirects.map(({ name, to }) => ({ name, to: to.unit.path })),
    left: part.left.map(({ name, preParts, mayBeCalled }) => ({ preSymbol: name, preParts: [...preParts], mayBeCalled })),
    added: [...part.added],
    data: listData(newCode, lineOf),
    hooks: newCode.hooks.map(({ kind, name }) => ({ kind, name, ...withLine(lineOf(name)) })),
  };
}

/** Each overwritten object once. */
function listData({ writes }: NewCode, lineOf: UnitDiff["lineOf"]): ManifestUnit["data"] {
  const objects = new Map(writes.map(({ name, isConstant }) => [name, isConstant]));
  return [...objects].map(([name, isConstant]) => ({
    name,
    ...withLine(lineOf(name)),
    how: isConstant ? "rewritten" : "redirected",
  }));
}

function withLine(line: SourceLine | undefined): { sourceLine?: { file: string; line: number } } {
  return line === undefined ? {} : { sourceLine: { ...line } };
}

function addAlias(newCode: NewCode, unit: Unit, name: string): string {
  const symbol = newCode.object.symbols.find((candidate) => candidate.name === name && typeof candidate.home === "object");
  if (symbol === undefined) throw new Error(`${unit.path}: the new code does not define ${name}`);
  const alias = `new:${unit.path}:${name}`;
  if (newCode.object.symbols.some((candidate) => candidate.name === alias)) return alias;
  newCode.object.symbols.push({ ...symbol, name: alias, bind: STB_GLOBAL });
  return alias;
}

/** What matching reads of a pre object: sections that are loaded, and the tables that describe patch sites. */
function withoutDebugSections(object: ElfObject): ElfObject {
  const sections = object.sections.filter(
    (section) => (section.flags & SHF_ALLOC) !== 0 || !/^\.(debug|BTF|comment|note|discard)/.test(section.name),
  );
  const kept = new Set<unknown>(sections);
  return {
    ...object,
    sections,
    symbols: object.symbols.filter((symbol) => typeof symbol.home !== "object" || kept.has(symbol.home) || !("data" in symbol.home)),
  };
}
