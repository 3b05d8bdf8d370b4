import type { ElfRelocation, ElfSection } from "../elf/model.js";
import type { Architecture, PatchSite } from "../arch/arch.js";
import { isEmptyRelocation } from "./relocated-field.js";

/** A stretch of a pre section. Offsets are those of the section. */
export interface PreCode {
  readonly section: ElfSection;
  readonly start: number;
  readonly end: number;
  /** Those that start inside, in order; outer ones before those they hold. */
  readonly sites: readonly PatchSite[];
  readonly relocations: ReadonlyMap<number, ElfRelocation>;
}

/** Where the next patch site starts, at most `to`. */
export function nextSite(code: PreCode, at: number, to: number): number {
  return Math.min(to, code.sites.find((site) => site.offset > at)?.offset ?? to);
}

/** The first relocation in `size` bytes from `at`. */
export function relocationIn(code: PreCode, at: number, size: number): ElfRelocation | undefined {
  for (let offset = at; offset < at + size; offset++) {
    const relocation = code.relocations.get(offset);
    if (relocation !== undefined && !isEmptyRelocation(relocation)) return relocation;
  }
  return undefined;
}

/** Why running code at a site does not match, in words. */
export function siteReason(site: PatchSite, arch: Architecture): string {
  return `the running code is nothing that the kernel puts at this ${arch.sites.nameOf(site)}`;
}
