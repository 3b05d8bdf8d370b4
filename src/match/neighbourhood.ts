import type { ElfSection } from "../elf/model.js";
import type { Place } from "./pre-object.js";

/**
 * Where a function must lie by the order of the unit's code: the compiler writes functions in the same order with and without -ffunction-sections, and
 * the linker keeps it.
 */
export class Neighbourhood {
  constructor(
    /** In the order of the unit. */
    private readonly functions: readonly Place[],
    /** The address of one that is known to lie among the target's own code. */
    private readonly addrAtHome: (place: Place) => bigint | undefined,
  ) {}

  /** The one of several addresses that lies between the function's neighbours. */
  nearestTo(place: Place, addrs: readonly bigint[]): bigint | undefined {
    return nearest(addrs, ...this.#neighbours(place));
  }

  /** True if an address lies between the function's neighbours; also if it has none. */
  holds(place: Place, addr: bigint): boolean {
    const [low, high] = this.#neighbours(place);
    return (low === undefined && high === undefined) || nearest([addr], low, high) !== undefined;
  }

  /** Addresses of the known functions before and after one in the unit's code. */
  #neighbours(place: Place): [low: bigint | undefined, high: bigint | undefined] {
    const group = this.functions.filter(({ section }) => outputGroup(section) === outputGroup(place.section));
    const index = group.indexOf(place);
    const known = (other: Place): boolean => this.addrAtHome(other) !== undefined;
    const before = group.slice(0, index).findLast(known);
    const after = group.slice(index + 1).find(known);
    return [before && this.addrAtHome(before), after && this.addrAtHome(after)];
  }
}

/** Sections whose code the linker keeps together, in the order of the unit (include/asm-generic/vmlinux.lds.h, TEXT_TEXT). */
function outputGroup(section: ElfSection | undefined): string {
  const name = section?.name ?? "";
  return /^\.text\.(unlikely|hot|startup|exit|asan)\./.exec(name)?.[0] ?? (name.startsWith(".text.") ? ".text" : name);
}

/** The one address between two others; where one of these is unknown, the closest on that side within the size of a large unit. */
function nearest(addrs: readonly bigint[], low: bigint | undefined, high: bigint | undefined): bigint | undefined {
  if (low === undefined && high === undefined) return undefined;
  const lowest = low ?? (high ?? 0n) - MAX_UNIT_SIZE;
  const highest = high ?? (low ?? 0n) + MAX_UNIT_SIZE;
  const between = addrs.filter((addr) => addr > lowest && addr < highest);
  if (low !== undefined && high !== undefined) return between.length === 1 ? between[0] : undefined;
  return low === undefined ? between.reduce(largest, undefined) : between.reduce(smallest, undefined);
}

/** Bytes; the largest unit's text in Debian's kernels is about 150 KB. */
const MAX_UNIT_SIZE = 0x40000n;

function largest(best: bigint | undefined, addr: bigint): bigint {
  return best === undefined || addr > best ? addr : best;
}

function smallest(best: bigint | undefined, addr: bigint): bigint {
  return best === undefined || addr < best ? addr : best;
}
