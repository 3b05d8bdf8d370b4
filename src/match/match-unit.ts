import { isPrefixName } from "../elf/made-names.js";
import { STB_LOCAL } from "../elf/constants.js";
import type { ElfObject } from "../elf/model.js";
import { isSplitPart } from "./candidates.js";
import { findData, type DataRequest } from "./find-data.js";
import { isWeak } from "./pre-object.js";
import { describeMismatch, overallCause } from "./report-mismatch.js";
import type { RunKernel } from "../run-kernel.js";
import type { MatchedFunction, MatchStatistics, Mismatch, UnitMatch } from "./types.js";
import { explainFailure, findStrayReference, isLostWeak, isUnusedTwin, type Failure } from "./explain-failure.js";
import type { MatchTrace, UnitCode } from "./unit-code.js";
import { UnitMatcher, type Match } from "./unit-matcher.js";

/**
 * Compares every function of a compilation unit with the running kernel, and reads the addresses of all symbols that they use out of
 * the running code. docs/matching.md has the rules.
 * @param pre the unit's object from unpatched source, compiled with -ffunction-sections -fdata-sections
 * @param unit its path, for messages, and what it is part of: `vmlinux` or a module
 * @param options.data objects that must be found too, and be what the pre object says
 * @param options.trace takes what matching does, step by step
 */
export function matchUnit(
  pre: ElfObject,
  unit: { path: string; target: string },
  run: RunKernel,
  options: { readonly data?: readonly DataRequest[]; readonly trace?: MatchTrace | undefined } = {},
): UnitMatch {
  const matcher = new UnitMatcher(pre, unit.target, run, options.trace);
  const { pre: preObject } = matcher.unit;
  const unmatched = matcher.matchAll();
  const lostWeak = new Set(unmatched.filter((place) => isLostWeak(matcher, place)));
  const lost = unmatched.filter((place) => lostWeak.has(place) || isUnusedTwin(matcher, place, lostWeak));
  const stray = [...matcher.matches.values()].flatMap((match) => {
    const failure = findStrayReference(matcher, match);
    return failure === undefined ? [] : [{ ...failure, place: match.place }];
  });
  const wrong = [...unmatched.filter((place) => !lost.includes(place)).map((place) => explainFailure(matcher, place)), ...stray];
  const statistics: MatchStatistics = {
    functions: preObject.functions.length,
    matched: matcher.matches.size,
    skipped: [...lost.map(({ name }) => name), ...preObject.discarded.map(({ name }) => name)],
    skippedBytes: 0,
  };
  if (wrong.length > 0) {
    const cause = overallCause(wrong.length, statistics.functions);
    return { kind: "mismatch", mismatches: wrong.map((failure) => describeFailure(failure, cause, matcher.unit)), statistics };
  }
  const mismatches = (options.data ?? []).flatMap((request) => findData(matcher, request) ?? []);
  if (mismatches.length > 0) return { kind: "mismatch", mismatches, statistics };
  const runtimeConstants = new Map([...matcher.constants].map(([table, { value }]) => [table, value]));
  return { kind: "matched", functions: collectFunctions(matcher), ...collectSymbols(matcher), runtimeConstants, statistics };
}

function describeFailure({ place, code, live, difference }: Failure, cause: string, { run, arch }: UnitCode): Mismatch {
  if (live === undefined) {
    const { offset, reason } = difference;
    return { function: place.name, addr: undefined, offset, pre: "", run: "", reason, likelyCause: cause };
  }
  return { likelyCause: cause, ...describeMismatch(place.name, { code, live, difference }, run, arch) };
}

function collectFunctions(matcher: UnitMatcher): ReadonlyMap<string, MatchedFunction> {
  const functions = new Map<string, MatchedFunction>();
  for (const match of matcher.matches.values()) {
    const found = describeFunction(match, matcher.unit);
    for (const { name } of match.place.symbols) if (!isPrefixName(name)) functions.set(name, { ...found, name });
  }
  return functions;
}

function describeFunction({ place, codeAddr, code, comparison }: Match, { run, arch }: UnitCode): MatchedFunction {
  const site = isSplitPart(place) ? undefined : arch.trampoline.findSite(run, code, codeAddr, comparison.runSize);
  return { name: place.name, addr: codeAddr, size: comparison.runSize, site };
}

function collectSymbols(matcher: UnitMatcher): { symbols: ReadonlyMap<string, bigint>; globals: ReadonlySet<string> } {
  const symbols = new Map<string, bigint>();
  const globals = new Set<string>();
  for (const symbol of matcher.unit.pre.object.symbols) {
    const place = matcher.unit.pre.placeOf(symbol);
    if (place === undefined) continue;
    const addr = matcher.known.get(place)?.addr ?? (isWeak(place) ? onlyOf(matcher.unit.references.addrsOf(place)) : undefined);
    if (addr === undefined) continue;
    symbols.set(symbol.name, addr);
    if (symbol.bind !== STB_LOCAL) globals.add(symbol.name);
  }
  return { symbols, globals };
}

function onlyOf(addrs: readonly bigint[]): bigint | undefined {
  return addrs.length === 1 ? addrs[0] : undefined;
}
