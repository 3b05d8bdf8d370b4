import type { Architecture, LiveCode, PatchSite } from "../arch/arch.js";
import { architectureOf } from "../arch/architectures.js";
import type { ElfObject, ElfSection } from "../elf/model.js";
import { findCandidates, isSplitPart } from "./candidates.js";
import { compareCode, type CodeComparison } from "./compare-code.js";
import type { CodeComparer } from "./comparison.js";
import type { PreCode } from "./pre-code.js";
import type { Difference, Evidence, TextReference } from "./evidence.js";
import { findJumpLabelKeys } from "./jump-label-keys.js";
import { isWeak, PreObject, type Place } from "./pre-object.js";
import { References } from "./references.js";
import { hex } from "./relocated-field.js";
import type { RunKernel } from "../run-kernel.js";

type EqualCode = CodeComparison & { kind: "equal" };

/** A pre function and the running code that it was found to be. */
export interface Match {
  readonly place: Place;
  /** Where the rest of the kernel calls it. */
  readonly addr: bigint;
  /** Where its code is: another place if an update has replaced it. */
  readonly codeAddr: bigint;
  readonly code: PreCode;
  readonly comparison: EqualCode;
}

/** A pre function that could not be found, and the nearest that there is. */
export interface Failure {
  readonly place: Place;
  readonly code: PreCode;
  readonly live: LiveCode | undefined;
  readonly difference: Difference;
}

interface KnownConstant {
  readonly value: bigint;
  /** Who says so. */
  readonly from: Place;
}

interface KnownAddr {
  readonly addr: bigint;
  /** Who says so. */
  readonly from: Place;
}

/**
 * Takes a line for each step of matching, such as `entry at 0xffffffff81000010: the only one of 2 candidates that matches`, or
 * `entry at 0xffffffff81000200: differs at +0x4: the instructions differ`.
 */
export type MatchTrace = (line: string) => void;

/** Names alone leave candidates; what the matched functions refer to decides between them. */
export class UnitMatcher implements CodeComparer {
  readonly arch: Architecture;
  readonly run: RunKernel;
  readonly references: References;
  readonly pre: PreObject;
  readonly matches = new Map<Place, Match>();
  /** Addresses that the matched code gives. */
  readonly known = new Map<Place, KnownAddr>();
  /** Values that the matched code has for constants set at boot, by the names of their tables. */
  readonly constants = new Map<string, KnownConstant>();
  readonly #target: string;
  readonly #trace: MatchTrace | undefined;
  readonly #sites: ReadonlyMap<ElfSection, readonly PatchSite[]>;
  readonly #candidates = new Map<Place, readonly bigint[]>();
  readonly #comparisons = new Map<Place, Map<bigint, CodeComparison>>();
  readonly #hints = new Map<Place, Set<bigint>>();

  constructor(object: ElfObject, target: string, run: RunKernel, trace?: MatchTrace) {
    this.arch = architectureOf(object);
    this.run = run;
    this.pre = new PreObject(object, target !== "vmlinux");
    this.references = new References(this.pre, run, target);
    this.#target = target;
    this.#trace = trace;
    this.#sites = this.arch.sites.collect(object);
  }

