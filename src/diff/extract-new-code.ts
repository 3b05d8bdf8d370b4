import { R_X86_64_64, R_X86_64_NONE, STB_LOCAL, STB_WEAK } from "../elf/constants.js";
import { AbsoluteAddress, UNDEFINED, isDefinedInSection, type ElfRelocation, type ElfSymbol } from "../elf/model.js";
import type { Analysis } from "./analyse.js";
import { atomName, isText, type Atom, type Target } from "./atom.js";
import type { DataWrite } from "./changed-constants.js";
import { groupPieces } from "./compare-code.js";
import { TargetChooser, hasPlainName } from "./choose-target.js";
import { companionOf, type TableEntry } from "./code-tables.js";
import { analysisOf } from "./diff-objects.js";
import { NewObject } from "./new-object.js";
import { sliceTables } from "./slice-tables.js";
import type { NewCode, NewCodeFunction, NewCodeImport, NewCodeWrite, ObjectDiff } from "./types.js";

/** `struct module` of the module that a unit is linked into: each module has its own (include/linux/export.h, Linux 6.1). */
const THIS_MODULE = "__this_module";

/**
 * Cuts the new code out of the post object: changed and new functions, the data they bring, and the table entries that describe them.
 * docs/architecture.md says how it finds the running kernel.
 * @param options.unit path of the object in the kernel tree (`net/ipv4/raw.o`), the prefix of its imports
 * @param options.kept removed functions that stay as they are, for others still use them
 * @throws Error for a diff that was refused, or where the post object contradicts itself
 */
export function extractNewCode(diff: ObjectDiff, options: { unit: string; kept?: ReadonlySet<string> }): NewCode {
  if (diff.refusals.length > 0) throw new Error(`${options.unit}: new code is wanted of a refused difference`);
  const analysis = analysisOf(diff);
  const preNames = new Set(diff.pre.symbols.filter(isDefinedInSection).map(({ name }) => name));
  const chooser = new TargetChooser(analysis);
  const carried = collect(analysis, chooser, preNames);
  const newGlobals = [...carried].flatMap(({ symbols }) =>
    symbols.filter(({ bind, name }) => bind !== STB_LOCAL && !preNames.has(name)).map(({ name }) => name),
  );

  const object = new NewObject(new Set(newGlobals));
  const relocate = relocator(analysis, chooser, object, options.unit);
  for (const atom of carried) object.addAtom(atom);
  for (const atom of carried)
    object.sectionOf(atom).relocations = atom.relocations
      .filter(isMeant)
      .map((relocation) => relocate(relocation, analysis.post.target(relocation, atom), atom));
  sliceTables(analysis, carried, object, relocate);
  const exports = analysis.addedExports.map(({ symbol, ...entry }) => ({
    ...entry,
    symbol: exportedSymbol(symbol, analysis, object, options.unit),
  }));
  const writes = analysis.writes.map((write) => addWrite(write, analysis, object, relocate));

  return {
    unit: options.unit,
    object: object.finish(options.unit),
    imports: object.imports,
    functions: listFunctions(diff, analysis, options.kept ?? new Set()),
    writes,
    exports,
    hooks: analysis.hooks.map((hook) => ({ kind: hook.kind, name: atomName(hook.function) })),
    newGlobals,
  };
}

/** objtool leaves R_X86_64_NONE where it took a relocation away. */
function isMeant({ type }: ElfRelocation): boolean {
  return type !== R_X86_64_NONE;
}

/** Gives a relocation of the post object its place in the new one. `owner` is undefined for a table that describes code. */
export type Relocate = (relocation: ElfRelocation, target: Target, owner: Atom | undefined) => ElfRelocation;

/** All atoms that the update carries, in the post object's order: the included code, the hooks and, from there, whatever is not in the running kernel. */
function collect(analysis: Analysis, chooser: TargetChooser, preNames: ReadonlySet<string>): Set<Atom> {
  const { post, postTables, included, hooks, twins } = analysis;
  const found = new Set<Atom>([...included, ...hooks.map(({ entry }) => entry)]);
  for (const { post: object, pointer } of analysis.writes) {
    if (pointer === undefined) {
      found.add(object);
      continue;
    }
    const target = post.target(pointer, object);
    if (target.kind === "atom") found.add(target.atom);
  }
  for (const atom of post.atoms) {
    // Other units of the update may use a new global object that this one only defines.
    const isNewGlobal = atom.symbol !== undefined && atom.symbol.bind !== STB_LOCAL && !preNames.has(atom.symbol.name);
    if (isNewGlobal && !twins.has(atom) && atom.rule.kind === "data" && atom.rule.area === "core") found.add(atom);
  }
  const visit = (relocations: readonly ElfRelocation[], owner: Atom | undefined): void => {
    for (const relocation of relocations.filter(isMeant)) {
      const target = post.target(relocation, owner);
      if (target.kind === "atom" && chooser.choose(target.atom, target.offset, relocation, owner) === "new") found.add(target.atom);
    }
  };
  // A set iterates over what is added to it meanwhile.
  for (const atom of found) {
    visit(atom.relocations, atom);
    for (const entry of postTables.entriesOf.get(atom) ?? []) visit(allRelocations(analysis, entry), undefined);
  }
  return new Set(post.atoms.filter((atom) => found.has(atom)));
}

function allRelocations(analysis: Analysis, entry: TableEntry): readonly ElfRelocation[] {
  return [...entry.relocations, ...(companionOf(analysis.post, entry)?.relocations ?? [])];
}

function relocator(analysis: Analysis, chooser: TargetChooser, object: NewObject, unit: string): Relocate {
  return (relocation, target, owner) => {
    switch (target.kind) {
      case "outside":
        return { ...relocation, symbol: outsideSymbol(target.symbol), addend: target.addend };
      case "literal": {
        const { symbol, addend } = object.referToLiteral(target.bytes, target.align, target.delta);
        return { ...relocation, symbol, addend: addend - target.bias };
      }
      case "atom": {
        if (chooser.choose(target.atom, target.offset, relocation, owner) === "new")
          return { ...relocation, ...object.referToAtom(target.atom, target.offset) };
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
  const target = post.target({ offset: 0, type: R_X86_64_64, symbol, addend: 0 }, undefined);
  if (target.kind !== "atom") throw new Error(`${symbol.name} is exported and not defined`);
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

function listFunctions(diff: ObjectDiff, analysis: Analysis, kept: ReadonlySet<string>): NewCodeFunction[] {
  const preParts = new Map([...groupPieces(analysis.pre.atoms)].map(([main, pieces]) => [main.symbol, pieces.map(atomName)]));
  const removed = diff.functions.removed.filter(({ name }) => !kept.has(name));
  return [...diff.functions.changed, ...removed].flatMap(({ name, sourceLine, pre, post }) => {
    if (pre === undefined) return [];
    return [
      {
        name,
        ...(sourceLine === undefined ? {} : { sourceLine }),
        preSymbol: pre.name,
        ...(post === undefined ? {} : { newSymbol: post.name }),
        preParts: preParts.get(pre) ?? [],
      },
    ];
  });
}
