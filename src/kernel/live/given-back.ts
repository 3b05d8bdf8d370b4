import type { AddrRange } from "./addr-range.js";

/**
 * What the kernel gives back of its image, by the symbols before and behind it: the pages between code, constants and data, what only its start needed, and what it did not take
 * of the room at its end (mark_rodata_ro() in arch/x86/mm/init_64.c, Linux 6.1 and 7.3).
 */
const GIVEN_BACK: readonly (readonly [from: string, to: string])[] = [
  ["_etext", "__start_rodata"],
  ["__end_rodata", "_sdata"],
  ["__init_begin", "__init_end"],
  ["__brk_base", "_end"],
];

/**
 * The parts of the kernel's image that are its own no more, in order: whoever has been given their pages since may keep anything there.
 * @param addrOf of a symbol of the image; undefined where it has none of that name
 */
export function givenBackRanges(addrOf: (name: string) => bigint | undefined): AddrRange[] {
  return GIVEN_BACK.flatMap(([from, to]) => {
    const [startAddr, endAddr] = [addrOf(from), addrOf(to)];
    return startAddr === undefined || endAddr === undefined || endAddr <= startAddr ? [] : [{ startAddr, endAddr }];
  }).sort((one, other) => (one.startAddr < other.startAddr ? -1 : 1));
}
