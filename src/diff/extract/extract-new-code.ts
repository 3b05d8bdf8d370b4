import { STB_LOCAL, STB_WEAK } from "../../elf/constants.js";
import { AbsoluteAddress, UNDEFINED, type ElfSymbol } from "../../elf/model.js";
import type { Analysis } from "../compare/analyse.js";
import { atomName, isText, type Atom } from "../atoms/atom.js";
import { isBranch } from "../atoms/branches.js";
import { collectCarried, isMeant } from "../compare/carried.js";
import type { DataWrite } from "../compare/changed-constants.js";
import { groupPieces } from "../compare/changed-code.js";
import { OriginChooser, hasPlainName } from "../compare/choose-origin.js";
import type { ExportEntry } from "../atoms/exports.js";
import { NewObject } from "./new-object.js";
import { sliceTables, type EntryPlaces } from "./slice-tables.js";
import { namesThatStay, type SplitObject } from "../atoms/split-object.js";
import type { ObjectDiff } from "../object-diff.js";
import type { NewCode, NewCodeFunction, NewCodeImport, NewCodeWrite } from "../types.js";
import type { Relocate } from "./relocate.js";

/** `struct module` of the module that a unit is linked into: each module has its own (include/linux/export.h, Linux 6.1). */
const THIS_MODULE = "__this_module";

export interface ExtractOptions {
  /** Path of the object in the kernel tree (`net/ipv4/raw.o`), the prefix of its imports. */
  readonly unit: string;
  /** Atoms of the post object that the running kernel has in another unit: data that moved here, and functions, whose address as a value is still the old one. */
  readonly elsewhere?: ReadonlyMap<Atom, NewCodeImport>;
  /** The same for functions that moved from one unit to another and that this one only refers to, by their names. */
  readonly movedFunctions?: ReadonlyMap<string, NewCodeImport>;
  /** Names that units of the update export before the patch: the running kernel has these exports, whichever unit has them after it. */
  readonly exportedBefore?: ReadonlySet<string>;
}

/**
 * Cuts the new code out of the post object: changed and new functions, the data they bring, and the table entries that describe them.
 * docs/architecture.md says how it finds the running kernel.
 * @throws Error for a diff that was refused, or where the post object contradicts itself
 */
export function extractNewCode(diff: ObjectDiff, options: ExtractOptions): NewCode {
  if (diff.refusals.length > 0) throw new Error(`${options.unit}: new code is wanted of a refused difference`);
  const { analysis } = diff;
  const { elsewhere, movedFunctions } = {
    elsewhere: new Map<Atom, NewCodeImport>(),
    movedFunctions: new Map<string, NewCodeImport>(),
    ...options,
  };
  const exportedBefore = options.exportedBefore ?? new Set<string>();
  const preNames = namesThatStay(analysis.pre);
  const chooser = new OriginChooser({ ...analysis, elsewhere: new Set(elsewhere.keys()) });
  const carried = collectCarried(analysis, chooser, preNames);
  for (const atom of elsewhere.keys()) if (!isText(atom)) carried.delete(atom);
  const newGlobals = [...carried].flatMap(({ symbols }) =>
    symbols.filter(({ bind, name }) => bind !== STB_LOCAL && !preNames.has(name)).map(({ name }) => name),
  );

  const object = new NewObject(new Set(newGlobals));
  for (const atom of carried) object.addAtom(atom);
  const relocateOf = (entries: EntryPlaces): Relocate =>
    relocator(analysis, chooser, object, { unit: options.unit, elsewhere, movedFunctions, entries });
  // No entry refers to another; code refers to its own.
  const relocate = relocateOf(sliceTables(analysis, carried, object, relocateOf(new Map())));
  for (const atom of carried)
    object.sectionOf(atom).relocations = atom.relocations
      .filter(isMeant)
      .map((relocation) => relocate(relocation, analysis.post.target(relocation, atom), atom));
  // What was exported by another unit still is: what moved here, or its export alone.
  const isNewlyExported = ({ name, symbol }: ExportEntry): boolean =>
    !exportedBefore.has(name) && ![...elsewhere.keys()].some(({ symbols }) => symbols.includes(symbol));
  const exports = analysis.addedExports.filter(isNewlyExported).map(({ symbol, ...entry }) => ({
    ...entry,
    symbol: exportedSymbol(symbol, analysis, object, options.unit),
  }));
  const writes = analysis.writes.map((write) => addWrite(write, analysis, object, relocate));

  return {
    unit: options.unit,
    object: object.finish(options.unit, diff.post.machine),
    imports: object.imports,
    functions: listFunctions(diff, analysis),
    writes,
    exports,
    hooks: analysis.hooks.map((hook) => ({ kind: hook.kind, name: atomName(hook.function) })),
    newGlobals,
  };
}

