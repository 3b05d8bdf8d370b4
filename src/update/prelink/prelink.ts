import { createHash } from "node:crypto";
import { SHF_EXECINSTR, STB_WEAK, STT_FUNC } from "../../elf/constants.js";
import { AbsoluteAddress, homeSection, UNDEFINED, type ElfObject, type ElfSymbol } from "../../elf/model.js";
import { parseObject } from "../../elf/parse-object.js";
import { writeObject } from "../../elf/write-object.js";
import { unitKey } from "../../kbuild/types.js";
import { UPDATE_SUFFIX } from "../../kernel/kallsyms.js";
import type { KernelFacts } from "../../kernel/live/kernel-facts.js";
import type { RunKernel } from "../../run-kernel.js";
import type { MatchedFunction } from "../../match/types.js";
import { findExternalSymbol, findOwnSymbol, isFreed } from "./find-symbol.js";
import type { ManifestImport, ManifestTarget, ManifestUnit } from "../file/manifest.js";
import { NewSymbols } from "../units/new-symbols.js";
import { addPart, type PartFunction, type PartPin, type PartRange } from "../../engine/core/part-section.js";
import { partWrites } from "./prelink-data.js";
import { takeHooks } from "./prelink-hooks.js";
import { notInKernel, noTrampolineSite, refersToFreedMemory, unitsDisagree, unresolvedSymbol } from "./refusals.js";
import { requireUnsealed } from "./check-sealed.js";
import { fillRuntimeConstants } from "./fill-runtime-constants.js";
import { parseVersions } from "../../elf/module-versions.js";
import { findTakenAddresses } from "./taken-addresses.js";
import type { MatchedUnit, UnitMatches } from "../match/unit-matches.js";

/**
 * Gives the unresolved symbols of a module their addresses in the running kernel, as SHN_ABS, which the kernel's loader leaves
 * alone (simplify_symbols in kernel/module/main.c, Linux 6.1). Exported symbols stay undefined: the loader finds them, checks
 * their CRC and takes the reference on the module that owns them.
 */

export interface PartIdentity {
  readonly id: string;
  readonly description: string;
  /** How many targets the update has on this machine. */
  readonly partCount: number;
  /** Symbols that the update's modules offer to each other: left to the kernel's loader, which finds them once the module that has them is loaded. */
  readonly exports: ReadonlySet<string>;
  /** Modules of applied updates that its source held: they stay applied as long as it is, whether its code uses theirs or not. */
  readonly below: readonly string[];
}

/** A module of new code, ready to be loaded into the kernel that was matched. */
export interface PrelinkedPart {
  /** The module's name. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Of all that is loaded, addresses included. */
  readonly digest: string;
  /** What the kernel may still refer to once the update is undone. Where it is empty, the module may be unloaded then. */
  readonly takenAddresses: readonly string[];
}

/** The core's own unexported symbols, each found by its one name in vmlinux. A weak one that the kernel lacks stays undefined: the loader makes it 0. @throws Refusal `unresolved-symbol` */
export function prelinkCore(core: Uint8Array, run: RunKernel): Uint8Array {
  const ko = parseObject(core, "ksplice.ko");
  const exported = parseVersions(ko);
  for (const symbol of undefinedSymbols(ko)) {
    if (exported.has(symbol.name)) continue;
    const found = findExternalSymbol(symbol.name, "vmlinux", run);
    if (typeof found === "bigint") bindTo(symbol, found);
    else if (symbol.bind !== STB_WEAK) throw unresolvedSymbol(symbol.name, "ksplice.ko", found);
  }
  return writeObject(ko);
}

/**
 * The module with one target's new code, ready to be loaded: imports resolved, `struct ksplice_part` filled in.
 * @throws Refusal `unresolved-symbol`, `sealed-function`, `runtime-constant`, `no-trampoline-site`
 */
