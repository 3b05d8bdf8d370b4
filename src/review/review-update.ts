import { diffObjects } from "../diff/diff-objects.js";
import { disassembleFunction, mergeLines, type FunctionLine, type MergedLine } from "../diff/listing/disassemble-function.js";
import type { ObjectDiff } from "../diff/object-diff.js";
import { homeSection, type ElfObject, type ElfSymbol } from "../elf/model.js";
import { STT_FUNC } from "../elf/constants.js";
import { parseObject } from "../elf/parse-object.js";
import type { Manifest, ManifestUnit } from "../update/file/manifest.js";
import { PATCH_FILE, requireFile, type Update } from "../update/file/update-file.js";
import { findHunks, isAbout, type PatchHunk } from "./patch-hunks.js";

/** An update, laid out for somebody who decides whether it goes into a kernel. */
export interface Review {
  readonly manifest: Manifest;
  readonly hunks: readonly PatchHunk[];
  readonly units: readonly ReviewedUnit[];
}

export interface ReviewedUnit {
  /** Object path from the top of the kernel tree. */
  readonly path: string;
  /** `vmlinux`, or a module's name. */
  readonly target: string;
  readonly functions: readonly ReviewedFunction[];
  readonly writes: readonly ReviewedWrite[];
}

export interface ReviewedFunction {
  readonly name: string;
  readonly fate: "changed" | "new" | "removed";
  /** `FILE:LINE`, or the object. */
  readonly place: string;
  /** Why it counts as changed; where it went. */
  readonly reasons: readonly string[];
  /** What somebody who reviews must know about it, besides its code. */
  readonly remarks: readonly string[];
  readonly hunks: readonly PatchHunk[];
  readonly rows: readonly Row[];
}

/** One line of two disassemblies beside each other; a side is undefined where the other has a line more. */
export interface Row {
  readonly pre: string | undefined;
  readonly post: string | undefined;
  readonly isSame: boolean;
}

/** A range of existing data that is overwritten. */
export interface ReviewedWrite {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** What is there, and what comes: bytes in hexadecimal, and what pointers among them lead to. Undefined where no object of the update has it. */
  readonly pre: string | undefined;
  readonly post: string | undefined;
}

/** What `ksplice review` shows of an update, from its own files: nothing is compiled, and no kernel is asked. */
export function reviewUpdate(update: Update): Review {
  const hunks = findHunks(Buffer.from(requireFile(update, PATCH_FILE)).toString("utf8"));
  const units = update.manifest.targets.flatMap(({ name, units: own }) => own.map((unit) => reviewUnit(update, name, unit, hunks)));
  return { manifest: update.manifest, hunks, units };
}

function reviewUnit(update: Update, target: string, unit: ManifestUnit, hunks: readonly PatchHunk[]): ReviewedUnit {
  const [pre, post] = [unit.pre, unit.post].map((path) => parseObject(requireFile(update, path), path)) as [ElfObject, ElfObject];
  const listing = new UnitListing(diffObjects(pre, post));
  const review = (name: string, fate: ReviewedFunction["fate"], change?: ManifestUnit["changed"][number]): ReviewedFunction => ({
    name,
    fate,
    place: change?.sourceLine === undefined ? unit.path : `${change.sourceLine.file}:${change.sourceLine.line}`,
    reasons: [...(change?.reasons ?? []), ...unit.moved.filter((moved) => moved.name === name).map(({ to }) => `it goes to ${to}`)],
    remarks: remarksOn(unit, name),
    hunks: hunks.filter((hunk) => isAbout(hunk, sourceName(name))),
    rows: listing.rowsOf(name),
  });
  return {
    path: unit.path,
    target,
    functions: [
      ...unit.changed.map((change) => review(change.name, "changed", change)),
      // What is led to the new code of another unit.
      ...unit.functions
        .filter(({ name }) => !unit.changed.some((change) => change.name === name) && !unit.removed.includes(name))
        .map(({ name, sourceLine }) => review(name, "changed", { name, sourceLine, reasons: [] })),
      ...unit.new.map((name) => review(name, "new")),
      ...unit.removed.map((name) => review(name, "removed")),
    ],
    writes: unit.writes.map(({ name, preSymbol, offset, size }) => ({
      name,
      offset,
      size,
      pre: contentOf(pre, preSymbol, offset, size),
      post: contentOf(post, name, offset, size),
    })),
  };
}