  /** Finds as many functions as it can; returns those that it cannot. */
  matchAll(): Failure[] {
    const strong = this.pre.functions.filter((place) => !isWeak(place));
    this.#settle(strong.filter((place) => !isSplitPart(place)));
    this.#settle(strong);
    // A weak definition is judged by its place among the others.
    this.#settle(this.pre.functions);
    while (this.#settleByNeighbourhood()) this.#settle(this.pre.functions);
    this.#learnKeys();
    return this.pre.functions.filter((place) => !this.matches.has(place)).map((place) => this.#explain(place));
  }

  /** The first of a match's jumps into other functions that leads somewhere else than it should. */
  findStrayReference({ comparison, code, codeAddr }: Match): Failure | undefined {
    for (const { place, delta, addr, offset } of comparison.evidence.textReferences) {
      if (!this.isStray({ place, delta, addr })) continue;
      const reason = `the running code refers to ${hex(addr)} where the source says ${place.name}+${hex(delta)}, which is elsewhere`;
      const live = this.#read(codeAddr, code);
      return { place, code, live, difference: { offset, runOffset: offset, reason } };
    }
    return undefined;
  }

  /** True if a jump into another function, once that is matched, leads somewhere else than it should. */
  isStray({ place, delta, addr }: Pick<TextReference, "place" | "delta" | "addr">): boolean {
    const other = this.matches.get(place);
    if (other === undefined || other.comparison.leadsTo(delta, Number(addr - other.codeAddr))) return false;
    // An unreplaced function keeps its references to old code, whichever of several it is.
    const led = this.run.symbolAt(addr)?.addr;
    return led === undefined || led === other.codeAddr || this.run.newestCode(led) !== other.codeAddr;
  }

  /** True if a failed function is a weak definition, and another unit's is the one that runs. */
  isLostWeak({ place }: Failure): boolean {
    if (!isWeak(place)) return false;
    // Had it won, it would stand among the unit's other code.
    return !this.#candidateAddrs(place).some((addr) => this.#isAmongOthers(place, addr));
  }

  /**
   * True if a function failed only because several of its name are the same to the byte, and nothing of the unit refers to it: compilers leave such
   * pieces of inlined functions behind. Which of them is the unit's own does not matter to anybody.
   */
  isUnusedTwin({ place }: Failure): boolean {
    const addrs = this.#addrsToTry(place);
    if (addrs.length < 2 || this.pre.isReferenced(place)) return false;
    return addrs.every((addr) => {
      const comparison = this.#compare(place, addr);
      return comparison.kind === "equal" && this.findConflict(comparison.evidence) === undefined;
    });
  }

  codeOf(section: ElfSection, start: number, end: number): PreCode {
    const all = this.#sites.get(section) ?? [];
    const sites = all.filter((site) => site.offset >= start && site.offset < end);
    const entry = this.arch.sites.atEntry(section, start);
    return { section, start, end, sites: entry === undefined ? sites : [entry, ...sites], relocations: this.pre.relocationsOf(section) };
  }

  #learnKeys(): void {
    const addrOfCode = (section: ElfSection, offset: number): bigint | undefined => {
      const place = this.pre.placeAt(section, offset);
      const match = place === undefined ? undefined : this.matches.get(place);
      const runOffset = match?.comparison.offsetOf(offset - match.place.offset);
      return match === undefined || runOffset === undefined ? undefined : match.codeAddr + BigInt(runOffset);
    };
    const keys = findJumpLabelKeys(this.pre, this.run, this.#target, addrOfCode, (place) => !this.known.has(place));
    for (const [place, addr] of keys) {
      this.#trace?.(`${place.name} at ${hex(addr)}: the running kernel's jump table says so`);
      this.known.set(place, { addr, from: place });
    }
  }

  /** Accepts every function for which one candidate remains, until nothing changes any more. */
  #settle(places: readonly Place[]): void {
    for (let hasProgress = true; hasProgress;) {
      hasProgress = false;
      for (const place of places) {
        if (this.matches.has(place)) continue;
        const possible = this.#possibleAddrs(place);
        if (possible.length !== 1 || possible[0] === undefined) continue;
        this.#accept(place, possible[0], this.#whyOnly(place));
        hasProgress = true;
      }
    }
  }

  /**
   * Settles one function that several candidates match by taking the one that lies between its neighbours: the compiler writes functions
   * in the same order with and without -ffunction-sections, and the linker keeps it.
   */
  #settleByNeighbourhood(): boolean {
    for (const place of this.pre.functions) {
      if (this.matches.has(place)) continue;
      const [low, high] = this.#neighbours(place);
      const near = nearest(this.#possibleAddrs(place), low, high);
      if (near === undefined) continue;
      this.#accept(place, near, "the one that lies between its neighbours");
      return true;
    }
    return false;
  }

  /** True if an address lies between the function's matched neighbours; also if it has none. */
  #isAmongOthers(place: Place, addr: bigint): boolean {
    const [low, high] = this.#neighbours(place);
    return (low === undefined && high === undefined) || nearest([addr], low, high) !== undefined;
  }

  /** Addresses of the matched functions before and after one in the unit's code. */
  #neighbours(place: Place): [low: bigint | undefined, high: bigint | undefined] {
    const group = this.pre.functions.filter(({ section }) => outputGroup(section) === outputGroup(place.section));
    const index = group.indexOf(place);
    const before = group.slice(0, index).findLast((other) => this.#isAtHome(other));
    const after = group.slice(index + 1).find((other) => this.#isAtHome(other));
    return [before && this.matches.get(before)?.addr, after && this.matches.get(after)?.addr];
  }

  /** True for a function that was matched in its target: what an update brought lies elsewhere, in no order with the rest. */
  #isAtHome(place: Place): boolean {
    const match = this.matches.get(place);
    return match !== undefined && (this.run.symbolAt(match.addr)?.module ?? "vmlinux") === this.#target;
  }

