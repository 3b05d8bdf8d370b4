import type { Architecture, LiveCode, PatchSite } from "../arch/arch.js";
import { architectureOf } from "../arch/architectures.js";
import type { ElfObject, ElfSection } from "../elf/model.js";
import { findCandidates } from "./candidates.js";
import type { UnitContext } from "./unit-context.js";
import { compareWithLive, type LiveComparison } from "./compare-with-live.js";
import type { PreCode } from "./pre-code.js";
import { PreObject, type Place } from "./pre-object.js";
import { References } from "./references.js";
import { hex } from "./relocated-field.js";
import type { RunKernel } from "../run-kernel.js";

/**
 * Takes a line for each step of matching, such as `entry at 0xffffffff81000010: the only one of 2 candidates that matches`, or
 * `entry at 0xffffffff81000200: differs at +0x4: the instructions differ`.
 */
export type MatchTrace = (line: string) => void;

/** A unit's functions, and what the running kernel has at the addresses where they may be. Everything is compared once. */
export class UnitCode implements UnitContext {
  readonly arch: Architecture;
  readonly pre: PreObject;
  readonly references: References;
  readonly #sites: ReadonlyMap<ElfSection, readonly PatchSite[]>;
  readonly #candidates = new Map<Place, readonly bigint[]>();
  readonly #comparisons = new Map<Place, Map<bigint, LiveComparison>>();

  constructor(
    object: ElfObject,
    readonly target: string,
    readonly run: RunKernel,
    private readonly trace: MatchTrace | undefined,
  ) {
    this.arch = architectureOf(object);
    this.pre = new PreObject(object, target !== "vmlinux");
    this.references = new References(this.pre, run, target);
    this.#sites = this.arch.sites.collect(object);
  }

  codeOf(section: ElfSection, start: number, end: number): PreCode {
    const all = this.#sites.get(section) ?? [];
    const sites = all.filter((site) => site.offset >= start && site.offset < end);
    const entry = this.arch.sites.atEntry(section, start);
    return { section, start, end, sites: entry === undefined ? sites : [entry, ...sites], relocations: this.pre.relocationsOf(section) };
  }

  codeOfPlace(place: Place): PreCode {
    if (place.section === undefined) throw new Error(`${place.name} has no code`);
    return this.codeOf(place.section, place.offset, place.offset + place.size);
  }

  /** Addresses of the running kernel's functions that a function may be, by their names. */
  candidatesFor(place: Place): readonly bigint[] {
    let addrs = this.#candidates.get(place);
    if (addrs === undefined) {
      addrs = findCandidates(this.run, place, this.target).map(({ addr }) => addr);
      this.#candidates.set(place, addrs);
    }
    return addrs;
  }

  /** Of an address and the one it stands for since an update, the one that kallsyms knows. */
  calledAddr(place: Place, addr: bigint): bigint {
    return this.candidatesFor(place).find((candidate) => this.references.isSameTarget(candidate, addr)) ?? addr;
  }

  /** Compares a function with the newest code of what is at an address. */
  compare(place: Place, addr: bigint): LiveComparison {
    let byAddr = this.#comparisons.get(place);
    if (byAddr === undefined) this.#comparisons.set(place, (byAddr = new Map<bigint, LiveComparison>()));
    const codeAddr = this.run.newestCode(addr);
    let comparison = byAddr.get(codeAddr);
    if (comparison === undefined) {
      const code = this.codeOfPlace(place);
      const live = this.read(codeAddr, code);
      comparison =
        live === undefined
          ? { kind: "different", difference: { offset: 0, runOffset: 0, reason: "the running code cannot be read" } }
          : compareWithLive(this, code, live);
      byAddr.set(codeAddr, comparison);
      if (comparison.kind === "different") {
        const { offset, reason } = comparison.difference;
        this.trace?.(`${place.name} at ${hex(codeAddr)}: differs at +${hex(offset)}: ${reason}`);
      }
    }
    return comparison;
  }

  /** The running code at an address, as much of it as pre code may have become. */
  read(addr: bigint, { start, end }: PreCode): LiveCode | undefined {
    const size = end - start;
    // Jumps may be longer and padding wider than in the pre object.
    const bytes = this.run.read(addr, size + 64 + (size >> 2)) ?? this.run.read(addr, size);
    return bytes === undefined ? undefined : { bytes, addr };
  }
}
