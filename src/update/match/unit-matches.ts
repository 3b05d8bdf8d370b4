import type { UnitMatch } from "../../match/types.js";

export type MatchedUnit = Extract<UnitMatch, { kind: "matched" }>;

/** Matches of an update's units, by unitKey() of kbuild: an object that several modules have was matched in each. */
export type UnitMatches = ReadonlyMap<string, MatchedUnit>;
