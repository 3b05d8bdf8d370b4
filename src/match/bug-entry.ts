import type { ElfSection } from "../elf/model.js";
import type { RunKernel } from "../run-kernel.js";
import { compareContents } from "./compare-contents.js";
import type { Place } from "./pre-object.js";
import type { Reference } from "./reference.js";

/** The kernel's table of warnings and bugs (lib/bug.c). */
export const BUG_TABLE = "__bug_table";

/**
 * `struct bug_entry` where it has a format (`HAVE_ARCH_BUG_FORMAT`, arch/x86/include/asm/bug.h, Linux 7.2): code, format and file, each relative to its field, then
 * line and flags in two bytes each, little-endian. No other kind of entry is referred to by code.
 */
const ENTRY = { size: 16, relocated: [0, 4, 8], line: 12, flags: 14 };

/** `BUGFLAG_DONE`: the kernel has warned once (include/asm-generic/bug.h). */
const DONE = 1 << 2;

/**
 * Compares an entry that code refers to with the one that the running code refers to: it must be of the same instruction, with the same text, file and flags. Lines count as
 * little as elsewhere: an update may have left those of its own source.
 * @param offset of the entry in the section, in bytes
 * @param note takes what a relocated field points to into the evidence; returns why that cannot be right
 * @returns why it is another one, or undefined
 */
export function compareBugEntry(
  section: ElfSection,
  offset: number,
  addr: bigint,
  run: RunKernel,
  note: (reference: Reference) => string | undefined,
): string | undefined {
  const relocated = new Set(section.relocations.map((relocation) => relocation.offset - offset));
  if (!ENTRY.relocated.every((field) => relocated.has(field)))
    return `the code refers to offset ${String(offset)} of ${section.name}, where no entry with a text begins`;
  const entry: Place = { section, offset, size: ENTRY.size, symbols: [], name: section.name, isFunction: false, isGlobal: false };
  const difference = compareContents(entry, addr, run, [{ offset: 0, size: ENTRY.line }], note);
  if (difference !== undefined) return difference.reason;
  const flags = run.read(addr + BigInt(ENTRY.flags), 2);
  const [expected, actual] = [flagsOf(section.data.subarray(offset + ENTRY.flags)), flags === undefined ? undefined : flagsOf(flags)];
  return expected === actual
    ? undefined
    : `the flags of the warning are ${String(expected)}, those of the running kernel's ${String(actual)}`;
}

function flagsOf([low = 0, high = 0]: Uint8Array): number {
  return ((high << 8) | low) & ~DONE;
}
