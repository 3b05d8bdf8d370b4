import { homeSection } from "../elf/model.js";
import { compareContents, type ByteRange, type DataDifference } from "./compare-contents.js";
import { Evidence } from "./evidence.js";
import type { Place } from "./pre-object.js";
import { isNumberedStatic } from "./references.js";
import { hex } from "./relocated-field.js";
import type { Mismatch } from "./types.js";
import type { UnitMatcher } from "./unit-matcher.js";

/** A data object of the pre object that must be found, and be what the pre object says. */
export interface DataRequest {
  /** Its symbol in the pre object. */
  readonly symbol: string;
  /** The bytes that count, where the object may be changed while the kernel runs; default: all of it. */
  readonly fields?: readonly ByteRange[];
  /** True if it need not be found: only where it is known which object it is must that be right. */
  readonly isOptional?: boolean;
}

interface Candidate {
  readonly addr: bigint;
  readonly evidence: Evidence;
  readonly difference: DataDifference | undefined;
}

/**
 * Finds a data object in the running kernel, after the unit's functions: where the matched code says it is, else by its name among the
 * target's, where one object of that name has the contents. What it refers to becomes known too.
 * @returns what is wrong, or undefined if the matcher knows its address now
 */
export function findData(matcher: UnitMatcher, request: DataRequest): Mismatch | undefined {
  const symbol = matcher.unit.pre.object.symbols.find(({ name, home }) => name === request.symbol && typeof home === "object");
  const place = symbol === undefined || homeSection(symbol) === undefined ? undefined : matcher.unit.pre.placeOf(symbol);
  if (place === undefined) return mismatch(request.symbol, undefined, "the unit does not define it");

  const unknown = (reason: string): Mismatch | undefined =>
    request.isOptional === true ? undefined : mismatch(place.name, undefined, reason);
  const known = matcher.known.get(place)?.addr;
  // The number that the compiler gave it may be another object's in the running kernel.
  if (known === undefined && isNumberedStatic(place)) return unknown("no function of the unit tells where it is");
  const addrs = known === undefined ? matcher.unit.references.addrsOf(place) : [known];
  const candidates = addrs.map((addr) => examine(matcher, place, addr, request.fields));
  const fitting = candidates.filter(({ difference }) => difference === undefined);
  const [found] = fitting;
  if (found !== undefined && fitting.length === 1) {
    matcher.learn(place, found.addr, found.evidence);
    return undefined;
  }
  if (found !== undefined) return unknown(`${fitting.length} objects of that name have these contents, and nothing tells which it is`);
  // The candidate that agrees longest is the one that was meant.
  const [nearest] = candidates.sort((a, b) => (b.difference?.offset ?? 0) - (a.difference?.offset ?? 0));
  if (nearest?.difference === undefined) return unknown("the running kernel has no data of that name");
  return mismatch(place.name, nearest.addr, nearest.difference.reason, nearest.difference);
}

function examine(matcher: UnitMatcher, place: Place, addr: bigint, fields: readonly ByteRange[] | undefined): Candidate {
  const evidence = new Evidence();
  const difference = compareContents(place, addr, matcher.unit.run, fields, (reference) => {
    // Each field by itself, so that what speaks against it is told with its offset.
    const own = new Evidence();
    const conflict = matcher.unit.references.note(own, reference) ?? matcher.findConflict(own) ?? findStray(matcher, own);
    if (conflict === undefined) evidence.addAll(own);
    return conflict;
  });
  return { addr, evidence, difference };
}

function findStray(matcher: UnitMatcher, evidence: Evidence): string | undefined {
  const stray = evidence.textReferences.find((reference) => matcher.isStray(reference));
  return stray === undefined ? undefined : `it refers to ${hex(stray.addr)}, which is not at that place in ${stray.place.name}`;
}

function mismatch(name: string, addr: bigint | undefined, reason: string, difference?: DataDifference): Mismatch {
  return { function: name, addr, offset: difference?.offset ?? 0, pre: difference?.expected ?? "", run: difference?.actual ?? "", reason };
}