export function prelinkTarget(
  bytes: Uint8Array,
  target: ManifestTarget,
  identity: PartIdentity,
  matches: UnitMatches,
  run: RunKernel & Pick<KernelFacts, "modules">,
): PrelinkedPart {
  const ko = parseObject(bytes, target.file);
  const addresses = resolveImports(ko, target, identity.exports, matches, run);
  requireUnsealed(ko, target.name, run);
  fillRuntimeConstants(ko, matches, run);
  const units = target.units.map((unit) => ({ unit, match: requireMatch(matches, unit, target) }));
  const symbols = new NewSymbols(ko, target.units.flatMap(aliasesOf));
  const functions = units.flatMap(({ unit, match }) => partFunctions(unit, match, symbols));
  const ranges = units.flatMap(({ unit, match }) => partRanges(unit, match, run));
  const writes = units.flatMap(({ unit, match }) => partWrites(unit, match, symbols, run));
  symbols.dropAliases();
  nameAfterUpdate(ko, identity.id);
  const takenAddresses = findTakenAddresses(ko);
  const used = [...addresses, ...functions.map((entry) => entry.oldAddr), ...writes.map((entry) => entry.addr)];
  const setDigest = addPart(ko, {
    ...identity,
    target: target.name,
    isUnloadable: takenAddresses.length === 0,
    functions,
    ranges,
    pins: pinsOf(used, [target.name, ...identity.below], run),
    writes,
    hooks: takeHooks(ko),
  });
  const digest = createHash("sha256").update(writeObject(ko)).digest("hex");
  setDigest(digest);
  return { name: target.module, bytes: writeObject(ko), digest, takenAddresses };
}

/** Tells the functions that the update brings from those of the kernel. What the module loader knows by name is no function of theirs. */
function nameAfterUpdate(ko: ElfObject, id: string): void {
  for (const symbol of ko.symbols) {
    const isCode = symbol.type === STT_FUNC && ((homeSection(symbol)?.flags ?? 0) & SHF_EXECINSTR) !== 0;
    if (isCode && !TEMPLATE_CODE.test(homeSection(symbol)?.name ?? "")) symbol.name += `${UPDATE_SUFFIX}${id}`;
  }
}

/** Sections of the template's init and exit function. */
const TEMPLATE_CODE = /^\.(?:init|exit)\./;

function aliasesOf(unit: ManifestUnit): string[] {
  return [...unit.functions, ...unit.writes].map(({ newSymbol }) => newSymbol);
}

function requireMatch(matches: UnitMatches, unit: ManifestUnit, target: ManifestTarget): MatchedUnit {
  const match = findMatch(matches, unit, target);
  if (match === undefined) throw new Error(`${unit.path} was not matched`);
  return match;
}

function findMatch(matches: UnitMatches, { path }: ManifestUnit, target: Pick<ManifestTarget, "name">): MatchedUnit | undefined {
  return matches.get(unitKey({ path, target: target.name }));
}

/** What a module takes from elsewhere, without the table that the core reads. */
export function* undefinedSymbols(ko: ElfObject): Generator<ElfSymbol> {
  for (const symbol of ko.symbols) {
    if (symbol.home === UNDEFINED && symbol.name !== "" && symbol.name !== "ksplice_part") yield symbol;
  }
}

function bindTo(symbol: ElfSymbol, addr: bigint): void {
  symbol.home = new AbsoluteAddress(addr);
}

/** @returns the addresses that were given out */
function resolveImports(
  ko: ElfObject,
  target: ManifestTarget,
  offered: ReadonlySet<string>,
  matches: UnitMatches,
  run: RunKernel,
): bigint[] {
  const exported = parseVersions(ko);
  const imports = new Map<string, { unit: ManifestUnit; entry: ManifestImport }>();
  for (const unit of target.units) for (const entry of unit.imports) imports.set(entry.name, { unit, entry });

  const addresses: bigint[] = [];
  for (const symbol of undefinedSymbols(ko)) {
    if (exported.has(symbol.name) || CORE_EXPORTS.has(symbol.name) || offered.has(symbol.name)) continue;
    const known = imports.get(symbol.name);
    const unitPath = known?.unit.path ?? target.file;
    const found = findAddress(known?.entry ?? { name: symbol.name, symbol: symbol.name }, known?.unit, target, matches, run);
    if (typeof found === "bigint") {
      if (isFreed(found, run) && !usedBefore(known, target, matches))
        throw refersToFreedMemory(known?.entry.symbol ?? symbol.name, unitPath);
      bindTo(symbol, found);
      addresses.push(found);
    } else if (symbol.bind !== STB_WEAK) {
      throw unresolvedSymbol(known?.entry.symbol ?? symbol.name, unitPath, found);
    }
  }
  return addresses;
}

/** What the template uses of the core, and patches through `<ksplice-patch.h>`; the loader finds them among the core's exports. */
export const CORE_EXPORTS: ReadonlySet<string> = new Set([
  "ksplice_register",
  "ksplice_unregister",
  "ksplice_shadow_get",
  "ksplice_shadow_get_or_alloc",
  "ksplice_shadow_free",
  "ksplice_shadow_free_all",
]);

