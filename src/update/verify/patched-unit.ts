import { SHF_ALLOC, SHF_WRITE, STB_LOCAL, STT_OBJECT } from "../../elf/constants.js";
import { isDefinedInSection, type ElfSection } from "../../elf/model.js";
import { isWeak, kindOfSection, type Place, type PreObject } from "../../match/pre-object.js";
import type { UnitMatch } from "../../match/types.js";

/** A unit of the patched source, matched with the kernel that the update is applied to. */
export interface PatchedUnit {
  readonly path: string;
  readonly target: string;
  /** From the patched source. */
  readonly post: PreObject;
  /** From the unpatched source; the post object itself where the code is the same. */
  readonly pre: PreObject;
  readonly match: Extract<UnitMatch, { kind: "matched" }>;
}

/** Where a place of the post object is, of a function its newest code; undefined where matching does not tell. */
export function addrOf({ match }: PatchedUnit, place: Place): bigint | undefined {
  for (const { name } of place.symbols) {
    const addr = match.functions.get(name)?.addr ?? match.symbols.get(name);
    if (addr !== undefined) return addr;
  }
  return undefined;
}

/** Objects in memory that may be written to. */
export function variablesOf(object: PreObject): Place[] {
  return objectsOf(object, (section) => (section.flags & SHF_WRITE) !== 0 && kindOfSection(section) === "data");
}

/** Objects in memory that stay as they are. A weak one may have lost against another unit's. */
export function constantsOf(object: PreObject): Place[] {
  return objectsOf(object, (section) => kindOfSection(section) === "rodata").filter((place) => !isWeak(place));
}

/** Freed after boot, or never kept (include/asm-generic/vmlinux.lds.h, Linux 6.1). */
const DISCARDED_DATA = /^\.(init|exit|meminit|memexit|discard)[._]/;

function objectsOf(object: PreObject, isWanted: (section: ElfSection) => boolean): Place[] {
  return object.object.sections
    .filter((section) => (section.flags & SHF_ALLOC) !== 0 && !DISCARDED_DATA.test(section.name) && isWanted(section))
    .flatMap((section) => object.placesIn(section))
    .filter(({ size, symbols }) => size > 0 && symbols.some(({ type }) => type === STT_OBJECT));
}

/** True if the unit defines a symbol of that name that other units may use. */
export function definesGlobal({ object }: PreObject, name: string): boolean {
  return object.symbols.some((symbol) => symbol.name === name && symbol.bind !== STB_LOCAL && isDefinedInSection(symbol));
}

/** True if the unit has that name in common with other units: it defines it for them, or uses it from them. */
export function sharesName({ object }: PreObject, name: string): boolean {
  return object.symbols.some((symbol) => symbol.name === name && symbol.bind !== STB_LOCAL);
}

/** Units by their path, as a target means them: of an object that several modules have, each means its own. */
export function unitsByPath<T extends { readonly path: string; readonly target: string }>(
  units: readonly T[],
  target: string,
): ReadonlyMap<string, T> {
  return new Map([...units, ...units.filter((unit) => unit.target === target)].map((unit) => [unit.path, unit]));
}