function remarksOn(unit: ManifestUnit, name: string): string[] {
  const entry = unit.functions.find((candidate) => candidate.name === name);
  const left = unit.left.find(({ preSymbol }) => preSymbol === name);
  return [
    ...(entry?.mayBeBusy === true ? ["threads may stay in its old code, beside others in the new"] : []),
    ...(entry?.interface === "other" ? ["it takes or returns something else than before"] : []),
    ...(left === undefined
      ? []
      : [left.mayBeCalled ? "its old code stays, and may be called on" : "its old code stays, and nobody may know it"]),
  ];
}

/** What the source calls a function that the compiler has given a suffix: `foo.isra.0`. */
function sourceName(name: string): string {
  return name.replace(/\..*$/, "");
}

/** The two disassemblies of a unit's functions. */
class UnitListing {
  readonly #pairs: ReadonlyMap<string, readonly [pre: ElfSymbol | undefined, post: ElfSymbol | undefined]>;

  constructor(private readonly diff: ObjectDiff) {
    const { changed, new: added, removed } = diff.functions;
    this.#pairs = new Map([...changed, ...added, ...removed].map(({ name, pre, post }) => [name, [pre, post]]));
  }

  rowsOf(name: string): Row[] {
    const { pre, post } = this.diff;
    const [before, after] = this.#pairs.get(name) ?? [functionNamed(pre, name), functionNamed(post, name)];
    return besideEachOther(mergeLines(this.#lines(before, pre), this.#lines(after, post)));
  }

  /** The function, and what the compiler has put elsewhere of it. */
  #lines(symbol: ElfSymbol | undefined, object: ElfObject): FunctionLine[] {
    if (symbol === undefined) return [];
    const parts = object.symbols.filter(({ name, type }) => type === STT_FUNC && name.startsWith(`${symbol.name}.cold`));
    return [symbol, ...parts].flatMap((part) => disassembleFunction(part, object));
  }
}

function functionNamed(object: ElfObject, name: string): ElfSymbol | undefined {
  return object.symbols.find((symbol) => symbol.name === name && symbol.type === STT_FUNC && homeSection(symbol) !== undefined);
}

/** What goes and what comes at one place stands in one row, line by line. */
export function besideEachOther(lines: readonly MergedLine[]): Row[] {
  const rows: Row[] = [];
  let [gone, come]: [string[], string[]] = [[], []];
  const flush = (): void => {
    for (let index = 0; index < Math.max(gone.length, come.length); index++)
      rows.push({ pre: gone[index], post: come[index], isSame: false });
    [gone, come] = [[], []];
  };
  for (const { mark, text } of lines) {
    if (mark === "-") gone.push(text);
    else if (mark === "+") come.push(text);
    else {
      flush();
      rows.push({ pre: text, post: text, isSame: true });
    }
  }
  flush();
  return rows;
}

const BYTES_SHOWN = 64;

function contentOf(object: ElfObject, name: string, offset: number, size: number): string | undefined {
  const symbol = object.symbols.find((candidate) => candidate.name === name && homeSection(candidate) !== undefined);
  const section = symbol === undefined ? undefined : homeSection(symbol);
  if (symbol === undefined || section === undefined) return undefined;
  const from = symbol.value + offset;
  const bytes = section.data.subarray(from, from + Math.min(size, BYTES_SHOWN));
  const pointers = section.relocations.filter((relocation) => relocation.offset >= from && relocation.offset < from + size);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return [
    `${hex}${size > BYTES_SHOWN ? " …" : ""}`,
    ...pointers.map(({ offset: at, symbol: to, addend }) => `at ${at - from}: ${to.name}${addend === 0 ? "" : `+${addend}`}`),
  ].join("; ");
}