/**
 * In this order: what matching the unit found under the pre symbol's name, or under the plain name; what matching another unit of the
 * target found, or one of vmlinux; the kernel's own symbol table (find-symbol.ts). What another module calls by that name is another thing: of an object
 * that both have, each has its own.
 * @returns the address, or why there is none
 */
function findAddress(
  entry: ManifestImport,
  unit: ManifestUnit | undefined,
  target: ManifestTarget,
  matches: UnitMatches,
  run: RunKernel,
): bigint | string {
  const ownMatch = unit === undefined ? undefined : findMatch(matches, unit, target);
  if (entry.preSymbol !== undefined) {
    const addr = ownMatch?.symbols.get(entry.preSymbol) ?? ownMatch?.functions.get(entry.preSymbol)?.addr;
    return addr ?? findOwnSymbol(entry.symbol, target.name, run);
  }
  // Static ones of that name mean something else, and so do global ones of another module.
  const units = [...matches].filter(([key]) => key.endsWith(` ${target.name}`)).map(([, match]) => match);
  const addrs = units.flatMap((match) => (match.globals.has(entry.symbol) ? (match.symbols.get(entry.symbol) ?? []) : []));
  const [addr] = addrs;
  if (addr === undefined) return findExternalSymbol(entry.symbol, target.name, run);
  if (new Set(addrs.map((other) => run.newestCode(other))).size > 1) throw unitsDisagree(entry.symbol, unit?.path ?? target.file, addrs);
  return addr;
}

/** True if the running code of the unit refers to the same: it knows when it may. */
function usedBefore(
  known: { readonly unit: ManifestUnit; readonly entry: ManifestImport } | undefined,
  target: ManifestTarget,
  matches: UnitMatches,
): boolean {
  const match = known === undefined ? undefined : findMatch(matches, known.unit, target);
  return known !== undefined && match?.symbols.has(known.entry.preSymbol ?? known.entry.symbol) === true;
}

function partFunctions(unit: ManifestUnit, match: MatchedUnit, symbols: NewSymbols): PartFunction[] {
  return unit.functions.map((entry) => {
    const old = match.functions.get(entry.preSymbol);
    if (old === undefined && match.statistics.skipped.includes(entry.preSymbol)) throw notInKernel(entry.name, unit.path);
    if (old === undefined) throw unresolvedSymbol(entry.preSymbol, unit.path, "matching did not find it in the running kernel");
    if (old.site === undefined) throw noTrampolineSite(entry.name, unit.path);
    const newSymbol = symbols.find(entry.newSymbol);
    return {
      name: entry.name,
      oldAddr: old.addr,
      oldSize: old.size,
      newSymbol,
      site: old.site,
      mayBeBusy: entry.mayBeBusy,
    };
  });
}

/** Pieces of functions that are redirected, and functions that are removed: what they call may be another after the switch. */
function partRanges(unit: ManifestUnit, match: MatchedUnit, run: RunKernel): PartRange[] {
  const range = (name: string, { addr, size }: MatchedFunction, mayBeBusy: boolean): PartRange => ({
    name: run.symbolAt(addr)?.name ?? name,
    start: addr,
    size,
    mayBeBusy,
  });
  const pieces = unit.functions.flatMap((entry) =>
    entry.preParts.map((name) => {
      const part = match.functions.get(name);
      if (part === undefined) throw unresolvedSymbol(name, unit.path, "matching did not find it in the running kernel");
      return range(name, part, entry.mayBeBusy);
    }),
  );
  const left = unit.left.flatMap(({ preSymbol, preParts }) =>
    [preSymbol, ...preParts].flatMap((name) => {
      // One that does not run here is another unit's.
      const found = match.functions.get(name);
      return found === undefined ? [] : [range(name, found, false)];
    }),
  );
  return [...pieces, ...left];
}

/** @param always the target, and others; besides, the modules whose code or data the part uses must stay as long as it is loaded */
function pinsOf(addresses: readonly bigint[], always: readonly string[], run: RunKernel & Pick<KernelFacts, "modules">): PartPin[] {
  const names = new Set([...always, ...addresses.flatMap((addr) => run.symbolAt(addr)?.module ?? [])]);
  names.delete("vmlinux");
  // One that is not on the list is not found by the core either.
  return [...names].sort().map((name) => ({ name, textAddr: run.modules.find((module) => module.name === name)?.addr ?? 0n }));
}
