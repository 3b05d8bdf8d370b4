import type { Tell } from "../../events.js";
import { readLatin1 } from "../../host/files.js";
import { join } from "node:path";
import type { Btf } from "../../btf/btf.js";
import { BtfFormatError } from "../../btf/btf-format-error.js";
import { compareInPlaceOf, compareTypes, type TypeComparison, type TypeFinding } from "../../btf/compare-types.js";
import { parseBtf } from "../../btf/parse-btf.js";
import { readRunningBtf, type KernelPlaces } from "../../tree/running-btf.js";
import { ElfFormatError } from "../../elf/elf-format-error.js";
import { findTypeDefinition } from "../../source/definition-line.js";
import { unitKey, type Unit } from "../../kbuild/types.js";
import type { PatchedTree } from "../../kbuild/change/patched-tree.js";
import { findMovedTypes, type MovedType } from "./moved-types.js";
import { areEnumeratorsRenamedThroughout, areRenamedThroughout } from "./renamed-members.js";
import { findRenamedTypes } from "./renamed-types.js";
import { findRetoldPointers, type RetoldPointer } from "./retold-pointers.js";
import { readTouchedTexts, type TouchedText } from "../units/touched-texts.js";
import type { AllowedLayout } from "../file/manifest.js";
import type { CallbackVerdict } from "./callbacks/verdict.js";
import { judgeLayouts, mergeFindings, warningOf, type LocatedFinding } from "./judge-layouts.js";
import { mapLimited } from "../../host/map-limited.js";
import { badBtf } from "./refusals.js";
import type { UnitTypes } from "../units/unit-types.js";

export interface LayoutContext {
  /** All units that the change comes into. */
  readonly all: readonly Unit[];
  readonly types: UnitTypes;
  readonly patched: PatchedTree;
  readonly kernel: KernelPlaces;
}

export interface LayoutRequest {
  /** Those that bring changed or new functions. */
  readonly units: readonly Unit[];
  readonly jobs: number;
  /** Types that the user vouches for. */
  readonly allowed: readonly string[];
  /** What is known of callbacks that change. Default: they are refused like everything else. */
  readonly callbacks?: CallbackVerdict;
  readonly tell: Tell;
}

/** Compares the types that units see with those of the running kernel, each unit at most once. */
export class Layouts {
  readonly #running: RunningTypes;
  readonly #texts: Promise<TouchedText[]>;
  readonly #units = new Map<string, Promise<TypeComparison>>();

  constructor(private readonly context: LayoutContext) {
    this.#running = new RunningTypes(context.kernel);
    this.#texts = readTouchedTexts(context.patched);
  }

  /** @throws Refusal `bad-btf` */
  async of(unit: Unit): Promise<TypeComparison> {
    const key = unitKey(unit);
    const known = this.#units.get(key);
    if (known !== undefined) return await known;
    const compared = this.#texts.then((texts) => compareUnit(unit, this.context.types, this.#running, findRenamedTypes(texts)));
    this.#units.set(key, compared);
    return await compared;
  }