  /** Candidate addresses whose code matches and agrees with what is known. */
  #possibleAddrs(place: Place): bigint[] {
    return this.#addrsToTry(place).filter((addr) => {
      if (isWeak(place) && !this.#isAmongOthers(place, addr)) return false;
      const comparison = this.#compare(place, addr);
      return comparison.kind === "equal" && this.findConflict(comparison.evidence) === undefined;
    });
  }

  #addrsToTry(place: Place): readonly bigint[] {
    const known = this.known.get(place);
    if (known !== undefined) return [this.#calledAddr(place, known.addr)];
    const hints = [...(this.#hints.get(place) ?? [])].filter((addr) => this.#compare(place, addr).kind === "equal");
    return hints.length > 0 ? hints : this.#candidateAddrs(place);
  }

  /** Of an address and the one it stands for since an update, the one that kallsyms knows. */
  #calledAddr(place: Place, addr: bigint): bigint {
    return this.#candidateAddrs(place).find((candidate) => this.references.isSameTarget(candidate, addr)) ?? addr;
  }

  #candidateAddrs(place: Place): readonly bigint[] {
    let addrs = this.#candidates.get(place);
    if (addrs === undefined) {
      addrs = findCandidates(this.run, place, this.#target).map(({ addr }) => addr);
      this.#candidates.set(place, addrs);
    }
    return addrs;
  }

  #compare(place: Place, addr: bigint): CodeComparison {
    let byAddr = this.#comparisons.get(place);
    if (byAddr === undefined) this.#comparisons.set(place, (byAddr = new Map<bigint, CodeComparison>()));
    const codeAddr = this.run.newestCode(addr);
    let comparison = byAddr.get(codeAddr);
    if (comparison === undefined) {
      const code = this.#codeOfPlace(place);
      const live = this.#read(codeAddr, code);
      comparison =
        live === undefined
          ? { kind: "different", difference: { offset: 0, runOffset: 0, reason: "the running code cannot be read" } }
          : compareCode(this, code, live);
      byAddr.set(codeAddr, comparison);
      if (comparison.kind === "different") {
        const { offset, reason } = comparison.difference;
        this.#trace?.(`${place.name} at ${hex(codeAddr)}: differs at +${hex(offset)}: ${reason}`);
      }
    }
    return comparison;
  }

  #codeOfPlace(place: Place): PreCode {
    if (place.section === undefined) throw new Error(`${place.name} has no code`);
    return this.codeOf(place.section, place.offset, place.offset + place.size);
  }

  #read(addr: bigint, { start, end }: PreCode): LiveCode | undefined {
    const size = end - start;
    // Jumps may be longer and padding wider than in the pre object.
    const bytes = this.run.read(addr, size + 64 + (size >> 2)) ?? this.run.read(addr, size);
    return bytes === undefined ? undefined : { bytes, addr };
  }

  /** What speaks against new evidence: why it contradicts what is known, or undefined. */
  findConflict(evidence: Evidence): string | undefined {
    for (const { place, addr } of evidence.bindings.values()) {
      const known = this.known.get(place);
      if (known === undefined || this.references.mayBeAtBoth(place, known.addr, addr)) continue;
      return `it has ${place.name} at ${hex(addr)}, while ${known.from.name} has it at ${hex(known.addr)}`;
    }
    for (const [table, { value }] of evidence.constants) {
      const known = this.constants.get(table);
      if (known === undefined || known.value === value) continue;
      return `it has ${hex(value)} for ${table}, while ${known.from.name} has ${hex(known.value)}`;
    }
    return undefined;
  }

  #whyOnly(place: Place): string {
    if (this.known.has(place)) return "matched code refers to it there";
    const tried = this.#addrsToTry(place).length;
    return tried === 1 ? "the only candidate" : `the only one of ${tried} candidates that matches`;
  }

  #accept(place: Place, addr: bigint, why: string): void {
    this.#trace?.(`${place.name} at ${hex(addr)}: ${why}`);
    const comparison = this.#compare(place, addr);
    if (comparison.kind !== "equal") throw new Error(`${place.name} was accepted although it differs`);
    this.matches.set(place, { place, addr, codeAddr: this.run.newestCode(addr), code: this.#codeOfPlace(place), comparison });
    this.learn(place, addr, comparison.evidence);
    for (const [table, { value }] of comparison.evidence.constants) this.constants.set(table, { value, from: place });
    for (const reference of comparison.evidence.textReferences) {
      const hints = this.#hints.get(reference.place) ?? new Set<bigint>();
      this.#hints.set(reference.place, hints.add(reference.addr - BigInt(reference.delta)));
    }
  }

  /** Says that `place` is at `addr`, and what its code or contents refer to. */
  learn(place: Place, addr: bigint, evidence: Evidence): void {
    this.known.set(place, { addr, from: place });
    for (const binding of evidence.bindings.values()) {
      if (!this.known.has(binding.place)) this.known.set(binding.place, { addr: binding.addr, from: place });
    }
  }

  #explain(place: Place): Failure {
    const code = this.#codeOfPlace(place);
    const addrs = this.#addrsToTry(place);
    const differences: Failure[] = [];
    for (const addr of addrs) {
      const comparison = this.#compare(place, addr);
      const live = this.#read(this.run.newestCode(addr), code);
      const difference =
        comparison.kind === "different"
          ? comparison.difference
          : {
              offset: 0,
              runOffset: 0,
              reason:
                this.findConflict(comparison.evidence) ?? `${addrs.length} functions of that name match, and nothing tells which it is`,
            };
      differences.push({ place, code, live, difference });
    }
    // The candidate that agrees longest is the one that was meant.
    const nearest = differences.sort((a, b) => b.difference.offset - a.difference.offset)[0];
    const reason = "the running kernel has no function of that name";
    return nearest ?? { place, code, live: undefined, difference: { offset: 0, runOffset: 0, reason } };
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