function relocator(
  analysis: Analysis,
  chooser: OriginChooser,
  object: NewObject,
  { unit, elsewhere, movedFunctions, entries }: Required<Omit<ExtractOptions, "exportedBefore">> & { readonly entries: EntryPlaces },
): Relocate {
  return (relocation, target, owner) => {
    switch (target.kind) {
      case "outside": {
        const moved = movedFunctions.get(target.symbol.name);
        if (moved !== undefined && owner !== undefined && !isBranch(analysis.post, owner, relocation))
          return { ...relocation, symbol: object.importSymbol(moved), addend: target.addend };
        return { ...relocation, symbol: outsideSymbol(target.symbol), addend: target.addend };
      }
      case "entry": {
        const place = entries.get(target.entry);
        if (place === undefined) throw new Error(`an entry of ${target.entry.section.name} is referred to and not carried`);
        return { ...relocation, ...object.referToSection(place.section, place.offset - target.bias) };
      }
      case "literal": {
        const { symbol, addend } = object.referToLiteral(target.bytes, target.align, target.delta);
        return { ...relocation, symbol, addend: addend - target.bias };
      }
      case "atom": {
        if (chooser.choose(target.atom, target.offset, relocation, owner) === "new")
          return { ...relocation, ...object.referToAtom(target.atom, target.offset) };
        const moved = elsewhere.get(target.atom);
        if (moved !== undefined && target.atom.symbol !== undefined) {
          const fromStart = target.offset - (target.atom.symbol.value - target.atom.start);
          return { ...relocation, symbol: object.importSymbol(moved), addend: fromStart };
        }
        if (owner === undefined && isText(target.atom)) throw new Error(`a table of new code refers to old code, ${atomName(target.atom)}`);
        const twin = analysis.twins.get(target.atom);
        if (twin?.symbol === undefined || target.atom.symbol === undefined)
          throw new Error(`${atomName(target.atom)} is wanted of the running kernel and has no name there`);
        const fromSymbol = target.offset - (target.atom.symbol.value - target.atom.start);
        return { ...relocation, symbol: object.importSymbol(importOf(twin.symbol, unit)), addend: fromSymbol };
      }
    }
  };

  function outsideSymbol(symbol: ElfSymbol): ElfSymbol {
    if (symbol.home instanceof AbsoluteAddress) return object.copyAbsolute({ ...symbol, home: symbol.home });
    if (symbol.home === UNDEFINED && symbol.name === "") return symbol; // the null symbol
    // Not the update's own module but the one that the code belongs to.
    if (symbol.name === THIS_MODULE)
      return object.importSymbol({ name: `${unit}:${THIS_MODULE}`, preSymbol: THIS_MODULE, symbol: THIS_MODULE });
    return object.importSymbol({ name: symbol.name, symbol: symbol.name }, symbol.bind === STB_WEAK);
  }
}

function importOf({ name }: ElfSymbol, unit: string): NewCodeImport {
  return hasPlainName(name) ? { name, preSymbol: name, symbol: name } : { name: `${unit}:${name}`, preSymbol: name, symbol: name };
}

/** The name, in the new object, of what an export means: as an address of it in data would, that of the old code where there is any. */
function exportedSymbol(symbol: ElfSymbol, { post, twins, replaced }: Analysis, object: NewObject, unit: string): string {
  const target = post.target({ offset: 0, type: post.object.machine.pointer, symbol, addend: 0 }, undefined);
  if (target.kind === "outside") return object.importSymbol({ name: symbol.name, symbol: symbol.name }).name;
  if (target.kind !== "atom") throw new Error(`${symbol.name} is exported and is a string`);
  const twin = twins.get(target.atom)?.symbol;
  return twin === undefined || replaced.has(target.atom) ? symbol.name : object.importSymbol(importOf(twin, unit)).name;
}

/** Puts the new bytes of a range of existing data into the new object: those of the carried object, or a pointer by itself. */
function addWrite(
  { pre, post, offset, size, pointer }: DataWrite,
  analysis: Analysis,
  object: NewObject,
  relocate: Relocate,
): NewCodeWrite {
  if (pre.symbol === undefined) throw new Error(`${atomName(post)} is to be overwritten and has no name in the running kernel`);
  const place = { name: atomName(post), preSymbol: pre.symbol.name, offset: offset - (pre.symbol.value - pre.start), size };
  const isConstant = post.rule.kind === "data" && !post.rule.mutable;
  if (pointer === undefined) return { ...place, ...object.placeIn(post, offset), isConstant };
  return { ...place, ...object.addPointer(relocate(pointer, analysis.post.target(pointer, post), post)), isConstant: false };
}

function listFunctions(diff: ObjectDiff, analysis: Analysis): NewCodeFunction[] {
  const preParts = piecesOf(analysis.pre);
  return diff.functions.changed.flatMap(({ name, sourceLine, pre, post }) => {
    if (pre === undefined || post === undefined) return [];
    const line = sourceLine === undefined ? {} : { sourceLine };
    return [{ name, ...line, preSymbol: pre.name, newSymbol: post.name, preParts: preParts.get(pre) ?? [] }];
  });
}

/** Names of the further pieces of each function (`f.cold`), by the symbol of the function. */
export function piecesOf(split: SplitObject): ReadonlyMap<ElfSymbol | undefined, readonly string[]> {
  return new Map([...groupPieces(split.atoms)].map(([main, pieces]) => [main.symbol, pieces.map(atomName)]));
}
