import type { LiveCode } from "../arch/arch.js";
import type { Difference } from "./evidence.js";
import type { PreCode } from "./pre-code.js";
import { isWeak, type Place } from "./pre-object.js";
import { hex } from "./relocated-field.js";
import type { Match, UnitMatcher } from "./unit-matcher.js";

/** A pre function that could not be found, and the nearest that there is. */
export interface Failure {
  readonly place: Place;
  readonly code: PreCode;
  readonly live: LiveCode | undefined;
  readonly difference: Difference;
}

/** What speaks against the candidate that agrees longest: it is the one that was meant. */
export function explainFailure(matcher: UnitMatcher, place: Place): Failure {
  const { unit } = matcher;
  const code = unit.codeOfPlace(place);
  const addrs = matcher.addrsToTry(place);
  const failures = addrs.map((addr): Failure => {
    const comparison = unit.compare(place, addr);
    const live = unit.read(unit.run.newestCode(addr), code);
    if (comparison.kind === "different") return { place, code, live, difference: comparison.difference };
    const reason =
      matcher.findConflict(comparison.evidence) ?? `${addrs.length} functions of that name match, and nothing tells which it is`;
    return { place, code, live, difference: { offset: 0, runOffset: 0, reason } };
  });
  const [nearest] = failures.sort((a, b) => b.difference.offset - a.difference.offset);
  const reason = "the running kernel has no function of that name";
  return nearest ?? { place, code, live: undefined, difference: { offset: 0, runOffset: 0, reason } };
}

/** The first of a match's jumps into other functions that leads somewhere else than it should. */
export function findStrayReference(matcher: UnitMatcher, { comparison, code, codeAddr }: Match): Failure | undefined {
  for (const { place, delta, addr, offset } of comparison.evidence.textReferences) {
    if (!matcher.isStray({ place, delta, addr })) continue;
    const reason = `the running code refers to ${hex(addr)} where the source says ${place.name}+${hex(delta)}, which is elsewhere`;
    return { place, code, live: matcher.unit.read(codeAddr, code), difference: { offset, runOffset: offset, reason } };
  }
  return undefined;
}

/** True if a function that was not found is a weak definition, and another unit's is the one that runs. */
export function isLostWeak(matcher: UnitMatcher, place: Place): boolean {
  // Had it won, it would stand among the unit's other code.
  return isWeak(place) && !matcher.unit.candidatesFor(place).some((addr) => matcher.neighbourhood.holds(place, addr));
}

/**
 * True if a function was not found only because several of its name are the same, and nothing of the unit that runs refers to it: compilers leave such
 * pieces of inlined functions behind, or used them in code that has run. Which of them is the unit's own does not matter to anybody.
 * @param lostWeak weak definitions of the unit that are not the running ones
 */
export function isUnusedTwin(matcher: UnitMatcher, place: Place, lostWeak: ReadonlySet<Place>): boolean {
  const fitting = matcher.addrsToTry(place).filter((addr) => matcher.mayBeAt(place, addr));
  return fitting.length >= 2 && !matcher.unit.pre.isReferenced(place, lostWeak);
}