  /** Types that the units see with another layout, one entry for each type and each pair of layouts. */
  async findings(
    units: readonly Unit[],
    jobs: number,
  ): Promise<{ readonly findings: LocatedFinding[]; readonly notes: readonly string[] }> {
    const texts = await this.#texts;
    const notes = new Set<string>();
    const perUnit = await mapLimited(units, jobs, async (unit) => {
      const { findings, notes: unitNotes } = await this.of(unit);
      for (const note of unitNotes) notes.add(note);
      return { unit, findings };
    });
    const moved = await compareMoved({ ...this.context, units, jobs }, findMovedTypes(texts), this.#running);
    const retold = await compareRetold({ ...this.context, units, jobs }, findRetoldPointers(texts));
    const merged = mergeFindings([...perUnit, ...moved, ...retold]);
    const findings = merged.filter(({ renames, after }) => {
      if (renames === undefined) return true;
      return !(after.kind === "enum" ? areEnumeratorsRenamedThroughout(renames, texts) : areRenamedThroughout(renames, texts));
    });
    return { findings: await locate(findings, this.context.patched), notes: [...notes] };
  }
}

/**
 * Judges the types of which new code sees another definition than the running kernel has.
 * @returns those that have another layout, and that the user vouches for
 * @throws Refusal `changed-layout` for a struct, union or enum whose layout differs, unless that is allowed; `unknown-layout` (exit 2) for one
 * that is allowed and has the same layout; `bad-btf`
 */
export async function checkLayouts(layouts: Layouts, request: LayoutRequest): Promise<AllowedLayout[]> {
  const { units, jobs, allowed: vouched, callbacks, tell } = request;
  const { findings, notes } = await layouts.findings(units, jobs);
  const allowed = judgeLayouts(findings, vouched, callbacks);
  for (const note of [...notes, ...allowed.map(warningOf)]) tell("note", note);
  return allowed;
}

async function compareUnit(
  unit: Unit,
  types: UnitTypes,
  running: RunningTypes,
  formerLabels: ReadonlyMap<string, readonly string[]>,
): Promise<TypeComparison> {
  const [pre, post] = [await typesOf(types, unit, "pre"), await typesOf(types, unit, "post")];
  if (pre === undefined || post === undefined) return { findings: [], notes: [] };
  const comparison = compareTypes(pre, post, undefined, formerLabels);
  if (comparison.findings.length === 0) return comparison;
  const kernel = await running.of(unit.target);
  if (kernel !== undefined) return withRunning(pre, post, kernel, formerLabels);
  const what = unit.target === "vmlinux" ? "the running kernel's types are" : `the types of module ${unit.target} are`;
  const note = `${what} not in the configuration directory (btf/${unit.target}): those of the unpatched source stand for them`;
  return { ...comparison, notes: [...comparison.notes, note] };
}

/**
 * What units make of types that were another unit's before the patch: their code comes to objects that the other one's code has made.
 * Where the other unit has its types as before, or does not know the type, nothing has moved.
 */
async function compareMoved(
  { units, all, types, jobs }: Pick<LayoutContext & LayoutRequest, "units" | "all" | "types" | "jobs">,
  moved: readonly MovedType[],
  running: RunningTypes,
): Promise<{ readonly unit: Unit; readonly findings: readonly TypeFinding[] }[]> {
  const found = await mapLimited(moved, jobs, async ({ from, former, labels }) => {
    const compiled = all.filter(({ source }) => source === from);
    // A header, or a C file that others include, is of several units.
    const owners = compiled.length > 0 ? compiled : all;
    const before = (await mapLimited(owners, jobs, async (owner) => await typesOf(types, owner, "pre"))).flatMap((pre) => pre ?? []);
    const formerLabels = new Map(labels.map((label) => [label, [former]]));
    return await mapLimited(units, jobs, async (unit) => {
      if (unit.source === from) return [];
      // Also where its own types stay as they are: it may have had one of that name.
      const post = parsed((await types.compiled(unit)).post, `post ${unit.path}`);
      if (post === undefined) return [];
      const kernel = await running.of(unit.target);
      const only = new Set(labels);
      const findings = before.flatMap((pre) => withRunning(pre, post, kernel, formerLabels, only).findings);
      return findings.map((finding) => ({ unit, findings: [{ ...finding, hasMoved: true }] }));
    });
  });
  return found.flat(2);
}

/** What units make of pointers without a type that lead to objects of another one: those were made by the old code. */
async function compareRetold(
  { units, types, jobs }: Pick<LayoutContext & LayoutRequest, "units" | "types" | "jobs">,
  retold: readonly RetoldPointer[],
): Promise<{ readonly unit: Unit; readonly findings: readonly TypeFinding[] }[]> {
  const found = await mapLimited(units, jobs, async (unit) => {
    // Those of a header, or of a C file that others include, are any unit's.
    const own = retold.filter(({ path }) => path === unit.source || !units.some(({ source }) => source === path));
    if (own.length === 0) return [];
    const pair = await types.compiled(unit);
    const [pre, post] = [parsed(pair.pre, `pre ${unit.path}`), parsed(pair.post, `post ${unit.path}`)];
    if (pre === undefined || post === undefined) return [];
    return own.map(({ former, label, pointer, user }) => {
      const finding = inPlaceOf(pre, former, post, label);
      const reason = `${user}() takes ${spelled(pointer)} for one, and before the patch for a ${spelled(former)}: what that leads to was made as such`;
      return { unit, findings: finding === undefined ? [] : [{ ...finding, reasons: [reason, ...finding.reasons] }] };
    });
  });
  return found.flat();
}

/** Tokens as one writes them. */
function spelled(tokens: string): string {
  return tokens
    .replaceAll(/ (?=;)/g, "")
    .replaceAll("- >", "->")
    .replaceAll(/ (?=[)\],])|(?<=[([&]) | ?(->|\.|[([]) ?/g, "$1");
}

function inPlaceOf(pre: Btf, former: string, post: Btf, label: string): TypeFinding | undefined {
  try {
    return compareInPlaceOf(pre, former, post, label);
  } catch (error) {
    throw refusalOf(error);
  }
}

/** The types of a unit on one side of the change; undefined where it has none, or where none can have changed. */
async function typesOf(types: UnitTypes, unit: Unit, side: "pre" | "post"): Promise<Btf | undefined> {
  const pair = await types.of(unit);
  return pair === undefined ? undefined : parsed(pair[side], `${side} ${unit.path}`);
}

function parsed(bytes: Uint8Array, fileName: string): Btf | undefined {
  return bytes.length === 0 ? undefined : parseBtf(bytes, fileName);
}

function withRunning(
  pre: Btf,
  post: Btf,
  running: Btf | undefined,
  formerLabels: ReadonlyMap<string, readonly string[]>,
  only?: ReadonlySet<string>,
): TypeComparison {
  try {
    return compareTypes(pre, post, running, formerLabels, only);
  } catch (error) {
    throw refusalOf(error);
  }
}

/** The running kernel's types, read when they are asked for. */
class RunningTypes {
  readonly #read = new Map<string, Promise<Btf | undefined>>();

  constructor(private readonly places: KernelPlaces) {}

  of(target: string): Promise<Btf | undefined> {
    const known = this.#read.get(target);
    if (known !== undefined) return known;
    const types = this.#parse(target);
    this.#read.set(target, types);
    return types;
  }

  async #parse(target: string): Promise<Btf | undefined> {
    const base = target === "vmlinux" ? undefined : await this.of("vmlinux");
    if (base === undefined && target !== "vmlinux") return undefined;
    try {
      const file = await readRunningBtf(this.places, target);
      return file === undefined ? undefined : parseBtf(file.bytes, file.fileName, base);
    } catch (error) {
      throw refusalOf(error);
    }
  }
}

function refusalOf(error: unknown): unknown {
  return error instanceof BtfFormatError || error instanceof ElfFormatError ? badBtf(error.fileName, error.message) : error;
}

/** Finds the definitions in the texts of the files that the patch touches. */
async function locate<T extends { readonly label: string }>(findings: readonly T[], patched: PatchedTree) {
  if (findings.length === 0) return [];
  const texts = await Promise.all(
    patched.touched.map(async (file) => ({ file, text: (await readLatin1(join(patched.shadow.source, file))) ?? "" })),
  );
  return findings.map((finding) => {
    const lines = texts.map(({ file, text }) => ({ file, line: findTypeDefinition(text, finding.label) }));
    const found = lines.find(({ line }) => line !== undefined);
    return { ...finding, place: found === undefined ? undefined : `${found.file}:${String(found.line)}` };
  });
}
