import type { ElfObject, ElfSection } from "../elf/model.js";
import { isSplitPart } from "./candidates.js";
import type { LiveComparison } from "./compare-with-live.js";
import type { PreCode } from "./pre-code.js";
import type { Evidence, TextReference } from "./evidence.js";
import { findJumpLabelKeys } from "./jump-label-keys.js";
import { Neighbourhood } from "./neighbourhood.js";
import { isWeak, type Place } from "./pre-object.js";
import { hex } from "./relocated-field.js";
import type { RunKernel } from "../run-kernel.js";
import { UnitCode, type MatchTrace } from "./unit-code.js";

type EqualCode = LiveComparison & { kind: "equal" };

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

/** Names alone leave candidates; what the matched functions refer to decides between them. */
export class UnitMatcher {
  readonly unit: UnitCode;
  readonly neighbourhood: Neighbourhood;
  readonly matches = new Map<Place, Match>();
  /** Addresses that the matched code gives. */
  readonly known = new Map<Place, KnownAddr>();
  /** Values that the matched code has for constants set at boot, by the names of their tables. */
  readonly constants = new Map<string, KnownConstant>();
  readonly #trace: MatchTrace | undefined;
  readonly #hints = new Map<Place, Set<bigint>>();

  constructor(object: ElfObject, target: string, run: RunKernel, trace?: MatchTrace) {
    this.unit = new UnitCode(object, target, run, trace);
    this.neighbourhood = new Neighbourhood(this.unit.pre.functions, (place) => this.#addrAtHome(place));
    this.#trace = trace;
  }

  /** Finds as many functions as it can; returns those that it cannot. */
  matchAll(): Place[] {
    const { functions } = this.unit.pre;
    const strong = functions.filter((place) => !isWeak(place));
    this.#settle(strong.filter((place) => !isSplitPart(place)));
    this.#settle(strong);
    // A weak definition is judged by its place among the others.
    this.#settle(functions);
    while (this.#settleByNeighbourhood()) this.#settle(functions);
    this.#learnKeys();
    return functions.filter((place) => !this.matches.has(place));
  }

  /** True if a jump into another function, once that is matched, leads somewhere else than it should. */
  isStray({ place, delta, addr }: Pick<TextReference, "place" | "delta" | "addr">): boolean {
    const { run } = this.unit;
    const other = this.matches.get(place);
    if (other === undefined || other.comparison.leadsTo(delta, Number(addr - other.codeAddr))) return false;
    // An unreplaced function keeps its references to old code, whichever of several it is.
    const led = run.symbolAt(addr)?.addr;
    return led === undefined || led === other.codeAddr || run.newestCode(led) !== other.codeAddr;
  }

  /** True if the code at an address is the function's, and agrees with what is known. */
  mayBeAt(place: Place, addr: bigint): boolean {
    const comparison = this.unit.compare(place, addr);
    return comparison.kind === "equal" && this.findConflict(comparison.evidence) === undefined;
  }

  /** Where a function may be, by what is known of it so far. */
  addrsToTry(place: Place): readonly bigint[] {
    const known = this.known.get(place);
    if (known !== undefined) return [this.unit.calledAddr(place, known.addr)];
    const hints = [...(this.#hints.get(place) ?? [])].filter((addr) => this.unit.compare(place, addr).kind === "equal");
    return hints.length > 0 ? hints : this.unit.candidatesFor(place);
  }

  /** What speaks against new evidence: why it contradicts what is known, or undefined. */
  findConflict(evidence: Evidence): string | undefined {
    for (const { place, addr } of evidence.bindings.values()) {
      const known = this.known.get(place);
      if (known === undefined || this.unit.references.mayBeAtBoth(place, known.addr, addr)) continue;
      return `it has ${place.name} at ${hex(addr)}, while ${known.from.name} has it at ${hex(known.addr)}`;
    }
    for (const [table, { value }] of evidence.constants) {
      const known = this.constants.get(table);
      if (known === undefined || known.value === value) continue;
      return `it has ${hex(value)} for ${table}, while ${known.from.name} has ${hex(known.value)}`;
    }
    return undefined;
  }

  /** Says that `place` is at `addr`, and what its code or contents refer to. */
  learn(place: Place, addr: bigint, evidence: Evidence): void {
    this.known.set(place, { addr, from: place });
    for (const binding of evidence.bindings.values()) {
      if (!this.known.has(binding.place)) this.known.set(binding.place, { addr: binding.addr, from: place });
    }
  }

  #learnKeys(): void {
    const { pre, run, target } = this.unit;
    const addrOfCode = (section: ElfSection, offset: number): bigint | undefined => {
      const place = pre.placeAt(section, offset);
      const match = place === undefined ? undefined : this.matches.get(place);
      const runOffset = match?.comparison.offsetOf(offset - match.place.offset);
      return match === undefined || runOffset === undefined ? undefined : match.codeAddr + BigInt(runOffset);
    };
    const keys = findJumpLabelKeys(pre, run, target, addrOfCode, (place) => !this.known.has(place));
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

  /** Settles one function that several candidates match by its place in the unit's code. */
  #settleByNeighbourhood(): boolean {
    for (const place of this.unit.pre.functions) {
      if (this.matches.has(place)) continue;
      const near = this.neighbourhood.nearestTo(place, this.#possibleAddrs(place));
      if (near === undefined) continue;
      this.#accept(place, near, "the one that lies between its neighbours");
      return true;
    }
    return false;
  }

  /** The address of a function that was matched in its target: what an update brought lies elsewhere, in no order with the rest. */
  #addrAtHome(place: Place): bigint | undefined {
    const match = this.matches.get(place);
    const isHome = match !== undefined && (this.unit.run.symbolAt(match.addr)?.module ?? "vmlinux") === this.unit.target;
    return isHome ? match.addr : undefined;
  }

  /** Candidate addresses whose code matches and agrees with what is known. */
  #possibleAddrs(place: Place): bigint[] {
    return this.addrsToTry(place).filter((addr) => (!isWeak(place) || this.neighbourhood.holds(place, addr)) && this.mayBeAt(place, addr));
  }

  #whyOnly(place: Place): string {
    if (this.known.has(place)) return "matched code refers to it there";
    const tried = this.addrsToTry(place).length;
    return tried === 1 ? "the only candidate" : `the only one of ${tried} candidates that matches`;
  }

  #accept(place: Place, addr: bigint, why: string): void {
    this.#trace?.(`${place.name} at ${hex(addr)}: ${why}`);
    const comparison = this.unit.compare(place, addr);
    if (comparison.kind !== "equal") throw new Error(`${place.name} was accepted although it differs`);
    this.matches.set(place, { place, addr, codeAddr: this.unit.run.newestCode(addr), code: this.unit.codeOfPlace(place), comparison });
    this.learn(place, addr, comparison.evidence);
    for (const [table, { value }] of comparison.evidence.constants) this.constants.set(table, { value, from: place });
    for (const reference of comparison.evidence.textReferences) {
      const hints = this.#hints.get(reference.place) ?? new Set<bigint>();
      this.#hints.set(reference.place, hints.add(reference.addr - BigInt(reference.delta)));
    }
  }
}
